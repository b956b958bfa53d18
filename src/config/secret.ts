import { inspect } from 'node:util';

/**
 * A value that must not reach a log, an error or a page by accident: every way of printing it gives `[secret]`.
 * Only `reveal()` hands it out, so a search for that word finds every place that uses one.
 */
export interface Secret {
  readonly reveal: () => string;
  readonly toString: () => string;
  readonly toJSON: () => string;
  readonly [inspect.custom]: () => string;
}

const SHOWN = '[secret]';

export function createSecret(value: string): Secret {
  const show = (): string => SHOWN;
  const secret = { reveal: () => value, toString: show, toJSON: show, [inspect.custom]: show };
  // Not enumerable: spreading or listing a secret yields nothing that could be called by mistake.
  for (const key of Reflect.ownKeys(secret)) Object.defineProperty(secret, key, { enumerable: false });
  return Object.freeze(secret);
}

/** Every secret of the configuration, wherever it stands in it; of addresses also the password alone. */
export function secretsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('reveal' in value && typeof value.reveal === 'function') {
    const text = String(value.reveal());
    return [text, ...passwordIn(text)];
  }
  return Object.values(value).flatMap(secretsIn);
}

/** Where something is, and how people write, is told freely. */
const PUBLIC_NAME = /^(LANG|TZ|LC_\w+|\w+_(URL|DIR|PATH|HOME|FILE|CERTS))$/i;

/** Of variables that agents are given: the values that nobody is to be shown. */
export function secretVariables(variables: Readonly<Record<string, string>>): string[] {
  return Object.entries(variables).flatMap(([name, value]) =>
    PUBLIC_NAME.test(name) || value.startsWith('/') ? passwordIn(value) : [value, ...passwordIn(value)],
  );
}

function passwordIn(text: string): string[] {
  if (!URL.canParse(text)) return [];
  const { password } = new URL(text);
  return password === '' ? [] : [password, decodeURIComponent(password)];
}
