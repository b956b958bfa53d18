/**
 * The operator's list of domains that need no question: opened at once, or refused whoever asks.
 *
 *     allow:
 *       - pypi.org
 *       - host: "*.internal-mirror.acme.dev"
 *         repos: [acme/*]
 *         why: the company's package mirror
 *     never:
 *       - host: pastebin.com
 *         why: uploads are not wanted
 *
 * `never` wins over `allow`. A leading `*.` stands for every name below, not for the name itself.
 */
import { parse } from 'yaml';
import { z } from 'zod';
import { placeOf } from '../place.ts';
import { checkDomain } from './check.ts';

export interface DomainRule {
  /** `pypi.org` or `*.pypi.org`. */
  readonly host: string;
  /** Repository patterns; empty: all. */
  readonly repos: readonly string[];
  readonly why: string;
}

export interface DomainPolicy {
  readonly allow: readonly DomainRule[];
  readonly never: readonly DomainRule[];
}

export const NO_POLICY: DomainPolicy = { allow: [], never: [] };

export type PolicyFile =
  | { readonly ok: true; readonly policy: DomainPolicy }
  | { readonly ok: false; readonly problems: readonly string[] };

const host = z.string('must be a host name').transform((raw, context) => {
  const below = raw.startsWith('*.');
  const verdict = checkDomain(below ? raw.slice(2) : raw);
  if (verdict.ok) return below ? `*.${verdict.host}` : verdict.host;
  context.issues.push({ code: 'custom', message: verdict.human, input: raw });
  return z.NEVER;
});

const repo = z.string().regex(/^(\*|[A-Za-z0-9_.*-]+\/[A-Za-z0-9_.*-]+)$/, 'must be `org/repo`, `org/*` or `*`');

const ruleObject = z.strictObject({
  host,
  repos: z.array(repo).default([]),
  why: z.string().max(200, 'must be at most 200 characters').default(''),
});

const rule = z.preprocess((value) => (typeof value === 'string' ? { host: value } : value), ruleObject);
const rules = z.preprocess((value) => value ?? [], z.array(rule, 'must be a list of hosts'));
const file = z.strictObject(
  { allow: rules, never: rules },
  {
    error: ({ code }) => (code === 'unrecognized_keys' ? undefined : 'must have `allow:` or `never:`, or both'),
  },
);

/** Reads the text of the file. Every problem is named with its place; nothing of a faulty file is used. */
export function readPolicyFile(text: string): PolicyFile {
  let content: unknown;
  try {
    content = parse(text, { maxAliasCount: 0 });
  } catch (error) {
    return { ok: false, problems: [error instanceof Error ? error.message.trim() : 'it is not YAML'] };
  }
  const read = file.safeParse(content ?? {});
  if (read.success) return { ok: true, policy: read.data };
  return { ok: false, problems: read.error.issues.map(({ path, message }) => `${placeOf(path)}${message}`) };
}
