// The link of a session and a worker of the contract that only listens: who acknowledges what, and when.
import { Server, ServerCredentials, type ServerDuplexStream, status } from '@grpc/grpc-js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../../src/actors/index.ts';
import { connectWorker } from '../../../src/adapters/worker/client.ts';
import { PROTOCOL_VERSION } from '../../../src/adapters/worker/fits.ts';
import {
  type AgentWorkerServiceServer,
  AgentWorkerServiceService,
  PermissionMode,
  type SessionOptions,
  type SessionRequest,
  type SessionResponse,
  SessionState,
  TurnOrigin,
} from '../../../src/adapters/worker/generated/claude_agent/v1/agent.ts';
import { workerLink } from '../../../src/adapters/worker/link.ts';
import { createLinkRegistry } from '../../../src/adapters/worker/registry.ts';

const LOG = 'log-1';
const LAST_SEQ = 7;
const SESSION = 'session/one';

interface Context {
  server: Server;
  port: number;
  /** What came over the streams after `attach`, and what waits for it. */
  heard: SessionRequest['request'][];
  onHeard: () => void;
}

const link = suite<Context>('worker link');

link.before.each(async (context) => {
  context.heard = [];
  context.onHeard = () => {};
  const unused = { code: status.UNIMPLEMENTED, details: 'not part of this test' };
  const service: AgentWorkerServiceServer = {
    session: (call) => listen(context, call),
    describe: (_call, callback) =>
      callback(null, {
        workerVersion: 'test',
        protocolVersion: PROTOCOL_VERSION,
        claudeCodeVersion: 'test',
        identity: 'here',
        credentialsPresent: true,
      }),
    listSessions: (_call, callback) => callback(unused),
    probe: (_call, callback) => callback(unused),
    runGit: (_call, callback) => callback(unused),
    getFile: (call) => call.emit('error', unused),
    readLogs: (_call, callback) => callback(unused),
  };
  context.server = new Server();
  context.server.addService(AgentWorkerServiceService, service);
  context.port = await new Promise((resolve, reject) =>
    context.server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    ),
  );
});
link.after.each(({ server }) => server.forceShutdown());

function listen(context: Context, call: ServerDuplexStream<SessionRequest, SessionResponse>): void {
  call.on('data', ({ request }: SessionRequest) => {
    if (request?.$case !== 'attach') {
      context.heard.push(request);
      context.onHeard();
      return;
    }
    const attached = {
      logId: LOG,
      agentSessionId: '',
      lastSeq: LAST_SEQ,
      state: SessionState.IDLE,
      historyLost: false,
      permissionMode: PermissionMode.DEFAULT,
      turnId: '',
      openRequestIds: [],
    };
    call.write({ seq: 0, firstSeq: 0, atMs: 1, response: { $case: 'attached', value: attached } });
    if (request.value.logId === LOG && request.value.afterSeq === LAST_SEQ) return;
    const turn = { turnId: 't', inputIds: [], origin: TurnOrigin.UNSPECIFIED, model: '' };
    const response = { $case: 'turnStarted', value: turn } as const;
    call.write({ seq: LAST_SEQ, firstSeq: LAST_SEQ, atMs: 1, response });
  });
  call.on('end', () => call.end());
  call.on('error', () => {});
}

/** Runs the link of a gateway that holds this much. @returns the first thing the worker hears after `attach`. */
async function firstHeard(context: Context, held: { logId: string; seq: number } | undefined) {
  const ending = new AbortController();
  const heard = new Promise<SessionRequest['request']>((resolve) => {
    context.onHeard = () => resolve(context.heard[0]);
  });
  const run = workerLink({
    registry: createLinkRegistry(),
    connect: async () => connectWorker(`127.0.0.1:${context.port}`, 'token'),
    clients: new Map(),
    optionsOf: () => options,
    resumePoint: async () => held,
    writtenRequests: () => [],
    appendOutputs: async ({ rows }) => rows.at(-1)?.seq ?? 0,
    now: () => 1,
  });
  const input = {
    session: SESSION,
    container: 'container/c',
    generation: 1,
    endpoint: '',
    identity: 'here',
    cwd: '/',
    resumeId: '',
    model: '',
    plan: false,
    review: false,
  };
  const task = { key: 'k', actor: SESSION, id: 'link', input } as const;
  const ended = run(task, { signal: ending.signal, term: 1, log: silentLog, emit: async () => {} });
  try {
    return await Promise.race([heard, ended.then(() => assert.unreachable('the link ended'))]);
  } finally {
    ending.abort();
    await ended;
  }
}

const options: SessionOptions = {
  cwd: '/',
  permissionMode: PermissionMode.DEFAULT,
  env: {},
  systemPromptAppend: '',
  resumeId: '',
  model: '',
  maxTurns: 0,
  spendingEveryMs: 0,
  toolPolicy: undefined,
};

link('what is committed is acknowledged', async (context) => {
  assert.equal(await firstHeard(context, undefined), { $case: 'ack', value: { seq: LAST_SEQ } });
});

link(
  'what a gateway committed before it died is acknowledged by the next one, though nothing new comes',
  async (context) => {
    assert.equal(await firstHeard(context, { logId: LOG, seq: LAST_SEQ }), { $case: 'ack', value: { seq: LAST_SEQ } });
  },
);

link('what was committed of another log is not acknowledged in this one', async (context) => {
  assert.equal(await firstHeard(context, { logId: 'before', seq: 3 }), { $case: 'ack', value: { seq: LAST_SEQ } });
});

link.run();
