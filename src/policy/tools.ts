/** What an agent may do without asking. */
import { LOOKING, rulesFor, type ToolRules } from './toolRules.ts';

export interface ToolPolicy {
  readonly otherwise: 'allow' | 'ask' | 'deny';
  readonly allow: readonly string[];
  readonly ask: readonly string[];
  readonly deny: readonly string[];
}

/** Tools that change files. A reviewer has none of them. */
const WRITING_TOOLS = ['Write', 'Edit', 'MultiEdit', 'NotebookEdit'];

/** Tools that change nothing, and those that only lead to others, each of which is judged by itself. */
const READING_TOOLS = [
  ...['Glob', 'Grep', 'LS', 'NotebookRead', 'Read', 'ReportFindings', 'ToolSearch'],
  ...['TaskCreate', 'TaskGet', 'TaskList', 'TaskOutput', 'TaskStop', 'TaskUpdate', 'TodoWrite'],
  ...['Agent', 'ListAgents', 'Task', 'EnterPlanMode'],
];

export interface ToolPolicyWish {
  /** What there is no rule about: `ask` people, or `allow`. */
  readonly mode: 'ask' | 'allow';
  /** A reviewer reads: it can be asked nothing that changes something, so no person can let it by mistake. */
  readonly review: boolean;
  readonly repo: string;
  readonly rules: ToolRules;
}

export function toolPolicy({ mode, review, repo, rules }: ToolPolicyWish): ToolPolicy {
  const [allow, ask, deny] = [rules.allow, rules.ask, rules.deny].map((some) => rulesFor(some, repo));
  if (!review) return { otherwise: mode, allow: allow ?? [], ask: ask ?? [], deny: deny ?? [] };
  return {
    otherwise: 'deny',
    allow: [...READING_TOOLS, LOOKING],
    ask: ['WebFetch'],
    deny: [...WRITING_TOOLS, ...(deny ?? []), ...(ask ?? [])],
  };
}
