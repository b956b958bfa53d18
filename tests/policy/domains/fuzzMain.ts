/** The long profile: `node --import tsx tests/policy/domains/fuzzMain.ts [count] [seed]`. */
import { fuzzDomains } from './fuzz.ts';

const [count = 1_000_000, seed = 1] = process.argv.slice(2).map(Number);
const { wronglyAccepted, wronglyRefused, accepted } = fuzzDomains(count, seed);
for (const raw of [...wronglyAccepted, ...wronglyRefused].slice(0, 20)) console.log(JSON.stringify(raw));
console.log(
  `seed ${seed}: ${count} domains, ${accepted} accepted, ${wronglyAccepted.length} wrongly, ${wronglyRefused.length} wrongly refused`,
);
process.exitCode = wronglyAccepted.length + wronglyRefused.length > 0 ? 1 : 0;
