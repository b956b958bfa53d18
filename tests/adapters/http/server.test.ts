import * as assert from 'node:assert/strict';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { suite } from 'uvu';
import {
  type CallbackAnswer,
  type CallbackBody,
  checkHealth,
  createMetrics,
  type HttpOptions,
  type HttpServer,
  signAction,
  startHttp,
} from '../../../src/adapters/http/index.ts';
import { parseListen } from '../../../src/adapters/http/server.ts';

const test = suite('own HTTP');

let servers: HttpServer[] = [];
test.after.each(async () => {
  for (const server of servers) await server.close();
  servers = [];
});

const logged: { message: string; detail: object }[] = [];
const note = (detail: object, message: string): void => {
  logged.push({ detail, message });
};

async function start(options: Partial<HttpOptions> = {}): Promise<HttpServer> {
  logged.length = 0;
  const server = await startHttp({
    listen: '127.0.0.1:0',
    health: async () => ({ healthy: true, checks: {} }),
    metrics: createMetrics().registry,
    onCallback: async () => ({}),
    rateLimit: { rps: 1_000, burst: 1_000 },
    trustedProxies: [],
    log: { debug: note, info: note, warn: note, error: note },
    ...options,
  });
  servers.push(server);
  return server;
}

const CONTEXT = {
  approval: 'approval/s1/r1',
  action: 'approve',
  generation: 1,
  mac: signAction({ secret: 's', instance: 'i' }, { approval: 'approval/s1/r1', action: 'approve', generation: 1 }),
};
/** As Mattermost sends it. */
const CLICK = {
  user_id: 'u1',
  user_name: 'alice',
  channel_id: 'c1',
  channel_name: 'project',
  team_id: 't1',
  team_domain: 'team',
  post_id: 'p1',
  trigger_id: 'trigger',
  type: '',
  data_source: '',
  context: CONTEXT,
};

function post(server: HttpServer, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const all = { 'content-type': 'application/json', ...headers };
  return fetch(`${server.url}/callback`, { method: 'POST', headers: all, body: text });
}

test('healthy is 200, anything else 503, both with the checks', async () => {
  let healthy = true;
  const server = await start({ health: async () => ({ healthy, checks: { database: { ok: healthy } } }) });
  const good = await fetch(`${server.url}/health`);
  assert.deepEqual([good.status, await good.json()], [200, { status: 'ok', checks: { database: { ok: true } } }]);
  healthy = false;
  const bad = await fetch(`${server.url}/health`);
  assert.deepEqual([bad.status, await bad.json()], [503, { status: 'failing', checks: { database: { ok: false } } }]);
});

test('a database that fails, or does not answer, makes it unhealthy in time and tells no secret', async () => {
  const dead = (): Promise<never> =>
    Promise.reject(Object.assign(new Error('postgres://u:pw@db'), { code: 'ECONNREFUSED' }));
  const hangs = (): Promise<undefined> => new Promise(() => {});
  for (const [run, detail] of [
    [dead, 'ECONNREFUSED'],
    [hangs, 'no answer within 50 ms'],
  ] as const) {
    const server = await start({ health: () => checkHealth({ database: { critical: true, run } }, 50) });
    const answer = await fetch(`${server.url}/health`);
    const text = await answer.text();
    assert.equal(answer.status, 503);
    assert.equal(JSON.parse(text).checks.database.detail, detail);
    assert.ok(!text.includes('pw'));
  }
});

test('a check that is not critical is told but does not fail the whole', async () => {
  const report = await checkHealth({
    database: { critical: true, run: async () => undefined },
    chat: { critical: false, run: () => Promise.reject(new Error('down')) },
  });
  assert.equal(report.healthy, true);
  assert.deepEqual([report.checks.chat?.ok, report.checks.chat?.detail], [false, 'failed']);
});

test('a health report that throws or hangs is a 503, not an error page', async () => {
  const throws = await start({ health: () => Promise.reject(new Error('secret')) });
  const hangs = await start({ health: () => new Promise(() => {}), healthDeadlineMs: 50 });
  for (const server of [throws, hangs]) {
    const answer = await fetch(`${server.url}/health`);
    assert.equal(answer.status, 503);
    assert.ok(!(await answer.text()).includes('secret'));
  }
});

test('many who ask at once cost one look', async () => {
  let looks = 0;
  let arrived = 0;
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const server = await start({
    health: async () => {
      looks += 1;
      await held;
      return { healthy: true, checks: {} };
    },
    // The limit looks at the clock once for every request.
    now: () => {
      arrived += 1;
      return 0;
    },
  });
  const asked = Array.from({ length: 10 }, () => fetch(`${server.url}/health`));
  while (arrived < 10) await pause(1);
  release();
  for (const answer of await Promise.all(asked)) assert.equal(answer.status, 200);
  assert.equal(looks, 1);
});

test('a click reaches the handler as it was sent, and its answer is what Mattermost reads', async () => {
  const clicks: CallbackBody[] = [];
  const answer: CallbackAnswer = { update: { message: 'done', props: {} }, ephemeralText: 'thanks' };
  const server = await start({
    onCallback: async (click) => {
      clicks.push(click);
      return answer;
    },
  });
  const response = await post(server, CLICK);
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
  assert.deepEqual(await response.json(), {
    update: { message: 'done', props: {} },
    ephemeral_text: 'thanks',
    skip_slack_parsing: true,
  });
  assert.deepEqual(clicks, [
    {
      userId: 'u1',
      userName: 'alice',
      channelId: 'c1',
      teamId: 't1',
      postId: 'p1',
      triggerId: 'trigger',
      type: '',
      context: CONTEXT,
    },
  ]);
});

test('what is not a click is refused before anybody sees it', async () => {
  let calls = 0;
  const server = await start({
    onCallback: async () => {
      calls += 1;
      return {};
    },
  });
  const contexts = [
    undefined,
    {},
    { ...CONTEXT, mac: 'short' },
    { ...CONTEXT, approval: 'session/s1' },
    { ...CONTEXT, approval: `approval/${'x'.repeat(400)}` },
    { ...CONTEXT, action: 'has-dash' },
    { ...CONTEXT, generation: -1 },
    { ...CONTEXT, generation: '1' },
  ];
  for (const context of contexts) {
    const refused = await post(server, { ...CLICK, context });
    assert.equal(refused.status, 200, 'the person who pressed a forged button gets words, not an error of the server');
    assert.match(((await refused.json()) as { ephemeral_text: string }).ephemeral_text, /not valid/);
  }
  assert.equal((await post(server, { ...CLICK, user_id: '' })).status, 400);
  assert.equal((await post(server, 'null')).status, 400);
  assert.equal((await post(server, '{"a":')).status, 400);
  assert.equal((await post(server, '{"__proto__":{"x":1}}')).status, 400);
  assert.equal((await post(server, 'a=b', { 'content-type': 'application/x-www-form-urlencoded' })).status, 415);
  assert.equal((await post(server, '{}', { 'content-type': 'text/plain' })).status, 415);
  assert.equal(calls, 0);
});

test('what would be stored of a click is bounded', async () => {
  let calls = 0;
  const server = await start({
    onCallback: async () => {
      calls += 1;
      return {};
    },
  });
  for (const field of ['user_id', 'user_name', 'channel_id', 'post_id', 'trigger_id', 'team_id', 'type']) {
    const refused = await post(server, { ...CLICK, [field]: 'x'.repeat(2_000) });
    assert.equal(refused.status, 200, field);
    assert.match(((await refused.json()) as { ephemeral_text: string }).ephemeral_text, /not valid/, field);
  }
  assert.equal(calls, 0);
});

test('a body is bounded', async () => {
  const server = await start();
  const big = await post(server, { ...CLICK, user_name: 'x'.repeat(1024 * 1024) });
  assert.deepEqual([big.status, await big.json()], [413, { error: 'too large' }]);
});

test('a handler that throws or takes too long still answers the clicker, and tells nothing', async () => {
  const throws = await start({ onCallback: () => Promise.reject(new Error('postgres://u:pw@db')) });
  const slow = await start({ onCallback: () => new Promise(() => {}), callbackDeadlineMs: 50 });
  for (const [server, words] of [
    [throws, /Nothing was decided/],
    [slow, /takes longer/],
  ] as const) {
    const answer = await post(server, CLICK);
    const body = await answer.text();
    assert.equal(answer.status, 200);
    assert.match(JSON.parse(body).ephemeral_text, words);
    assert.ok(!body.includes('pw'));
  }
});

test('every route is limited by address, and says when to come back', async () => {
  let now = 0;
  const server = await start({ rateLimit: { rps: 1, burst: 3 }, now: () => now });
  const urls = ['/health', '/metrics', '/nothing'];
  for (const url of urls) assert.notEqual((await fetch(server.url + url)).status, 429);
  for (const url of urls) {
    const answer = await fetch(server.url + url);
    assert.deepEqual([answer.status, answer.headers.get('retry-after')], [429, '1']);
  }
  assert.equal((await post(server, CLICK)).status, 429);
  // Not behind a trusted proxy, so another name in the header is the same address.
  assert.equal((await fetch(`${server.url}/health`, { headers: { 'x-forwarded-for': '9.9.9.9' } })).status, 429);
  now += 1_000;
  assert.equal((await fetch(`${server.url}/health`)).status, 200);
});

test('behind a trusted proxy each client has its own budget', async () => {
  const server = await start({ rateLimit: { rps: 1, burst: 1 }, trustedProxies: ['127.0.0.0/8'], now: () => 0 });
  const from = async (client: string): Promise<number> =>
    (await fetch(`${server.url}/health`, { headers: { 'x-forwarded-for': client } })).status;
  assert.deepEqual([await from('9.9.9.9'), await from('8.8.8.8')], [200, 200]);
  assert.deepEqual([await from('9.9.9.9'), await from('1.2.3.4, 8.8.8.8')], [429, 429]);
});

test('unknown routes and failing ones answer in JSON with guarded headers, and repeat nothing', async () => {
  const server = await start({
    routes: (app) => {
      app.get('/broken', () => Promise.reject(new Error('secret detail')));
      app.get('/page', (_request, reply) =>
        reply.header('content-security-policy', "default-src 'self'").type('text/html').send('<p>page</p>'),
      );
    },
  });
  const missing = await fetch(`${server.url}/no/such?route=secret`);
  assert.deepEqual([missing.status, await missing.json()], [404, { error: 'not found' }]);
  const broken = await fetch(`${server.url}/broken`);
  assert.deepEqual([broken.status, await broken.json()], [500, { error: 'internal error' }]);
  assert.ok(logged.some(({ message }) => message === 'http: a request failed'));
  assert.equal((await fetch(`${server.url}/callback`)).status, 404);
  for (const answer of [missing, broken]) {
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    assert.match(answer.headers.get('content-security-policy') ?? '', /default-src 'none'/);
    assert.equal(answer.headers.get('x-powered-by'), null);
  }
  const page = await fetch(`${server.url}/page`);
  assert.equal(page.headers.get('content-security-policy'), "default-src 'self'", 'a page may bring its own');
});

test('metrics are text with the names of this program', async () => {
  const metrics = createMetrics();
  metrics.sessionsStarted.inc();
  const server = await start({ metrics: metrics.registry });
  const answer = await fetch(`${server.url}/metrics`);
  assert.match(answer.headers.get('content-type') ?? '', /^text\/plain/);
  assert.match(await answer.text(), /^csm_sessions_started_total 1$/m);
});

test('a close lets the request under way finish and takes no more', async () => {
  let release = (): void => {};
  let entered = false;
  const server = await start({
    onCallback: () =>
      new Promise((resolve) => {
        entered = true;
        release = () => resolve({ ephemeralText: 'in time' });
      }),
  });
  const answer = post(server, CLICK);
  while (!entered) await pause(1);
  const closed = server.close();
  release();
  assert.deepEqual(await (await answer).json(), { ephemeral_text: 'in time', skip_slack_parsing: true });
  await closed;
  await assert.rejects(
    new Promise((resolve, reject) => connect(server.port, '127.0.0.1', () => resolve(undefined)).on('error', reject)),
    /ECONNREFUSED/,
  );
});

test('listen addresses', () => {
  assert.deepEqual(parseListen('0.0.0.0:8000'), { host: '0.0.0.0', port: 8000 });
  assert.deepEqual(parseListen('[::]:8000'), { host: '::', port: 8000 });
  assert.deepEqual(parseListen(':80'), { host: '0.0.0.0', port: 80 });
  assert.deepEqual(parseListen('localhost:0'), { host: 'localhost', port: 0 });
  for (const wrong of ['8000', 'host', 'host:', 'host:70000', '::1:80', 'a b:c']) {
    assert.throws(() => parseListen(wrong), /not a listen address/);
  }
});

test('with a secret path and named sources, clicks from elsewhere find nothing', async () => {
  let calls = 0;
  const onCallback = async () => {
    calls += 1;
    return {};
  };
  const secret = await start({ onCallback, callbackGate: { pathSecret: 'abc123', sources: [] } });
  const to = (server: HttpServer, path: string) =>
    fetch(`${server.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(CLICK),
    });
  for (const path of ['/callback', '/callback/', '/callback/abc124', '/callback/abc12', '/callback/abc123/x'])
    assert.equal((await to(secret, path)).status, 404, path);
  assert.equal((await to(secret, '/callback/abc123')).status, 200);
  const elsewhere = await start({ onCallback, callbackGate: { pathSecret: '', sources: ['10.9.9.0/24'] } });
  assert.equal((await to(elsewhere, '/callback')).status, 404);
  const here = await start({ onCallback, callbackGate: { pathSecret: '', sources: ['127.0.0.1', '::1'] } });
  assert.equal((await to(here, '/callback')).status, 200);
  assert.equal(calls, 2);
});

test.run();
