// Read-only git in a session's folder. The repository belongs to the agent, so nothing in it may choose a program: no
// pager, hooks, fsmonitor, external diff or text conversion.
import { execFile } from 'node:child_process';
import { type handleUnaryCall, status } from '@grpc/grpc-js';
import { GitCommand, type RunGitRequest, type RunGitResponse } from '../generated/claude_agent/v1/agent.ts';
import type { WorkerConfig } from '../worker/config.ts';
import type { Registry } from '../worker/registry.ts';

/** Characters of output that are sent. */
const OUTPUT_LIMIT = 200_000;
const TIMEOUT_MS = 20_000;

const COMMANDS: Readonly<Partial<Record<GitCommand, readonly string[]>>> = {
  [GitCommand.STATUS]: ['status', '--porcelain=v1', '--branch', '--untracked-files=normal'],
  [GitCommand.DIFF]: ['diff', '--no-ext-diff', '--no-textconv', '--no-color', 'HEAD'],
  [GitCommand.LOG]: ['log', '--no-color', '--max-count=30', '--format=%h %an %ad %s', '--date=iso-strict'],
  [GitCommand.UNPUSHED]: [
    'log',
    '--no-color',
    '--max-count=100',
    '--format=%h %an %ad %s',
    '--date=iso-strict',
    '--branches',
    '--not',
    '--remotes',
  ],
};

const SAFE = [
  '--no-pager',
  '-c',
  'core.hooksPath=/dev/null',
  '-c',
  'core.fsmonitor=false',
  '-c',
  'diff.external=',
  '-c',
  'log.showSignature=false',
];

export function runGitCall(registry: Registry, config: WorkerConfig): handleUnaryCall<RunGitRequest, RunGitResponse> {
  return (call, callback) => {
    const session = registry.get(call.request.sessionId);
    const command = COMMANDS[call.request.command];
    if (!session) callback({ code: status.NOT_FOUND, details: 'The session is unknown.' });
    else if (!command) callback({ code: status.INVALID_ARGUMENT, details: 'The command is unknown.' });
    else {
      execFile(
        'git',
        [...SAFE, ...command],
        {
          cwd: session.stored.options.cwd,
          env: {
            PATH: config.agentEnv.PATH ?? '',
            HOME: config.agentEnv.HOME ?? '',
            LC_ALL: 'C.UTF-8',
            GIT_OPTIONAL_LOCKS: '0',
            GIT_TERMINAL_PROMPT: '0',
            GIT_CONFIG_NOSYSTEM: '1',
          },
          timeout: TIMEOUT_MS,
          maxBuffer: 64 * 1024 * 1024,
          ...(config.runAs ? { uid: config.runAs.uid, gid: config.runAs.gid } : {}),
        },
        (error, stdout, stderr) => {
          if (error) {
            callback({ code: status.FAILED_PRECONDITION, details: stderr.trim().slice(0, 1_000) || error.message });
            return;
          }
          callback(null, { output: stdout.slice(0, OUTPUT_LIMIT), truncated: stdout.length > OUTPUT_LIMIT });
        },
      );
    }
  };
}
