// One living Claude Code process: `query()` in streaming-input mode with everything it needs, from start to the end of
// its whole process tree. What its messages mean is the mapper's business.
import type { ChildProcess } from 'node:child_process';
import type { randomUUID } from 'node:crypto';
import {
  type CanUseTool,
  type HookCallback,
  type McpSdkServerConfigWithInstance,
  type Options,
  query,
  type SDKUserMessage,
  type SpawnedProcess,
  type SpawnOptions,
} from '@anthropic-ai/claude-agent-sdk';
import type { RepositoryTrust } from '../policy.ts';
import { type AgentUser, spawnAs } from './agentUser.ts';
import { endProcesses, processesOf } from './processes.ts';
import { createPushQueue } from './pushQueue.ts';
import { withoutStrayRepositories } from './strayRepositories.ts';

/** Tools that are never offered: they leave the session's folder, start turns by themselves or go around the firewall. */
export const NOT_OFFERED: readonly string[] = [
  'WebSearch',
  'CronCreate',
  'CronDelete',
  'CronList',
  'ScheduleWakeup',
  'EnterWorktree',
  'ExitWorktree',
];

export interface AgentStart {
  cwd: string;
  environment: Record<string, string>;
  /** The mark its environment carries. */
  mark: string;
  systemPromptAppend: string;
  /** Empty: a fresh conversation. */
  resumeId: string;
  /** Empty: Claude Code's own choice. */
  model: string;
  /** 0: no limit. */
  maxTurns: number;
  plan: boolean;
  /** What the repository makes Claude Code itself run. */
  trust: RepositoryTrust;
  claudePath: string | undefined;
  runAs: AgentUser | undefined;
  canUseTool: CanUseTool;
  preToolUse: HookCallback;
  ownTools: McpSdkServerConfigWithInstance;
}

export interface AgentHandlers {
  onMessage(message: unknown): void;
  /** Exactly once, after the last message and when its processes are gone. */
  onEnd(error: string): void;
  onStderr(line: string): void;
}

export interface Agent {
  push(message: SDKUserMessage): void;
  interrupt(): Promise<void>;
  setPlanMode(plan: boolean): Promise<void>;
  setModel(model: string): Promise<void>;
  /** What this process has cost so far, in USD. Never rejects: undefined where it cannot be asked. */
  spent(): Promise<number | undefined>;
  /** Ends it in an orderly way (totals are saved), by force after a few seconds. Resolves when it has ended. */
  close(): Promise<void>;
}

/** How long an orderly end may take before it is forced, milliseconds. The SDK itself allows about 2 s. */
const CLOSE_GRACE_MS = 5_000;
const STDERR_TAIL = 2_000;

/** Starts the agent. Failing to start shows as its end, never as an exception. */
export function startAgent(start: AgentStart, handlers: AgentHandlers): Agent {
  const input = createPushQueue<SDKUserMessage>();
  let child: ChildProcess | undefined;
  let stderrTail = '';

  /** Only while it surely is ours: a dead process's number may belong to another one. */
  const livingPid = () => (child && child.exitCode === null && child.signalCode === null ? child.pid : undefined);

  const onStderr = (data: string) => {
    stderrTail = (stderrTail + data).slice(-STDERR_TAIL);
    handlers.onStderr(data);
  };
  const running = query({
    prompt: input,
    options: toOptions(start, onStderr, (spawned) => {
      child = spawned;
    }),
  });

  const ended = run();

  async function run(): Promise<void> {
    let error = '';
    try {
      for await (const message of running) handlers.onMessage(message);
    } catch (cause) {
      error = cause instanceof Error ? cause.message : String(cause);
    }
    input.end();
    // Before anyone hears of the end: the next agent of the session carries the same mark.
    endProcesses(processesOf(start.mark, livingPid()));
    if (error !== '' && stderrTail !== '' && !error.includes(stderrTail.trim()))
      error = `${error}\n${stderrTail.trim()}`;
    handlers.onEnd(error);
  }

  return {
    push: (message) => input.push(message),
    async interrupt() {
      await running.interrupt();
    },
    setPlanMode: (plan) => running.setPermissionMode(plan ? 'plan' : 'default'),
    setModel: (model) => running.setModel(model === '' ? undefined : model),
    spent: async () => {
      try {
        // The SDK may change it at any time, as its name says; then caps hold at the end of turns only.
        const { session } = await running.usage_EXPERIMENTAL_MAY_CHANGE_DO_NOT_RELY_ON_THIS_API_YET({
          skipBehaviors: true,
        });
        return typeof session.total_cost_usd === 'number' ? session.total_cost_usd : undefined;
      } catch {
        return undefined;
      }
    },
    async close() {
      // Taken while the parentage still shows who belongs to it.
      const known = processesOf(start.mark, livingPid());
      input.end();
      running.close();
      const timer = setTimeout(() => endProcesses(known), CLOSE_GRACE_MS);
      await ended;
      clearTimeout(timer);
      endProcesses(known);
    },
  };
}

/** A prompt or command as the SDK takes it; its uuid pairs it with the turn that answers it. */
export function userMessage(
  uuid: ReturnType<typeof randomUUID>,
  content: SDKUserMessage['message']['content'],
): SDKUserMessage {
  return { type: 'user', message: { role: 'user', content }, parent_tool_use_id: null, uuid };
}

/** Where Claude Code finds its model if nothing else is said. */
const MODEL_URL = 'https://api.anthropic.com';

function toOptions(start: AgentStart, stderr: (data: string) => void, onSpawn: (child: ChildProcess) => void): Options {
  return {
    cwd: start.cwd,
    env: start.environment,
    systemPrompt:
      start.systemPromptAppend === ''
        ? { type: 'preset', preset: 'claude_code' }
        : { type: 'preset', preset: 'claude_code', append: start.systemPromptAppend },
    settingSources: ['user', 'project', 'local'],
    // Before those of the repository, which could have the agent's key sent to a place of their own.
    settings: {
      env: { ANTHROPIC_BASE_URL: start.environment.ANTHROPIC_BASE_URL ?? MODEL_URL },
      ...(start.trust.inlineShell ? {} : { disableSkillShellExecution: true }),
    },
    includePartialMessages: true,
    // Never bypass: the hook allows what the policy allows, so nothing depends on a mode that root may not use.
    permissionMode: start.plan ? 'plan' : 'default',
    canUseTool: start.canUseTool,
    hooks: { PreToolUse: [{ hooks: [start.preToolUse] }] },
    mcpServers: { session_manager: start.ownTools },
    disallowedTools: [...NOT_OFFERED],
    stderr,
    spawnClaudeCodeProcess: (options) => spawnClaude(options, start, stderr, onSpawn),
    ...(start.trust.programs ? {} : withoutPrograms(start)),
    ...(start.resumeId === '' ? {} : { resume: start.resumeId }),
    ...(start.model === '' ? {} : { model: start.model }),
    ...(start.maxTurns === 0 ? {} : { maxTurns: start.maxTurns }),
    ...(start.claudePath === undefined ? {} : { pathToClaudeCodeExecutable: start.claudePath }),
  };
}

/**
 * Nothing of the repository's own settings: they name hooks, servers, helpers and variables, such as a PATH in which `ls` is a
 * program of theirs. Its instructions (CLAUDE.md) are read all the same. Our own hook is not one of those that are off.
 */
function withoutPrograms({ cwd, environment }: AgentStart): Options {
  return {
    settingSources: ['user'],
    strictMcpConfig: true,
    additionalDirectories: [cwd],
    env: { ...withoutStrayRepositories(environment), CLAUDE_CODE_ADDITIONAL_DIRECTORIES_CLAUDE_MD: '1' },
  };
}

/** Spawns Claude Code itself, under another user if so configured. */
function spawnClaude(
  options: SpawnOptions,
  start: AgentStart,
  stderr: (data: string) => void,
  onSpawn: (child: ChildProcess) => void,
): SpawnedProcess {
  const child = spawnAs(start.runAs, options.command, options.args, {
    cwd: options.cwd,
    env: options.env,
    signal: options.signal,
    windowsHide: true,
  });
  child.stderr.setEncoding('utf8').on('data', stderr);
  onSpawn(child);
  return child;
}
