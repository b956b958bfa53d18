/** Makes domains as agents, typing errors and attackers write them, and compares two judges. The same seed makes the same. */
import { domainToASCII } from 'node:url';
import { checkDomain } from '../../../src/policy/domains/index.ts';
import { mayBeOpened } from './oracle.ts';

export interface FuzzResult {
  readonly count: number;
  readonly accepted: number;
  /** Accepted by the product, not by the oracle. There must be none. */
  readonly wronglyAccepted: readonly string[];
  /** Plain ASCII names that the oracle would open and the product refuses, besides names of networks. */
  readonly wronglyRefused: readonly string[];
}

export function fuzzDomains(count: number, seed: number): FuzzResult {
  const next = generator(seed);
  const wronglyAccepted: string[] = [];
  const wronglyRefused: string[] = [];
  let accepted = 0;
  for (let round = 0; round < count; round += 1) {
    const raw = makeDomain(next);
    const verdict = checkDomain(raw);
    const expected = mayBeOpened(raw);
    if (verdict.ok) accepted += 1;
    if (verdict.ok && (!expected || verdict.host !== raw.toLowerCase())) wronglyAccepted.push(raw);
    const plain = !raw.toLowerCase().includes('xn--');
    if (!verdict.ok && expected && plain && verdict.refusal !== 'internal') wronglyRefused.push(raw);
  }
  return { count, accepted, wronglyAccepted, wronglyRefused };
}

type Next = () => number;

/** Numbers from 0 to 1, the same for the same seed. */
export function generator(seed: number): Next {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const LABELS = 'pypi registry files www api cdn a x0 foo-bar xn--mnchen-3ya github raw 3com deb mail-1 0x7f 127'.split(
  ' ',
);
const ENDINGS = [
  ...'com org net io de dev co.uk com.au github.io ck xn--p1ai s3.amazonaws.com'.split(' '),
  ...'local localhost internal lan test example invalid onion home.arpa foozle corp nip.io 1 0x1 uk kawasaki.jp'.split(
    ' ',
  ),
];
const HOSTILE = [
  ...[
    '*',
    '*.',
    '.',
    '..',
    '-',
    '--',
    '_',
    ':',
    ':443',
    '/',
    '//',
    '\\',
    '@',
    '?',
    '#',
    '%',
    '%00',
    '%2e',
    ';',
    ',',
    '|',
  ],
  ...[
    '\n',
    '\r\n',
    '\t',
    ' ',
    '\u0000',
    '\u007f',
    '\u00a0',
    '\u00ad',
    '\u200b',
    '\u200d',
    '\u202e',
    '\u2060',
    '\ufeff',
  ],
  ...[
    '。',
    '．',
    '｡',
    '︒',
    'ａ',
    '１',
    '①',
    'ß',
    'ſ',
    'İ',
    'ı',
    'K',
    'а',
    'о',
    'ρ',
    '℀',
    '\ud800',
    '[',
    ']',
    '"',
    "'",
    '$(id)',
  ],
];
const ALPHABETS = [
  'асеорхуі',
  'бгджзл',
  'αορνικυ',
  'δθλξπσ',
  'օոսհ',
  'éüçñß',
  '日本語漢字',
  'ひらカタ',
  '한국',
  'abcdef',
  'ıɡɑ',
  'ا\u0301ب',
];

function makeDomain(next: Next): string {
  const kind = next();
  if (kind < 0.12) return address(next);
  const base = kind < 0.3 ? international(next) : plain(next);
  const rounds = next() < 0.35 ? 0 : 1 + Math.floor(next() * 3);
  let text = base;
  for (let round = 0; round < rounds; round += 1) text = mutate(text, next);
  return next() < 0.05 ? text.toUpperCase() : text;
}

function plain(next: Next): string {
  const count = Math.floor(next() * 4);
  const labels = Array.from({ length: count }, () =>
    next() < 0.02 ? 'a'.repeat(60 + Math.floor(next() * 6)) : pick(LABELS, next),
  );
  if (next() < 0.01) labels.push(...Array.from({ length: 60 }, () => 'abc'));
  return [...labels, pick(ENDINGS, next)].join('.');
}

/** A label of one or two alphabets, encoded as a registry would, or wrongly. */
function international(next: Next): string {
  const alphabets = [pick(ALPHABETS, next), pick(ALPHABETS, next)];
  const letters = Array.from({ length: 1 + Math.floor(next() * 6) }, () => pick([...pick(alphabets, next)], next)).join(
    '',
  );
  const encoded = domainToASCII(letters);
  const label = next() < 0.2 || encoded === '' ? `xn--${random(next, 6)}` : next() < 0.1 ? letters : encoded;
  return [...(next() < 0.3 ? [pick(LABELS, next)] : []), label, pick(ENDINGS, next)].join('.');
}

function address(next: Next): string {
  const byte = () => Math.floor(next() * 256);
  const part = () => {
    const [value, notation] = [byte(), next()];
    return notation < 0.5 ? String(value) : notation < 0.75 ? `0x${value.toString(16)}` : `0${value.toString(8)}`;
  };
  const group = () => Math.floor(next() * 65536).toString(16);
  const forms = [
    () => Array.from({ length: 1 + Math.floor(next() * 5) }, part).join('.'),
    () => String(Math.floor(next() * 2 ** 32)),
    () => `0x${Math.floor(next() * 2 ** 32).toString(16)}`,
    () => Array.from({ length: 8 }, group).join(':'),
    () => `[${group()}::${group()}]`,
    () => `::ffff:${byte()}.${byte()}.${byte()}.${byte()}`,
    () => `fe80::1%eth0`,
    () => `${byte()}.${byte()}.${byte()}.${byte()}${pick(['.', ':80', '/24', '/', '%0'], next)}`,
    () =>
      [...`${byte()}.${byte()}.${byte()}.${byte()}`]
        .map((c) => (c === '.' ? '。' : String.fromCharCode(c.charCodeAt(0) + 0xfee0)))
        .join(''),
    () => `${pick(LABELS, next)}.${part()}`,
  ];
  return pick(forms, next)();
}

function mutate(text: string, next: Next): string {
  const at = Math.floor(next() * (text.length + 1));
  const [head, tail] = [text.slice(0, at), text.slice(at)];
  const kind = next();
  if (kind < 0.5) return head + pick(HOSTILE, next) + tail;
  if (kind < 0.6) return head + tail.slice(1);
  if (kind < 0.7) return head + random(next, 1) + tail.slice(1);
  if (kind < 0.75) return `${pick(['https://', 'http://user:pw@', '//', 'ftp://', ' '], next)}${text}`;
  if (kind < 0.8) return `${text}${pick([':443', ':0', '/', '/path?x=1', '.', ' ', '\n', '#', '\nevil.com'], next)}`;
  if (kind < 0.85) return `${text}.${pick(ENDINGS, next)}`;
  if (kind < 0.9) return text.replace(/\./, pick(['..', '', '-.', '.-', '. '], next));
  return head + String.fromCodePoint(Math.floor(next() * 0x3000)) + tail;
}

function random(next: Next, length: number): string {
  return Array.from({ length }, () => pick([...'abcdefghijklmnopqrstuvwxyz0123456789-'], next)).join('');
}

function pick<Item>(items: readonly Item[], next: Next): Item {
  const item = items[Math.floor(next() * items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}
