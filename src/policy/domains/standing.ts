/** What the operator's policy says of a host before anybody is asked. */
import { repoMatches } from '../people.ts';
import type { DomainPolicy, DomainRule } from './policyFile.ts';

export type Standing =
  | { readonly kind: 'never'; readonly why: string }
  | { readonly kind: 'always'; readonly why: string }
  | { readonly kind: 'ask' };

/** @param host checked before; lower case */
export function standingOf(host: string, repo: string, policy: DomainPolicy): Standing {
  const never = policy.never.find((rule) => covers(rule, host, repo));
  if (never) return { kind: 'never', why: never.why };
  const always = policy.allow.find((rule) => covers(rule, host, repo));
  return always ? { kind: 'always', why: always.why } : { kind: 'ask' };
}

function covers(rule: DomainRule, host: string, repo: string): boolean {
  const named = rule.host.startsWith('*.') ? host.endsWith(rule.host.slice(1)) : host === rule.host;
  return named && repoMatches(repo, rule.repos);
}
