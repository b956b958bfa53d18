#!/usr/bin/env node
// The command line of the agent worker.
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { messageOf } from './errors.ts';
import type { AgentUser } from './session/agentUser.ts';
import { readAgentEnv } from './worker/agentEnv.ts';
import { parseDuration, parseRunAs } from './worker/config.ts';
import { lockState, STATE_TAKEN_EXIT_CODE, StateTaken } from './worker/stateLock.ts';
import { WORKER_VERSION } from './worker/version.ts';

interface Flags {
  listen: string;
  portFile?: string;
  stateDir: string;
  attachmentsDir?: string;
  identity: string;
  tokenSha256?: string;
  tlsCert?: string;
  tlsKey?: string;
  agentIdle: number;
  orphanGrace: number;
  historyGrace: number;
  logFile?: string;
  claudePath?: string;
  runAs?: AgentUser;
  agentEnvStdin?: true;
}

function duration(flag: string, description: string, value: string): Option {
  return new Option(flag, description).argParser(parseDuration).default(parseDuration(value), value);
}

const program = new Command('agent-worker')
  .description('Serves Claude Code sessions over gRPC to the session manager.')
  .version(WORKER_VERSION)
  .option('--listen <host:port>', 'address to serve on; port 0 lets the system choose', '127.0.0.1:0')
  .option('--port-file <file>', 'file to write the bound port into')
  .option('--state-dir <folder>', 'where sessions are kept', join(homedir(), '.agent-worker'))
  .option('--attachments-dir <folder>', 'where attachments are written for agents to read')
  .option('--identity <text>', 'the workspace this worker is started for', '')
  .option('--token-sha256 <hex>', "SHA-256 of the gateway's token (or AGENT_WORKER_TOKEN_SHA256)")
  .option('--tls-cert <file>', 'serve with TLS and this certificate (PEM)')
  .option('--tls-key <file>', "the certificate's key (PEM)")
  .addOption(duration('--agent-idle <duration>', 'close an idle agent after this', '15m'))
  .addOption(duration('--orphan-grace <duration>', 'close a session without a stream after this', '30m'))
  .addOption(duration('--history-grace <duration>', 'after a lost memory, wait so long for what was said', '1m'))
  .option('--log-file <file>', 'write the log there instead of stderr')
  .option('--claude-path <file>', 'the Claude Code executable, instead of the one of the SDK')
  .option('--run-as <UID:GID[:GROUPS]>', 'start Claude Code as this user', parseRunAs)
  .option('--agent-env-stdin', "read the agents' environment from stdin instead of taking the worker's own");

program.action(async (flags: Flags) => {
  const tokenSha256 = (flags.tokenSha256 ?? process.env.AGENT_WORKER_TOKEN_SHA256 ?? '').toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(tokenSha256)) {
    program.error('--token-sha256 (or AGENT_WORKER_TOKEN_SHA256) must be 64 hexadecimal digits');
  }
  if ((flags.tlsCert === undefined) !== (flags.tlsKey === undefined)) {
    program.error('--tls-cert and --tls-key belong together');
  }
  const stateDir = resolve(flags.stateDir);
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  chmodSync(stateDir, 0o700);
  const unlock = lockState(stateDir);
  // With the answers to --version and --help this is not needed, and it takes a while.
  const [{ createLogger }, { startWorker }] = await Promise.all([
    import('./worker/logger.ts'),
    import('./worker/server.ts'),
  ]);
  const { logger, recent } = createLogger(flags.logFile);
  const worker = await startWorker(
    {
      listen: flags.listen,
      stateDir,
      identity: flags.identity,
      tokenSha256,
      tls: readTls(flags),
      logFile: flags.logFile,
      agentIdleMs: flags.agentIdle,
      orphanGraceMs: flags.orphanGrace,
      historyGraceMs: flags.historyGrace,
      claudePath: flags.claudePath,
      runAs: flags.runAs,
      agentEnv: flags.agentEnvStdin ? readAgentEnv() : process.env,
      attachmentsDir: resolve(flags.attachmentsDir ?? defaultAttachmentsDir(stateDir, flags.runAs)),
    },
    logger,
    recent,
  );
  if (flags.portFile !== undefined) writeFileSync(flags.portFile, `${worker.port}\n`);
  process.stdout.write(`${JSON.stringify({ port: worker.port })}\n`);
  logger.info({ port: worker.port, version: WORKER_VERSION, identity: flags.identity }, 'serving');

  let stopping = false;
  const stop = (signal: string) => {
    if (stopping) return;
    stopping = true;
    logger.info({ signal }, 'stopping');
    worker.stop().then(
      () => {
        unlock();
        process.exit(0);
      },
      (error: unknown) => {
        logger.error({ error: messageOf(error) }, 'could not stop in order');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
});

function readTls({ tlsCert, tlsKey }: Flags): { certificate: Buffer; key: Buffer } | undefined {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  return { certificate: readFileSync(tlsCert), key: readFileSync(tlsKey) };
}

/** A folder in /tmp could be made by the agent's user first. */
function defaultAttachmentsDir(stateDir: string, runAs: AgentUser | undefined): string {
  return runAs ? `${stateDir}-attachments` : join(tmpdir(), 'agent-attachments');
}

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(error instanceof StateTaken ? STATE_TAKEN_EXIT_CODE : 1);
});
