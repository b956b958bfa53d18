import * as assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { suite } from 'uvu';
import {
  checkHealth,
  createMetrics,
  type HttpOptions,
  type HttpServer,
  startHttp,
} from '../../../src/adapters/http/index.ts';
import { askHealth } from '../../../src/selfCheck.ts';

const test = suite('probes');

let closers: (() => Promise<unknown>)[] = [];
test.after.each(async () => {
  for (const close of closers) await close();
  closers = [];
});

const quiet = (): void => {};

async function start(options: Partial<HttpOptions> = {}): Promise<HttpServer> {
  const server = await startHttp({
    listen: '127.0.0.1:0',
    health: async () => ({ healthy: true, checks: {} }),
    metrics: createMetrics().registry,
    onCallback: async () => ({}),
    rateLimit: { rps: 1_000, burst: 1_000 },
    trustedProxies: [],
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    ...options,
  });
  closers.push(() => server.close());
  return server;
}

const statusOf = async (server: HttpServer, path: string): Promise<number> =>
  (await fetch(`${server.url}${path}`)).status;

const refused = (): Promise<never> => Promise.reject(Object.assign(new Error('no'), { code: 'ECONNREFUSED' }));
const fine = async (): Promise<undefined> => undefined;

test('without a database a process is not ready, but it lives: no restart would help', async () => {
  const server = await start({
    health: () => checkHealth({ database: { critical: true, run: refused }, chat: { critical: false, run: fine } }),
  });
  assert.equal(await statusOf(server, '/live'), 200);
  assert.equal(await statusOf(server, '/ready'), 503);
  assert.equal(await statusOf(server, '/health'), 503);
});

test('without the chat, and without the lead, a process is ready and lives', async () => {
  const server = await start({
    health: () =>
      checkHealth({
        database: { critical: true, run: fine },
        chat: { critical: false, run: refused },
        lead: { critical: false, run: async () => 'standing by' },
      }),
  });
  for (const path of ['/live', '/ready', '/health']) assert.equal(await statusOf(server, path), 200, path);
});

test('a database that hangs does not hold up the answer that the process lives', async () => {
  const server = await start({ health: () => new Promise(() => {}), healthDeadlineMs: 100 });
  const ready = fetch(`${server.url}/ready`);
  assert.equal(await statusOf(server, '/live'), 200);
  assert.equal((await ready).status, 503);
});

test('a process on its way out is not ready, and lives to the end', async () => {
  const stopping = new AbortController();
  const server = await start({ stopping: stopping.signal });
  assert.equal(await statusOf(server, '/ready'), 200);
  stopping.abort();
  const answer = await fetch(`${server.url}/ready`);
  assert.deepEqual([answer.status, await answer.json()], [503, { status: 'stopping', checks: {} }]);
  assert.equal(await statusOf(server, '/live'), 200);
});

test('a flood from the address of the probes takes nothing of theirs, and they have limits too', async () => {
  const server = await start({ rateLimit: { rps: 1, burst: 2 }, now: () => 0 });
  for (let count = 0; count < 5; count += 1) await statusOf(server, '/callback');
  assert.equal(await statusOf(server, '/health'), 429);
  assert.equal(await statusOf(server, '/ready/'), 200);
  assert.equal(await statusOf(server, '/ready'), 200);
  assert.equal(await statusOf(server, '/ready'), 429);
  assert.equal(await statusOf(server, '/live'), 200);
});

test('the health command says in one sentence how the gateway is', async () => {
  let database: () => Promise<undefined> = fine;
  const server = await start({
    health: () =>
      checkHealth({
        database: { critical: true, run: () => database() },
        lead: { critical: false, run: async () => 'leading' },
      }),
  });
  const env = { SM_LISTEN_ADDR: `0.0.0.0:${server.port}` };
  assert.deepEqual(await askHealth(env), { healthy: true, sentence: 'Healthy: database ok, lead leading.' });
  database = refused;
  assert.deepEqual(await askHealth(env), {
    healthy: false,
    sentence: 'Not healthy: database ECONNREFUSED, lead leading.',
  });
});

test('no answer, a late one, and one of somebody else are said to be that', async () => {
  const hangs = await start({ health: () => new Promise(() => {}), healthDeadlineMs: 1_000 });
  const late = await askHealth({ SM_LISTEN_ADDR: `127.0.0.1:${hangs.port}` }, 50);
  assert.equal(late.healthy, false);
  assert.match(late.sentence, /no answer from http:\/\/127\.0\.0\.1:\d+\/health \(.*timeout/);

  const gone = await start();
  await gone.close();
  const nobody = await askHealth({ SM_LISTEN_ADDR: `127.0.0.1:${gone.port}` });
  assert.deepEqual([nobody.healthy, /ECONNREFUSED/.test(nobody.sentence)], [false, true]);

  const other = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1');
  closers.push(async () => other.close());
  await new Promise((resolve) => other.once('listening', resolve));
  const address = other.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const stranger = await askHealth({ SM_LISTEN_ADDR: `127.0.0.1:${port}` });
  assert.deepEqual([stranger.healthy, /not a health report/.test(stranger.sentence)], [false, true]);

  assert.equal((await askHealth({ SM_LISTEN_ADDR: 'nowhere' })).healthy, false);
});

test.run();
