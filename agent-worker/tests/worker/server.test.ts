// The server without an agent: who may call, how a stream begins, who holds a session, and the unary calls.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { credentials, type Metadata, makeClientConstructor, type ServiceError, status } from '@grpc/grpc-js';
import { suite } from 'uvu';
import type {
  AgentWorkerServiceClient,
  DescribeResponse,
  GetFileResponse,
  GitCommand,
  ListSessionsResponse,
  ProbeResponse,
  ReadLogsResponse,
  RunGitResponse,
} from '../../src/generated/claude_agent/v1/agent.ts';
import { attach, bearer, connect, options, wrap } from '../support/client.ts';
import {
  makePlace,
  type Place,
  startWorkerProcess,
  TOKEN_SHA256,
  type WorkerProcess,
} from '../support/workerProcess.ts';

interface Context {
  place: Place;
  worker: WorkerProcess;
  client: AgentWorkerServiceClient;
}
const test = suite<Context>('worker server');

test.before(async (context) => {
  context.place = makePlace();
  context.worker = await startWorkerProcess({ place: context.place, args: ['--identity', 'repo@main#1'] });
  context.client = connect(context.worker.port);
});
test.after(async (context) => {
  context.client.close();
  await context.worker.stop();
  context.place.remove();
});

type Done<Response> = (error: ServiceError | null, response: Response) => void;

function call<Response>(
  method: (metadata: Metadata, done: Done<Response>) => unknown,
  token?: string,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    method(bearer(token), (error, response) => (error ? reject(error) : resolve(response)));
  });
}

async function codeOf(promise: Promise<unknown>): Promise<status> {
  try {
    await promise;
  } catch (error) {
    return (error as ServiceError).code;
  }
  return status.OK;
}

test('a call without the token, or with another one, is refused', async ({ client }) => {
  const describe = (token: string) =>
    codeOf(call<DescribeResponse>((metadata, done) => client.describe({}, metadata, done), token));
  assert.equal(await describe('wrong'), status.UNAUTHENTICATED);
  assert.equal(await describe(''), status.UNAUTHENTICATED);
  assert.equal(
    await describe(TOKEN_SHA256),
    status.UNAUTHENTICATED,
    'the hash, which the container knows, opens nothing',
  );
  const stream = wrap(client.session(bearer('wrong')));
  assert.equal((await stream.waitForError()).code, status.UNAUTHENTICATED);
  assert.deepEqual(stream.responses, []);
});

test('health can be asked by anyone', async ({ worker }) => {
  const { service } = await import('grpc-health-check');
  const Health = makeClientConstructor(service, 'grpc.health.v1.Health');
  const health = new Health(`127.0.0.1:${worker.port}`, credentials.createInsecure());
  const check = health.check?.bind(health);
  assert.ok(check);
  const answer = await new Promise((resolve, reject) => {
    check({ service: 'claude_agent.v1.AgentWorkerService' }, (error: Error | null, response: unknown) =>
      error ? reject(error) : resolve(response),
    );
  });
  assert.deepEqual(answer, { status: 'SERVING' });
  health.close();
});

test('the worker says who it is', async ({ client }) => {
  const described = await call<DescribeResponse>((metadata, done) => client.describe({}, metadata, done));
  assert.equal(described.identity, 'repo@main#1');
  assert.equal(described.protocolVersion, 1);
  assert.match(described.claudeCodeVersion, /^2\./);
  assert.equal(described.credentialsPresent, true);
});

test('the headers come before anything is said', async ({ client }) => {
  const session = client.session(bearer());
  session.on('error', () => undefined);
  await new Promise((resolve) => session.once('metadata', resolve));
  session.cancel();
});

test('a stream that does not begin with Attach is refused', async ({ client }) => {
  const stream = wrap(client.session(bearer()));
  stream.prompt('i', 'hello');
  assert.equal((await stream.waitForError()).code, status.FAILED_PRECONDITION);
});

test('an unknown session without options is not found, and bad options are refused', async ({ client, place }) => {
  assert.equal((await attach(client, { sessionId: 'nobody' }).waitForError()).code, status.NOT_FOUND);
  const nowhere = attach(client, { sessionId: 'x', create: options('/does/not/exist') });
  assert.equal((await nowhere.waitForError()).code, status.INVALID_ARGUMENT);
  const outside = attach(client, { sessionId: '../x', create: options(place.workspace) });
  assert.equal((await outside.waitForError()).code, status.INVALID_ARGUMENT);
});

test('an equal or higher term takes the session over, a lower one is refused', async ({ client, place }) => {
  const create = options(place.workspace);
  const first = attach(client, { sessionId: 'term', term: 5, create });
  const { logId } = await first.wait('attached');
  const second = attach(client, { sessionId: 'term', term: 5 });
  assert.equal((await second.wait('attached')).logId, logId);
  assert.equal((await first.waitForError()).code, status.ABORTED);
  const lower = attach(client, { sessionId: 'term', term: 4 });
  assert.equal((await lower.waitForError()).code, status.ABORTED);
  assert.deepEqual(lower.responses, []);
  const higher = attach(client, { sessionId: 'term', term: 6 });
  await higher.wait('attached');
  assert.equal((await second.waitForError()).code, status.ABORTED);
  higher.close();
});

test('sessions are listed with what they are doing', async ({ client, place }) => {
  const stream = attach(client, { sessionId: 'listed', create: options(place.workspace) });
  const { logId } = await stream.wait('attached');
  const { sessions } = await call<ListSessionsResponse>((metadata, done) => client.listSessions({}, metadata, done));
  assert.deepEqual(
    sessions.find((session) => session.sessionId === 'listed'),
    { sessionId: 'listed', logId, state: 'SESSION_STATE_ASLEEP', agentSessionId: '', lastSeq: 0, attached: true },
  );
  stream.close();
});

test('inputs that cannot take effect are refused by code, and a repeated one is a duplicate', async ({
  client,
  place,
}) => {
  const stream = attach(client, { sessionId: 'inputs', create: options(place.workspace) });
  stream.send({ $case: 'interrupt', value: { inputId: 'i1', turnId: 'none' } });
  assert.equal((await stream.wait('inputRefused')).code, 'NO_SUCH_TURN');
  const decision = {
    inputId: 'i2',
    requestId: 'none',
    inputDigest: '',
    outcome: 'DECISION_OUTCOME_APPROVED',
    message: '',
    answers: {},
    proven: false,
  } as const;
  stream.send({ $case: 'decision', value: decision });
  assert.equal((await stream.wait('inputRefused', (refused) => refused.inputId === 'i2')).code, 'NO_SUCH_REQUEST');
  stream.send({ $case: 'setPermissionMode', value: { inputId: 'i3', mode: 'PERMISSION_MODE_UNSPECIFIED' } });
  assert.equal((await stream.wait('inputRefused', (refused) => refused.inputId === 'i3')).code, 'NO_SUCH_MODE');
  for (const duplicate of [false, true]) {
    stream.send({ $case: 'setPermissionMode', value: { inputId: 'i4', mode: 'PERMISSION_MODE_PLAN' } });
    await stream.wait('inputAccepted', (accepted) => accepted.inputId === 'i4' && accepted.duplicate === duplicate);
  }
  assert.equal((await stream.wait('permissionModeChanged')).mode, 'PERMISSION_MODE_PLAN');
  assert.equal(stream.all('permissionModeChanged').length, 1);
  stream.close();
});

test('what was not acknowledged is replayed from any position, and an unknown log gets what is held', async ({
  client,
  place,
}) => {
  const create = options(place.workspace);
  const stream = attach(client, { sessionId: 'replay', create });
  const { logId } = await stream.wait('attached');
  for (const mode of ['PERMISSION_MODE_PLAN', 'PERMISSION_MODE_DEFAULT', 'PERMISSION_MODE_PLAN'] as const) {
    stream.send({ $case: 'setPermissionMode', value: { inputId: `m${stream.lastSeq()}`, mode } });
    const before = stream.lastSeq();
    await stream.wait('permissionModeChanged', () => stream.lastSeq() > before);
  }
  const seqs = async (at: { logId: string; afterSeq: number }, last: number) => {
    const again = attach(client, { sessionId: 'replay', ...at });
    await again.wait('attached');
    if (last > 0) await again.wait('permissionModeChanged', () => again.lastSeq() === last);
    again.close();
    return again.responses.filter((response) => response.seq > 0).map((response) => response.seq);
  };
  assert.deepEqual(await seqs({ logId, afterSeq: 1 }, 3), [2, 3]);
  assert.deepEqual(await seqs({ logId: 'another', afterSeq: 2 }, 3), [1, 2, 3]);
  const acking = attach(client, { sessionId: 'replay', logId, afterSeq: 3 });
  await acking.wait('attached');
  acking.send({ $case: 'ack', value: { seq: 2 } });
  acking.send({ $case: 'interrupt', value: { inputId: 'after-ack', turnId: 'none' } });
  await acking.wait('inputRefused');
  assert.deepEqual(await seqs({ logId: '', afterSeq: 0 }, 3), [3]);
  const ahead = attach(client, { sessionId: 'replay', logId, afterSeq: 99 });
  assert.notEqual((await ahead.wait('attached')).logId, logId, 'a reader ahead of the log gets a new one');
  ahead.close();
});

test('a probe tells an open port from a closed one', async ({ client }) => {
  const listener = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
  await new Promise((resolve) => listener.once('listening', resolve));
  const address = listener.address();
  assert.ok(address && typeof address === 'object');
  const probe = (host: string, port: number) =>
    call<ProbeResponse>((metadata, done) => client.probe({ host, port, timeoutMs: 0 }, metadata, done));
  const open = await probe('127.0.0.1', address.port);
  assert.deepEqual([open.reachable, open.error], [true, '']);
  await new Promise((resolve) => listener.close(resolve));
  const closed = await probe('127.0.0.1', address.port);
  assert.deepEqual([closed.reachable, closed.error], [false, 'ECONNREFUSED']);
  assert.equal(await codeOf(probe('', 80)), status.INVALID_ARGUMENT);
});

test('git answers about the working directory, and runs nothing the repository names', async ({ client, place }) => {
  const repo = join(place.root, 'repo');
  mkdirSync(repo);
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
      cwd: repo,
      env: { PATH: process.env.PATH, HOME: place.home },
    });
  git('init', '-q', '-b', 'main');
  writeFileSync(join(repo, 'a.txt'), 'one\n');
  git('add', '.');
  git('commit', '-qm', 'first');
  const trap = join(place.root, 'trap');
  for (const key of ['diff.external', 'core.fsmonitor', 'core.pager']) git('config', key, `touch ${trap}; true`);
  writeFileSync(join(repo, 'a.txt'), 'two\n');
  const stream = attach(client, { sessionId: 'git', create: options(repo) });
  await stream.wait('attached');
  const run = (command: GitCommand) =>
    call<RunGitResponse>((metadata, done) => client.runGit({ sessionId: 'git', command }, metadata, done));
  assert.match((await run('GIT_COMMAND_STATUS')).output, / M a\.txt/);
  assert.match((await run('GIT_COMMAND_DIFF')).output, /\+two/);
  assert.match((await run('GIT_COMMAND_LOG')).output, /first/);
  assert.match((await run('GIT_COMMAND_UNPUSHED')).output, /first/);
  assert.equal(await codeOf(run('GIT_COMMAND_UNSPECIFIED')), status.INVALID_ARGUMENT);
  assert.throws(() => execFileSync('ls', [trap], { stdio: 'ignore' }), 'a program named by the repository ran');
  stream.close();
});

test('a file below the working directory is sent whole, and nothing else is', async ({ client, place }) => {
  const stream = attach(client, { sessionId: 'files', create: options(place.workspace) });
  await stream.wait('attached');
  const content = Buffer.alloc(700_000, 'abc');
  writeFileSync(join(place.workspace, 'big.bin'), content);
  writeFileSync(join(place.root, 'secret'), 'secret');
  symlinkSync(join(place.root, 'secret'), join(place.workspace, 'link'));
  symlinkSync(place.root, join(place.workspace, 'up'));
  const read = (path: string): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      const file = client.getFile({ sessionId: 'files', path }, bearer());
      file.on('data', (one: GetFileResponse) => chunks.push(one.chunk));
      file.on('error', reject);
      file.on('end', () => resolve(Buffer.concat(chunks)));
    });
  assert.ok((await read('big.bin')).equals(content));
  for (const path of ['../secret', 'link', 'up/secret', '/etc/passwd', '', 'up/workspace/../secret']) {
    assert.equal(await codeOf(read(path)), status.INVALID_ARGUMENT, path);
  }
  assert.equal(await codeOf(read('none')), status.NOT_FOUND);
  stream.close();
});

test('the log can be read, and holds no token', async ({ client }) => {
  const { lines } = await call<ReadLogsResponse>((metadata, done) => client.readLogs({ lines: 5 }, metadata, done));
  assert.ok(lines.length > 0 && lines.length <= 5);
  assert.ok(!lines.join('\n').includes('a-token-for-tests'));
});

test.run();
