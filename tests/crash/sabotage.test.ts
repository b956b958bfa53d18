// @limit 600
// The harness can fail: each promise that is broken on purpose is found out, by a short run.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { run } from './run.ts';
import { SABOTAGES, type Sabotage } from './sabotage.ts';

for (const sabotage of Object.keys(SABOTAGES) as Sabotage[]) {
  test(`it is found out that ${SABOTAGES[sabotage]}`, async () => {
    const verdict = await run({
      mode: 'kill',
      kills: 12,
      points: ['sabotage'],
      seed: 4,
      sessions: 4,
      sabotage,
      calmStart: true,
      patienceMs: 4_000,
      settleMs: 4_000,
    });
    assert.ok(verdict.totals.prompts, 'nothing ran');
    assert.ok(verdict.lost + verdict.duplicated + verdict.inconsistent > 0, JSON.stringify(verdict));
  });
}

test.run();
