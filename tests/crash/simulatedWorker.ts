/**
 * An agent worker without Claude Code: the contract's server with simulated sessions. The gateway starts it like the real
 * one (`SM_WORKER_COMMAND`) and finds it again after it was killed itself.
 */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import pino from 'pino';
import { authInterceptor } from '../../agent-worker/src/auth.ts';
import {
  type AgentWorkerServiceServer,
  AgentWorkerServiceService,
  PermissionMode,
  type SessionOptions,
} from '../../agent-worker/src/generated/claude_agent/v1/agent.ts';
import { openSessionFolder, type SessionFolder } from '../../agent-worker/src/session/store.ts';
import type { Session } from '../../agent-worker/src/session/types.ts';
import { PROTOCOL_VERSION } from '../../agent-worker/src/worker/config.ts';
import type { Registry } from '../../agent-worker/src/worker/registry.ts';
import { sessionCall } from '../../agent-worker/src/worker/sessionCall.ts';
import { evidenceLog, type WriteDown } from './evidenceLog.ts';
import { simulatedSession } from './simulatedSession.ts';

const { values: flags } = parseArgs({
  strict: false,
  options: {
    'port-file': { type: 'string' },
    'state-dir': { type: 'string' },
    identity: { type: 'string' },
  },
});
const identity = String(flags.identity);
const stateDir = String(flags['state-dir']);
const write = evidenceLog(process.env.CSM_CRASH_EVIDENCE ?? '/dev/null');
const logger = pino({ level: 'warn' });
mkdirSync(stateDir, { recursive: true, mode: 0o700 });
// Field 22 of the kernel's line about this process: two processes that share a pid never share it.
const stat = readFileSync('/proc/self/stat', 'utf8');
const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
write({ what: 'started', pid: process.pid, startTime, identity });

const registry = simulatedSessions(stateDir, write);
const config = {
  listen: '127.0.0.1:0',
  stateDir,
  identity,
  tokenSha256: process.env.AGENT_WORKER_TOKEN_SHA256 ?? '',
  logFile: undefined,
  agentIdleMs: Number.MAX_SAFE_INTEGER,
  orphanGraceMs: Number.MAX_SAFE_INTEGER,
  historyGraceMs: 0,
  claudePath: undefined,
  runAs: undefined,
  tls: undefined,
  agentEnv: {},
  attachmentsDir: stateDir,
};
const unused = { code: status.UNIMPLEMENTED, details: 'not simulated' };
const service: AgentWorkerServiceServer = {
  session: sessionCall(registry, config, logger),
  listSessions: (_call, callback) => callback(null, { sessions: registry.list() }),
  describe: (_call, callback) =>
    callback(null, {
      workerVersion: 'simulated',
      protocolVersion: PROTOCOL_VERSION,
      claudeCodeVersion: 'simulated',
      identity,
      credentialsPresent: true,
    }),
  probe: ({ request: { host } }, callback) => {
    reaches(host).then((reachable) => callback(null, { reachable, error: '', elapsedMs: 1 }), callback);
  },
  runGit: (_call, callback) => callback(unused),
  getFile: (call) => call.emit('error', unused),
  readLogs: (_call, callback) => callback(null, { lines: [] }),
};
const server = new Server({ interceptors: [authInterceptor(config.tokenSha256)] });
server.addService(AgentWorkerServiceService, service);
server.bindAsync(config.listen, ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  writeFileSync(String(flags['port-file']), `${port}\n`);
});

process.on('SIGTERM', () => {
  registry.shutdown().then(() => process.exit(0), fail);
});

/** Whoever plays the firewall is asked, where somebody does. */
async function reaches(host: string): Promise<boolean> {
  const world = process.env.CSM_CRASH_PROBE;
  return world === undefined || (await fetch(`${world}/${host}`)).ok;
}

function fail(error: unknown): void {
  logger.error({ err: error }, 'the simulated worker cannot go on');
  process.exit(1);
}

function simulatedSessions(folder: string, writeDown: WriteDown): Registry {
  const sessions = new Map<string, Session>();
  return {
    get: (sessionId) => sessions.get(sessionId),
    create(sessionId, options) {
      if (!statSync(options.cwd, { throwIfNoEntry: false })?.isDirectory()) return { problem: 'cwd is no folder' };
      const session = open(sessionId, options);
      sessions.set(sessionId, session);
      return session;
    },
    update(session, options) {
      Object.assign(session.stored.options, options);
    },
    list: () => [...sessions.values()].map((session) => session.summary()),
    async shutdown() {
      await Promise.all([...sessions.values()].map((session) => session.shutdown()));
    },
  };

  function open(sessionId: string, options: SessionOptions): Session {
    const stored = {
      sessionId,
      options,
      agentSessionId: options.resumeId === '' ? `agent-${sessionId}` : options.resumeId,
      mode: PermissionMode.DEFAULT,
      term: 0,
      totalCostUsd: 0,
      historyLost: false,
      history: '',
    };
    const real = openSessionFolder(folder, sessionId, 'one boot');
    return simulatedSession(stored, watchedInputs(real, sessionId, writeDown), writeDown);
  }
}

/** The same folder, with every input written down that is taken on. */
function watchedInputs(folder: SessionFolder, session: string, writeDown: WriteDown): SessionFolder {
  return {
    ...folder,
    inputs: {
      ...folder.inputs,
      accept(inputId, kind) {
        folder.inputs.accept(inputId, kind);
        writeDown({ what: 'input', session, inputId });
      },
    },
  };
}
