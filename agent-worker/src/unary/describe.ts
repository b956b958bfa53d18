// Who this worker is.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { handleUnaryCall } from '@grpc/grpc-js';
import type { DescribeRequest, DescribeResponse } from '../generated/claude_agent/v1/agent.ts';
import { PROTOCOL_VERSION, type WorkerConfig } from '../worker/config.ts';
import { WORKER_VERSION } from '../worker/version.ts';

export function describeCall(config: WorkerConfig): handleUnaryCall<DescribeRequest, DescribeResponse> {
  let version: Promise<string> | undefined;
  return (_call, callback) => {
    version ??= claudeVersion(config.claudePath);
    version.then((claudeCodeVersion) => {
      callback(null, {
        workerVersion: WORKER_VERSION,
        protocolVersion: PROTOCOL_VERSION,
        claudeCodeVersion,
        identity: config.identity,
        credentialsPresent: credentialsPresent(config.agentEnv),
      });
    }, callback);
  };
}

/** Whether Claude Code will find something to sign in with. Says nothing about whether it is still valid. */
export function credentialsPresent(env: Readonly<Record<string, string | undefined>>): boolean {
  const named = [
    'ANTHROPIC_API_KEY',
    'ANTHROPIC_AUTH_TOKEN',
    'CLAUDE_CODE_OAUTH_TOKEN',
    'CLAUDE_CODE_USE_BEDROCK',
    'CLAUDE_CODE_USE_VERTEX',
  ];
  if (named.some((name) => env[name])) return true;
  return existsSync(join(env.CLAUDE_CONFIG_DIR || join(env.HOME || homedir(), '.claude'), '.credentials.json'));
}

/** What `claude --version` says; empty if it cannot be run. */
function claudeVersion(claudePath: string | undefined): Promise<string> {
  const command = claudePath ?? bundledClaude();
  if (command === undefined) return Promise.resolve('');
  return new Promise((resolve) => {
    execFile(command, ['--version'], { timeout: 10_000 }, (error, stdout) => {
      resolve(error ? '' : (stdout.trim().split(' ')[0] ?? ''));
    });
  });
}

/** The binary the SDK uses when it is told no other: it lies in a package of its own per platform. */
function bundledClaude(): string | undefined {
  const require = createRequire(import.meta.url);
  for (const libc of ['', '-musl']) {
    try {
      const sdk = createRequire(require.resolve('@anthropic-ai/claude-agent-sdk'));
      const name = `@anthropic-ai/claude-agent-sdk-${process.platform}-${process.arch}${libc}`;
      return join(dirname(sdk.resolve(`${name}/package.json`)), 'claude');
    } catch {
      // Not installed for this C library; the other one is tried.
    }
  }
  return undefined;
}
