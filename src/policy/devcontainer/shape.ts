/** Plain data of unknown shape, read without trusting it. */
import type { Findings } from './verdict.ts';

export type Data = Readonly<Record<string, unknown>>;

export function isData(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The entries of a list of texts; anything else is refused and yields nothing. */
export function textsOf(value: unknown, path: string, found: Findings): readonly { path: string; text: string }[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    found.refuse(path, 'unreadable', 'is not a list of texts');
    return [];
  }
  return value.flatMap((item: unknown, index) => {
    if (typeof item === 'string') return [{ path: `${path}[${index}]`, text: item }];
    found.refuse(`${path}[${index}]`, 'unreadable', 'is not a text');
    return [];
  });
}

/** A text, or a list of them. */
export function textOrTexts(value: unknown, path: string, found: Findings): readonly { path: string; text: string }[] {
  return typeof value === 'string' ? [{ path, text: value }] : textsOf(value, path, found);
}

/** Every text in the data, with its path. Keys are no values: nobody substitutes anything in them. */
export function* everyText(value: unknown, path: string): Generator<{ path: string; text: string }> {
  if (typeof value === 'string') yield { path, text: value };
  else if (Array.isArray(value))
    for (const [index, item] of value.entries()) yield* everyText(item, `${path}[${index}]`);
  else if (isData(value)) {
    for (const [key, item] of Object.entries(value)) yield* everyText(item, path === '' ? key : `${path}.${key}`);
  }
}

/** Names of images, users, services: nothing that a command line could take for an option. */
export function isPlainWord(text: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_./:@+-]*$/.test(text);
}

/** Of a compose file: for readers alone. What begins with `x-podman`, podman-compose takes for its own options. */
export function isRemark(key: string): boolean {
  return /^x-(?!podman)/i.test(key);
}

/** `name=value`, or a name alone. */
export function splitAtEquals(text: string): readonly [string, string | undefined] {
  const at = text.indexOf('=');
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
