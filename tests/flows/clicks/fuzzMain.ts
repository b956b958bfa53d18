/** The long profile: `node --import tsx tests/flows/clicks/fuzzMain.ts [count] [seed]`. */
import { fuzzClicks } from './fuzz.ts';

const [count = 100_000, seed = 1] = process.argv.slice(2).map(Number);
const { wronglyTaken, wronglyRefused, silent, taken } = await fuzzClicks(count, seed);
for (const wire of [...wronglyTaken, ...wronglyRefused, ...silent].slice(0, 20)) console.log(wire);
console.log(
  `seed ${seed}: ${count} clicks, ${taken} taken, ${wronglyTaken.length} wrongly, ${wronglyRefused.length} wrongly refused, ${silent.length} refused without words`,
);
process.exitCode = wronglyTaken.length + wronglyRefused.length + silent.length > 0 ? 1 : 0;
