/**
 * The operator's rules about tools, by tool, argument and repository.
 *
 *     allow:
 *       - Bash(:looking)
 *       - Bash(npm test*)
 *     ask:
 *       - tool: Bash(git push*)
 *         repos: [acme/*]
 *         why: pushes go through a person
 *     deny:
 *       - WebFetch
 *
 * `deny` wins over `ask`, and `ask` over `allow`. A rule is the name of a tool, with a pattern for its argument in brackets: the
 * command, the path, the address, or the whole input as JSON. `*` stands for any text, `?` for one character.
 */
import { parse } from 'yaml';
import { z } from 'zod';
import { repoMatches } from './people.ts';
import { placeOf } from './place.ts';

export interface ToolRule {
  /** As the worker reads it: `Bash(git push*)`. */
  readonly tool: string;
  /** Repository patterns; empty: all. */
  readonly repos: readonly string[];
  readonly why: string;
}

export interface ToolRules {
  readonly allow: readonly ToolRule[];
  readonly ask: readonly ToolRule[];
  readonly deny: readonly ToolRule[];
}

export const NO_RULES: ToolRules = { allow: [], ask: [], deny: [] };

export type ToolRulesFile =
  | { readonly ok: true; readonly rules: ToolRules }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Every command that is known to change nothing. */
export const LOOKING = 'Bash(:looking)';

const SHAPE = /^([A-Za-z_*?][A-Za-z0-9_*?-]*)(?:\((.+)\))?$/su;
/** A person answers these, whatever rules say. */
const PERSONS = ['AskUserQuestion', 'ExitPlanMode'];
const OWN = 'mcp__session_manager__';

/** What is wrong with a rule; undefined: nothing. */
function problemOf(rule: string): string | undefined {
  const [, name, pattern = ''] = SHAPE.exec(rule) ?? [];
  if (name === undefined) return 'must be a tool, like `WebFetch`, or a tool with a pattern, like `Bash(npm test*)`';
  if (rule.length > 500) return 'must have at most 500 characters';
  if (PERSONS.includes(name)) return `${name} is always answered by a person`;
  if (name.startsWith(OWN)) return 'the tools of the session manager are always allowed';
  if (pattern.startsWith(':') && rule !== LOOKING) return `there is no \`${pattern}\`; only \`${LOOKING}\` begins so`;
  return undefined;
}

const tool = z.string('must be the name of a tool').transform((raw, context) => {
  const rule = raw.trim();
  const problem = problemOf(rule);
  if (problem === undefined) return rule;
  context.issues.push({ code: 'custom', message: problem, input: raw });
  return z.NEVER;
});

const repo = z.string().regex(/^(\*|[A-Za-z0-9_.*-]+\/[A-Za-z0-9_.*-]+)$/, 'must be `org/repo`, `org/*` or `*`');

const rule = z.preprocess(
  (value) => (typeof value === 'string' ? { tool: value } : value),
  z.strictObject({
    tool,
    repos: z.array(repo).default([]),
    why: z.string().max(200, 'must be at most 200 characters').default(''),
  }),
);
const rules = z.preprocess((value) => value ?? [], z.array(rule, 'must be a list of rules'));
const file = z.strictObject(
  { allow: rules, ask: rules, deny: rules },
  { error: ({ code }) => (code === 'unrecognized_keys' ? undefined : 'must have `allow:`, `ask:` or `deny:`') },
);

/** Reads the text of the file. Every problem is named with its place; nothing of a faulty file is used. */
export function readToolRules(text: string): ToolRulesFile {
  let content: unknown;
  try {
    content = parse(text, { maxAliasCount: 0 });
  } catch (error) {
    return { ok: false, problems: [error instanceof Error ? error.message.trim() : 'it is not YAML'] };
  }
  const read = file.safeParse(content ?? {});
  if (read.success) return { ok: true, rules: read.data };
  return { ok: false, problems: read.error.issues.map(({ path, message }) => `${placeOf(path)}${message}`) };
}

/** The rules of one kind that hold for a repository, as the worker reads them. */
export function rulesFor(some: readonly ToolRule[], repository: string): string[] {
  return some.filter(({ repos }) => repoMatches(repository, repos)).map((each) => each.tool);
}
