// @limit 120
// Clicks that were changed on their way. The long run: node --import tsx tests/flows/clicks/fuzzMain.ts 100000
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fuzzClicks } from './fuzz.ts';

test('of thousands of clicks that were changed, sent again or made by strangers, only true ones count, and all get words', async () => {
  const { taken, wronglyTaken, wronglyRefused, silent } = await fuzzClicks(8_000, 20261126);
  assert.equal(wronglyTaken, []);
  assert.equal(wronglyRefused, []);
  assert.equal(silent, []);
  assert.ok(taken > 200, `${taken} taken`);
});

test.run();
