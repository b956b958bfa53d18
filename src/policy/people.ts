/** Who may use the bot, and on which repositories. An empty list allows everybody in the team. */
import { assertNever } from '../machines/json.ts';

export interface Person {
  readonly id: string;
  /** User name, without `@`. */
  readonly name: string;
}

export type Permission = { readonly ok: true } | { readonly ok: false; readonly human: string };

export interface AccessRules {
  /** User names or ids. */
  readonly users: readonly string[];
  /** Patterns: `org/repo`, `org/*`, `org/prefix-*`. */
  readonly repos: readonly string[];
}

type Refusal = 'person' | 'repo';

/** @param repo what a `start` asks for; null for everything else */
export function mayUse(person: Person, repo: string | null, rules: AccessRules): Permission {
  if (!isListed(person, rules.users)) return refuse('person');
  if (repo !== null && !repoMatches(repo, rules.repos)) return refuse('repo');
  return { ok: true };
}

/** An empty list names everybody. */
export function isListed(person: Person, names: readonly string[]): boolean {
  return names.length === 0 || names.includes(person.id) || names.includes(person.name);
}

/** An empty list names every repository. */
export function repoMatches(repo: string, patterns: readonly string[]): boolean {
  return patterns.length === 0 || patterns.some((pattern) => matches(repo, pattern));
}

/** `*` stands for any characters within one part of the name; a lone `*` for every repository. Letter case does not count. */
function matches(repo: string, pattern: string): boolean {
  if (pattern === '*') return true;
  const expression = pattern
    .split('*')
    .map((part) => part.replace(/[.\\+?^${}()|[\]]/g, '\\$&'))
    .join('[^/]*');
  return new RegExp(`^${expression}$`, 'i').test(repo);
}

function refuse(what: Refusal): Permission {
  switch (what) {
    case 'person':
      return {
        ok: false,
        human: 'You are not on the list of people who may use this bot. Ask whoever runs it to add you.',
      };
    case 'repo':
      return {
        ok: false,
        human: 'This repository is not on the list of those that may be used here. Ask whoever runs this bot.',
      };
    default:
      return assertNever(what);
  }
}
