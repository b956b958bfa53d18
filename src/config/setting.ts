import type { Secret } from './secret.ts';
import { secretText, type Value } from './values.ts';

/** One variable: everything that is known about it. */
export interface Setting<Out> {
  readonly variable: string;
  readonly type: Value<Out>;
  /** Raw text, as it would be set; null if there is no default. */
  readonly default: string | null;
  /** Required wherever its area is in use. */
  readonly required: boolean;
  /** May be given as `<variable>_FILE` too. */
  readonly secret: boolean;
  readonly unit: string;
  readonly help: string;
  readonly example: string;
  /** What stands for "not set" when there is neither a value nor a default. */
  readonly absent: Out | undefined;
}

interface About {
  readonly help: string;
  readonly example: string;
  readonly unit?: string;
}

export type Area = Readonly<Record<string, Setting<unknown>>>;
export type ValuesOf<A extends Area> = {
  readonly [Key in keyof A]: A[Key] extends Setting<infer Out> ? Out : never;
};

const NOTHING = { default: null, required: false, secret: false, unit: '', absent: undefined };

export function required<Out>(variable: string, type: Value<Out>, about: About): Setting<Out> {
  return { ...NOTHING, ...about, variable, type, required: true };
}

export function defaulted<Out>(
  variable: string,
  type: Value<Out>,
  byDefault: string,
  about: Omit<About, 'example'> & { readonly example?: string },
): Setting<Out> {
  return { ...NOTHING, example: byDefault, ...about, variable, type, default: byDefault };
}

export function optional<Out>(variable: string, type: Value<Out>, about: About): Setting<Out | null> {
  return { ...NOTHING, ...about, variable, type, absent: null };
}

export function requiredSecret(variable: string, about: About, type: Value<Secret> = secretText): Setting<Secret> {
  return { ...required(variable, type, about), secret: true };
}

export function optionalSecret(
  variable: string,
  about: About,
  type: Value<Secret> = secretText,
): Setting<Secret | null> {
  return { ...optional(variable, type, about), secret: true };
}
