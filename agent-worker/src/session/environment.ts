// The environment Claude Code runs in: the worker's own, without anything of the worker's, with the session's additions.
import { homedir } from 'node:os';
import { join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** Names that belong to the worker itself and never reach the agent. */
const WORKER_PREFIX = 'AGENT_WORKER_';

/** Marks every process of one agent, so that they can be found and ended whatever session or parent they have. */
export const MARK = 'CLAUDE_AGENT_MARK';

/** No telemetry, no update, no extra model calls: an agent reaches its model and nothing by itself. */
export const QUIET: Environment = {
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  DISABLE_TELEMETRY: '1',
  DISABLE_ERROR_REPORTING: '1',
  DISABLE_AUTOUPDATER: '1',
  DISABLE_BUG_COMMAND: '1',
};

const DEFAULTS: Environment = {
  // The newest models keep no visible task list without it.
  CLAUDE_CODE_ENABLE_TODO_TOOLS: '1',
  // A person may take days over a network request (milliseconds, one week).
  MCP_TOOL_TIMEOUT: '604800000',
};

/** @param own the worker's environment @param added what the session's options add; it cannot claim to be a sandbox */
export function agentEnvironment(own: Environment, added: Environment, mark: string): Record<string, string> {
  const merged: Record<string, string> = {};
  for (const source of [DEFAULTS, own, added, QUIET]) {
    for (const [name, value] of Object.entries(source)) {
      if (value === undefined || name.startsWith(WORKER_PREFIX)) continue;
      merged[name] = value;
    }
  }
  // Whether this is a sandbox is the operator's word alone, given to the worker.
  if (own.IS_SANDBOX === undefined) delete merged.IS_SANDBOX;
  else merged.IS_SANDBOX = own.IS_SANDBOX;
  merged[MARK] = mark;
  return merged;
}

/** Where Claude Code writes plan files in that environment. */
export function plansFolder(environment: Environment): string {
  const config = environment.CLAUDE_CONFIG_DIR || join(environment.HOME || homedir(), '.claude');
  return join(config, 'plans');
}
