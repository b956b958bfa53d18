// Which tools the agent may use. Decided in a PreToolUse hook for every call, because permission rules alone can be
// loosened by a settings file in the repository, which the agent itself may write.
import { ToolDecision, type ToolPolicy } from './generated/claude_agent/v1/agent.ts';
import { looksOnly } from './looking.ts';
import { type JsonRecord, text } from './mapping/json.ts';

export type Verdict = 'allow' | 'ask' | 'deny';

export interface Ruling {
  verdict: Verdict;
  /** For the agent and the log: the rule that decided. */
  reason: string;
}

/** Tools that change nothing and reach nobody: not worth a question when the policy says "ask" about the rest. */
export const READ_ONLY_TOOLS: ReadonlySet<string> = new Set([
  'Glob',
  'Grep',
  'LS',
  'ListAgents',
  'NotebookRead',
  'Read',
  'ReportFindings',
  'TaskCreate',
  'TaskGet',
  'TaskList',
  'TaskOutput',
  'TaskUpdate',
  'TodoWrite',
  'ToolSearch',
]);

/** Tools that only lead to other tools, each of which is decided by itself. */
const LEADING_TOOLS: ReadonlySet<string> = new Set(['Agent', 'EnterPlanMode', 'Skill', 'Task', 'TaskStop']);

/** Runs a command in the background and tells the agent what it prints. */
const MONITOR = 'Monitor';

/** A rule of its own: every command that is known to change nothing. */
export const LOOKING = 'Bash(:looking)';

/** This worker's own tools, by their whole names: a repository's MCP server may be called `session_manager__x`. */
export const OWN_TOOLS: ReadonlySet<string> = new Set([
  'mcp__session_manager__request_network_access',
  'mcp__session_manager__send_file',
]);

/**
 * Deny first, then ask, then allow, then what the policy says about everything else ("ask" if it says nothing).
 * @param cwd where the agent's shell is; absolute
 */
export function decideTool(policy: ToolPolicy | undefined, tool: string, input: JsonRecord, cwd: string): Ruling {
  if (OWN_TOOLS.has(tool)) return { verdict: 'allow', reason: 'a tool of the session manager' };
  // A checkout or a machine of its own: neither is the one that people and the firewall know.
  if (isAgent(tool) && text(input.isolation) !== '') {
    return { verdict: 'deny', reason: 'Agents work in this checkout: leave `isolation` out.' };
  }
  // It runs a command, too, and what is said about commands holds for that.
  if (tool === MONITOR && text(input.command) !== '') {
    const ruling = decideTool(policy, 'Bash', { command: input.command }, cwd);
    if (ruling.verdict !== 'allow') return ruling;
  }
  const denied = policy?.deny.find((rule) => matchesAny(rule, tool, input));
  if (denied !== undefined) return { verdict: 'deny', reason: `denied by the rule ${denied}` };
  const asked = policy?.ask.find((rule) => matchesAny(rule, tool, input));
  if (asked !== undefined) return { verdict: 'ask', reason: `the rule ${asked} wants a person's word` };
  if (policy && allows(policy.allow, tool, input, cwd)) return { verdict: 'allow', reason: 'allowed by a rule' };
  switch (policy?.otherwise) {
    case ToolDecision.ALLOW:
      return { verdict: 'allow', reason: 'allowed by default' };
    case ToolDecision.DENY:
      return { verdict: 'deny', reason: 'no rule allows it' };
    default:
      return READ_ONLY_TOOLS.has(tool) || LEADING_TOOLS.has(tool)
        ? { verdict: 'allow', reason: 'it changes nothing' }
        : { verdict: 'ask', reason: 'no rule allows it' };
  }
}

export interface RepositoryTrust {
  /** Commands that stand in the text of its slash commands and skills. */
  readonly inlineShell: boolean;
  /** Its hooks, MCP servers and helpers, with the variables that it sets. */
  readonly programs: boolean;
}

/**
 * What Claude Code runs by itself because the repository says so goes through no hook of ours and asks nobody. So commands in
 * texts need a policy that lets every command by, and whoever may only read (a reviewer) runs none of its programs.
 */
export function repositoryTrust(policy: ToolPolicy | undefined): RepositoryTrust {
  const rules = [...(policy?.deny ?? []), ...(policy?.ask ?? [])];
  return {
    inlineShell: policy?.otherwise === ToolDecision.ALLOW && !rules.some((rule) => parseRule(rule).name.test('Bash')),
    programs: policy?.otherwise !== ToolDecision.DENY,
  };
}

function isAgent(tool: string): boolean {
  return tool === 'Agent' || tool === 'Task';
}

/** A rule that forbids or asks holds as soon as any part of a compound command matches it. */
function matchesAny(rule: string, tool: string, input: JsonRecord): boolean {
  const { name, pattern } = parseRule(rule);
  if (!name.test(tool)) return false;
  if (!pattern) return true;
  const argument = mainArgument(tool, input);
  return [argument, ...commandParts(tool, argument)].some((part) => pattern.test(part));
}

/**
 * A rule that allows must cover every part of a compound command, and never a command whose parts cannot be told apart
 * (substitutions, redirections).
 */
function allows(rules: readonly string[], tool: string, input: JsonRecord, cwd: string): boolean {
  if (tool === 'Bash' && rules.includes(LOOKING) && looksOnly(text(input.command), cwd)) return true;
  const fitting = rules
    .filter((rule) => rule !== LOOKING)
    .map(parseRule)
    .filter((rule) => rule.name.test(tool));
  if (fitting.some((rule) => !rule.pattern)) return true;
  const argument = mainArgument(tool, input);
  const parts = commandParts(tool, argument);
  if (tool === 'Bash' && /[`<>]|\$\(/.test(argument)) return false;
  const all = parts.length > 0 ? parts : [argument];
  return all.every((part) => fitting.some((rule) => rule.pattern?.test(part)));
}

function commandParts(tool: string, command: string): string[] {
  if (tool !== 'Bash') return [];
  return command
    .split(/&&|\|\||[;|&\n]/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

const ARGUMENTS: Readonly<Record<string, string>> = {
  Agent: 'subagent_type',
  Bash: 'command',
  Edit: 'file_path',
  Glob: 'pattern',
  Grep: 'pattern',
  NotebookEdit: 'notebook_path',
  Read: 'file_path',
  Skill: 'skill',
  Task: 'subagent_type',
  WebFetch: 'url',
  WebSearch: 'query',
  Write: 'file_path',
};

/** What a rule's glob is matched against: the command, path or URL; for other tools the whole input as JSON. */
export function mainArgument(tool: string, input: JsonRecord): string {
  const key = ARGUMENTS[tool];
  return key === undefined ? JSON.stringify(input) : text(input[key]);
}

function parseRule(rule: string): { name: RegExp; pattern: RegExp | undefined } {
  const match = /^([^(]+)\(([\s\S]*)\)$/.exec(rule.trim());
  const [, name, pattern] = match ?? [rule, rule.trim(), undefined];
  return { name: glob(name ?? ''), pattern: pattern === undefined ? undefined : glob(pattern) };
}

/** `*` is any text, `?` any one character; everything else stands for itself. */
function glob(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '[\\s\\S]*')
    .replace(/\?/g, '[\\s\\S]');
  return new RegExp(`^${source}$`);
}
