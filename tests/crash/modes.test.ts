// @limit 500
// A short run of every mode: whatever is made to fail, nothing is lost, nothing doubled, and everything agrees.
// The full runs: `npm run crash -- --help`.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MODES, type Mode } from './modes.ts';
import { run } from './run.ts';

/** How often something fails in the short run: each kind of failure at least once. */
const KILLS: Readonly<Record<Mode, number>> = { kill: 16, postgres: 3, network: 7, replicas: 5, rolling: 2, steady: 3 };

for (const mode of Object.keys(MODES) as Mode[]) {
  test(`nothing is lost or doubled while ${MODES[mode].help}`, async () => {
    const verdict = await run({ mode, kills: KILLS[mode], seed: 2, sessions: 4, calmStart: mode !== 'kill' });
    assert.is(verdict.lost + verdict.duplicated + verdict.inconsistent, 0, JSON.stringify(verdict, null, 2));
    assert.equal(verdict.unsettled, [], 'it did not come to rest');
    assert.ok(verdict.totals.prompts, 'nothing ran');
  });
}

test.run();
