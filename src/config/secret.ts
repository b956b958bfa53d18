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
