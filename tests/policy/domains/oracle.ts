/**
 * A second opinion about domains, made of other parts than the product: the URL parser of Node, Debian's copy of the public
 * suffix list, and a punycode decoder of its own. It is deliberately short; where it is unsure it says no.
 */
import { readFileSync } from 'node:fs';

const PLAIN = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

const NOT_PUBLIC = new RegExp(
  `(^|\\.)(${[
    ...['local', 'localhost', 'localdomain', 'internal', 'intranet', 'private', 'lan', 'home', 'corp', 'test'],
    ...['example', 'example\\.(com|net|org)', 'invalid', 'onion', 'arpa', 'nip\\.io', 'sslip\\.io', 'xip\\.io'],
    ...['localtest\\.me', 'lvh\\.me'],
  ].join('|')})$`,
);

/** Of later versions of the list, for machines whose copy is old. */
const NEWER_RULES =
  'kh com.kh net.kh org.kh edu.kh gov.kh per.kh com.io net.io org.io edu.io gov.io mil.io nom.io co.io'.split(' ');

/** Rules that later versions no longer have: the registry of .is says that these were never open to anybody (list#2266). */
const DROPPED_RULES = 'com.is net.is org.is edu.is gov.is int.is'.split(' ');

/** ICANN's part of the list: the rules, without those of companies. */
const RULES: ReadonlySet<string> = new Set(
  (readFileSync('/usr/share/publicsuffix/public_suffix_list.dat', 'utf8').split('===END ICANN DOMAINS===')[0] ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('//'))
    .map((rule) => (/[^\x00-\x7f]/.test(rule) ? ascii(rule) : rule))
    .filter((rule) => !DROPPED_RULES.includes(rule))
    .concat(NEWER_RULES),
);

function ascii(rule: string): string {
  return new URL(`http://${rule}/`).hostname;
}

/** Whether a text may be opened as it is, give or take letter case. */
export function mayBeOpened(raw: string): boolean {
  if (/[^\x21-\x7e]/.test(raw)) return false;
  const host = raw.toLowerCase();
  if (!PLAIN.test(host) || hostnameOf(host) !== host) return false;
  if (NOT_PUBLIC.test(host)) return false;
  const labels = host.split('.');
  const ending = endingLength(labels);
  if (ending === 0 || labels.length <= ending || RULES.has(`*.${host}`)) return false;
  return labels.slice(0, -1).every(isHonest);
}

/** What a URL parser makes of it: numbers become addresses, broken punycode throws. */
function hostnameOf(host: string): string {
  try {
    return new URL(`http://${host}/`).hostname;
  } catch {
    return '';
  }
}

/** Labels of the public suffix; 0: the ending does not exist. */
function endingLength(labels: readonly string[]): number {
  for (let length = labels.length; length > 0; length -= 1) {
    const tail = labels.slice(-length);
    const name = tail.join('.');
    if (RULES.has(`!${name}`)) return length - 1;
    if (RULES.has(name)) return length;
    if (length > 1 && tail.at(-1) !== 'kh' && RULES.has(['*', ...tail.slice(1)].join('.'))) return length;
  }
  return 0;
}

/** Blocks in which no letter may stand beside letters of another, nor may all of them look Latin. */
const LATIN_LIKE_BLOCKS: readonly (readonly [number, number])[] = [
  [0x370, 0x3ff],
  [0x400, 0x52f],
  [0x530, 0x58f],
];
const LOOK_LATIN = 'асеорхуіјѕԁһԛԝӏαονρικυօոսհ';

function isHonest(label: string): boolean {
  if (label.slice(2, 4) !== '--') return true;
  if (!label.startsWith('xn--')) return false;
  const points = decodePunycode(label.slice(4));
  if (points === undefined || points.every((point) => point < 0x80)) return false;
  const letters = points.filter((point) => !(point < 0x80 && /[0-9-]/.test(String.fromCodePoint(point))));
  const blocks = new Set(letters.map(blockOf));
  if (blocks.size > 1 && [...blocks].some((block) => block > 0)) return false;
  return !letters.every((point) => LOOK_LATIN.includes(String.fromCodePoint(point)));
}

/** 0: any other block. */
function blockOf(point: number): number {
  return 1 + LATIN_LIKE_BLOCKS.findIndex(([first, last]) => point >= first && point <= last);
}

/** RFC 3492, section 6.2. Undefined: it is not punycode. */
function decodePunycode(text: string): number[] | undefined {
  const split = text.lastIndexOf('-');
  const output = [...text.slice(0, Math.max(split, 0))].map((character) => character.charCodeAt(0));
  let [point, at, bias, first] = [128, 0, 72, true];
  for (let read = split > 0 ? split + 1 : 0; read < text.length; ) {
    const before = at;
    for (let weight = 1, step = 36; ; step += 36) {
      const digit = 'abcdefghijklmnopqrstuvwxyz0123456789'.indexOf(text[read] ?? '?');
      read += 1;
      if (digit < 0) return undefined;
      at += digit * weight;
      const threshold = step <= bias ? 1 : step >= bias + 26 ? 26 : step - bias;
      if (digit < threshold) break;
      weight *= 36 - threshold;
    }
    const size = output.length + 1;
    let delta = first ? Math.floor((at - before) / 700) : (at - before) >> 1;
    delta += Math.floor(delta / size);
    let rounds = 0;
    for (; delta > 455; rounds += 36) delta = Math.floor(delta / 35);
    bias = rounds + Math.floor((36 * delta) / (delta + 38));
    first = false;
    point += Math.floor(at / size);
    if (point > 0x10ffff) return undefined;
    at %= size;
    output.splice(at, 0, point);
    at += 1;
  }
  return output;
}
