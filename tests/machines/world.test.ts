// @limit 120
import fc from 'fast-check';
import { test } from 'uvu';
import { play, problems } from './history.ts';

/** More of them find more: the figure is for everyday runs. */
const RUNS = Number(process.env.CSM_WORLD_RUNS ?? 150);

test('whatever happens in whichever order, everything comes to rest and nothing is lost, doubled or left behind', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1_000_000), { maxLength: 400, size: 'max' }), (choices) => {
      const found = problems(play(choices));
      if (found.length > 0) throw new Error(found.join('\n'));
    }),
    { numRuns: RUNS, includeErrorInReport: true },
  );
});

test.run();
