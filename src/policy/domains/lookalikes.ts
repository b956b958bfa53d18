/**
 * International names that imitate others. A label may be of one script (with the usual mixtures of East Asia), and may
 * not consist of letters that all look like Latin ones. Letters within one script can still be confused (`pypl.org`),
 * so what a card shows is always the ASCII form, too.
 */

/** Scripts that occur together in one language; ASCII letters and digits may stand beside the East Asian ones. */
const TOGETHER: readonly (readonly string[])[] = [
  ['Latin', 'Han', 'Hiragana', 'Katakana'],
  ['Latin', 'Han', 'Hangul'],
  ['Latin', 'Han', 'Bopomofo'],
];

const SCRIPTS = [
  ...['Latin', 'Greek', 'Cyrillic', 'Armenian', 'Hebrew', 'Arabic', 'Devanagari', 'Bengali', 'Gurmukhi', 'Gujarati'],
  ...['Oriya', 'Tamil', 'Telugu', 'Kannada', 'Malayalam', 'Sinhala', 'Thai', 'Lao', 'Tibetan', 'Myanmar', 'Georgian'],
  ...['Ethiopic', 'Khmer', 'Han', 'Hiragana', 'Katakana', 'Hangul', 'Bopomofo'],
].map((name) => ({ name, pattern: new RegExp(`\\p{Script=${name}}`, 'u') }));

/** The long-vowel mark and the middle dot. */
const JAPANESE_SIGNS = 'ー・';

const SHARED = /\p{Script=Common}|\p{Script=Inherited}/u;

/** Letters of other scripts that look like Latin ones, in lower case. */
const LIKE_LATIN: ReadonlySet<string> = new Set([...'асԁеһіјӏоррԛѕѵԝхукгӕьмптнвɡ', ...'αορνικυτγωχηε', ...'օոսհզցք']);

/** Latin letters outside ASCII that are letters of an alphabet of their own, without an accent to tell them by. */
const OWN_LATIN: ReadonlySet<string> = new Set([...'ßæøœđðþłħŋŧə']);

/** @param label one label in Unicode, lower case and normalised (NFC) */
export function isLookalike(label: string): boolean {
  const letters = [...label].filter((character) => !/[0-9-]/.test(character));
  const scripts = new Set(letters.filter((letter) => !SHARED.test(letter)).map(scriptOf));
  if (scripts.has('')) return true;
  // Symbols, and letters that belong to no script, are for no name; marks that float freely hide letters.
  if (scripts.size === 0 || letters.some((letter) => SHARED.test(letter) && !JAPANESE_SIGNS.includes(letter)))
    return true;
  if (scripts.size > 1 && !TOGETHER.some((set) => [...scripts].every((script) => set.includes(script)))) return true;
  if (scripts.has('Latin')) return letters.some((letter) => scriptOf(letter) === 'Latin' && !isOrdinaryLatin(letter));
  return letters.every((letter) => LIKE_LATIN.has(letter));
}

function scriptOf(letter: string): string {
  return SCRIPTS.find(({ pattern }) => pattern.test(letter))?.name ?? '';
}

/** ASCII, or ASCII with accents that can be seen (é, ü, ç), or one of the few letters that need none. */
function isOrdinaryLatin(letter: string): boolean {
  const [base = ''] = letter.normalize('NFD');
  return /[a-z]/.test(base) || OWN_LATIN.has(letter);
}

/**
 * The well-known name that a domain could be taken for at a glance, or undefined: `pypl.org`, `rnicrosoft.com`,
 * `g00gle.com`, `pypi.org.evil.com`.
 * @param known names people trust, lower case
 */
export function imitates(host: string, known: readonly string[]): string | undefined {
  if (known.some((name) => host === name || host.endsWith(`.${name}`))) return undefined;
  const look = glance(host);
  return known.find((name) => {
    const other = glance(name);
    return look === other || look.endsWith(`.${other}`) || look.includes(`${other}.`) || look.endsWith(`-${other}`);
  });
}

/** What is left of a name when characters that look the same are the same. */
function glance(host: string): string {
  return host
    .replace(/rn/g, 'm')
    .replace(/vv/g, 'w')
    .replace(/cl/g, 'd')
    .replace(/0/g, 'o')
    .replace(/[1i]/g, 'l')
    .replace(/5/g, 's');
}
