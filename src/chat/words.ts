import { accept, type Parsed, quoteInput, refuse } from './commandError.ts';
import { nearest } from './nearest.ts';

/** A command's arguments, taken apart. */
export interface Words {
  readonly positional: readonly string[];
  /** Flag name without dashes -> its value, or null if it came without `=`. */
  readonly flags: ReadonlyMap<string, string | null>;
}

/** Phones turn `--` into one long dash. */
function plainDashes(word: string): string {
  return word.replace(/^[\u2012-\u2015]/, '--');
}

/** Splits at white space; a flag that the command does not know is refused, with the nearest one it knows. */
export function splitWords(rest: string, knownFlags: readonly string[]): Parsed<Words> {
  const positional: string[] = [];
  const flags = new Map<string, string | null>();
  for (const raw of rest.split(/\s+/u)) {
    const word = plainDashes(raw);
    if (word === '') continue;
    if (!word.startsWith('-')) {
      positional.push(word);
      continue;
    }
    const equals = word.indexOf('=');
    const flag = equals < 0 ? word : word.slice(0, equals);
    const name = flag.replace(/^-+/, '').toLowerCase();
    if (!flag.startsWith('--') || !knownFlags.includes(name))
      return refuse('unknown flag', unknownFlag(flag, knownFlags));
    if (flags.has(name)) return refuse('flag given twice', `${quoteInput(`--${name}`)} is there twice. Give it once.`);
    flags.set(name, equals < 0 ? null : word.slice(equals + 1));
  }
  return accept({ positional, flags });
}

function unknownFlag(flag: string, known: readonly string[]): string {
  const start = `There is no option ${quoteInput(flag)} here.`;
  if (known.length === 0) return `${start} This command has none: leave it out.`;
  const name = flag.replace(/^-+/, '');
  const near = nearest(name, known) ?? known.find((candidate) => name !== '' && candidate.startsWith(name));
  if (near !== undefined) return `${start} Did you mean \`--${near}\`?`;
  return `${start} Possible: ${known.map((item) => `\`--${item}\``).join(', ')}.`;
}

/** For flags that are only there or not. */
export function switchOn(words: Words, flag: string): Parsed<boolean> {
  const value = words.flags.get(flag);
  if (value === undefined) return accept(false);
  if (value === null) return accept(true);
  return refuse('value for a switch', `\`--${flag}\` takes no value. Write just \`--${flag}\`, or leave it out.`);
}
