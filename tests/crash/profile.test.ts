// @limit 900
/**
 * The short, seeded profile of `npm run crash`: every way to fail, a few times each, judged by the simulators' own logs. And the
 * harness must be able to fail: with a promise broken on purpose it has to say so.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { run } from './run.ts';

const quiet = () => undefined;

async function clean(mode: Parameters<typeof run>[0]['mode'], kills: number): Promise<void> {
  const verdict = await run({ mode, kills, seed: 11, sessions: 4, onProgress: quiet });
  assert.equal(verdict.violations, []);
  assert.is(verdict.settled, true);
  assert.equal([verdict.lost, verdict.duplicated, verdict.inconsistent], [0, 0, 0]);
  assert.ok((verdict.totals.words ?? 0) > 50, 'there was a load to lose something of');
}

test('a gateway that is killed again and again loses and doubles nothing', () => clean('kill', 6));
test('a database that is killed and comes back costs nothing; the gateway lives on', () => clean('postgres', 2));
test('a database connection that hangs, delays and resets costs nothing', () => clean('network', 3));
test('two replicas whose leader is killed and cut off act as one', () => clean('replicas', 2));
test('an update that rolls over loses nothing', () => clean('rolling', 1));

test('with outputs acknowledged before their commit, the harness reports the loss', async () => {
  const verdict = await run({
    mode: 'kill',
    kills: 8,
    seed: 11,
    sessions: 4,
    sabotage: 'ack-before-commit',
    onProgress: quiet,
  });
  assert.ok(verdict.lost + verdict.duplicated + verdict.inconsistent > 0 || !verdict.settled);
});

test.run();
