// Who gets in: wrong token, wrong host, wrong origin, read-only. Over real HTTP, with the data faked.
import { request } from 'node:http';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { OperatorRequest } from '../../src/actors/operator.ts';
import { createAccess } from '../../src/inspector/access.ts';
import { type Inspector, type InspectorOptions, startInspector } from '../../src/inspector/index.ts';
import type { InspectorStore } from '../../src/inspector/ports.ts';

const test = suite('access to the inspector');

const TOKEN = 'a token of more than 16 characters';
const silent = { info: () => {}, warn: () => {}, error: () => {} };

const store: InspectorStore = {
  overview: async () => ({ now: 1, term: 1, holder: 'h', leaderSince: 1, counts: [], letters: 0 }),
  actors: async () => [],
  actor: async () => undefined,
  inbox: async () => [],
  effects: async () => [],
  journal: async () => [],
  revision: async () => undefined,
  letters: async () => [
    {
      id: 1,
      address: 'session/a',
      reason: 'poison',
      event: { type: 'X', apiKey: TOKEN },
      cause: TOKEN,
      error: undefined,
      at: 1,
    },
  ],
  changes: async (mark) => ({ mark, actors: [] }),
};

let open: Inspector[] = [];
const asked: OperatorRequest[] = [];
test.after.each(async () => {
  for (const inspector of open) await inspector.close();
  open = [];
  asked.length = 0;
});

async function start(options: Partial<InspectorOptions> = {}): Promise<string> {
  const inspector = await startInspector({
    listen: { host: '127.0.0.1', port: 0 },
    token: undefined,
    allowSend: false,
    secrets: [],
    version: '1',
    store,
    runtime: {
      onCommit: () => () => {},
      stats: () => ({ leading: true, pendingEvents: 0, pendingEffects: 0, runningEffects: 0, runningTasks: 0 }),
      operate: async (wish) => {
        asked.push(wish);
        return { result: 'done', reason: '' };
      },
    },
    log: silent,
    ...options,
  });
  open.push(inspector);
  return inspector.address;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** With any headers, also such as fetch does not let through. */
function call(url: string, headers: Record<string, string> = {}, body?: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const sent = request(url, { method, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (part: string) => {
        text += part;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text, headers: answer.headers }));
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const OURS = { 'content-type': 'application/json', 'x-csm-inspector': '1' };
const WISH = { action: 'retry', address: 'session/a' };

test('on loopback it opens without a token, by the names of this machine only', async () => {
  const url = await start();
  const port = new URL(url).port;
  assert.is((await call(`${url}/api/overview`)).status, 200);
  for (const host of [`localhost:${port}`, '127.0.0.1:9', '[::1]:9', 'LOCALHOST']) {
    assert.is((await call(`${url}/api/overview`, { host })).status, 200, host);
  }
  for (const host of [
    'evil.example',
    `evil.example:${port}`,
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '10.0.0.1',
  ]) {
    assert.is((await call(`${url}/api/overview`, { host })).status, 403, host);
    assert.is((await call(`${url}/`, { host })).status, 403, host);
  }
});

test('with a token nothing is shown without it, and the page itself asks for it', async () => {
  const url = await start({ token: TOKEN });
  assert.is((await call(`${url}/`)).status, 200);
  for (const path of ['overview', 'actors', 'actor?address=session/a', 'letters', 'charts/session.svg', 'events']) {
    const answer = await call(`${url}/api/${path}`);
    assert.is(answer.status, 401, path);
    assert.match(answer.text, /SM_INSPECTOR_TOKEN/);
  }
  assert.is((await call(`${url}/api/operate`, OURS, WISH)).status, 401);
  for (const authorization of [
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    'Bearer ',
    TOKEN,
    `Basic ${TOKEN}`,
  ]) {
    assert.is((await call(`${url}/api/overview`, { authorization })).status, 401, authorization);
  }
  assert.is((await call(`${url}/api/overview`, { authorization: `Bearer ${TOKEN}` })).status, 200);
});

test('a browser trades the token for a cookie that scripts and other sites cannot use', async () => {
  const url = await start({ token: TOKEN });
  const wrong = await call(`${url}/api/login`, OURS, { token: 'wrong' });
  assert.is(wrong.status, 401);
  assert.is(wrong.headers['set-cookie'], undefined);
  const right = await call(`${url}/api/login`, OURS, { token: TOKEN });
  assert.is(right.status, 200);
  const [given = ''] = right.headers['set-cookie'] as string[];
  assert.match(given, /; HttpOnly; SameSite=Strict; /);
  assert.not.ok(given.includes(TOKEN));
  const cookie = given.split(';')[0] ?? '';
  assert.is((await call(`${url}/api/overview`, { cookie: `other=1; ${cookie}` })).status, 200);
  const [name, value = ''] = cookie.split('=');
  const later = `${Number(value.split('.')[0]) + 1000}.${value.split('.')[1]}`;
  for (const forged of [`${name}=${later}`, `${name}=${value.slice(0, -1)}0x`, `${name}=`, `x${cookie}`]) {
    assert.is((await call(`${url}/api/overview`, { cookie: forged })).status, 401, forged);
  }
});

test('a cookie ends, and belongs to one token', () => {
  let now = 1_000_000;
  const access = createAccess({ host: '0.0.0.0', token: TOKEN, now: () => now });
  const result = access.login(TOKEN);
  assert.ok('cookie' in result);
  const cookie = 'cookie' in result ? (result.cookie.split(';')[0] ?? '') : '';
  assert.is(access.checkToken({ cookie }), undefined);
  assert.is(createAccess({ host: '0.0.0.0', token: `${TOKEN}2`, now: () => now }).checkToken({ cookie })?.status, 401);
  now += 12 * 3600 * 1000;
  assert.is(access.checkToken({ cookie })?.status, 401);
});

test('tokens cannot be guessed quickly; after a minute the right one works again', () => {
  let now = 0;
  const access = createAccess({ host: '0.0.0.0', token: TOKEN, now: () => now });
  const statuses = Array.from({ length: 12 }, (_, n) => access.login(`guess ${n}`)).map((it) =>
    'status' in it ? it.status : 0,
  );
  assert.equal(statuses, [...Array(10).fill(401), 429, 429]);
  const tooSoon = access.login(TOKEN);
  assert.is('status' in tooSoon && tooSoon.status, 429);
  now += 61_000;
  assert.ok('cookie' in access.login(TOKEN));
});

test('other pages can neither read nor send', async () => {
  const url = await start({ allowSend: true });
  const host = new URL(url).host;
  for (const headers of [
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ]) {
    assert.is((await call(`${url}/api/overview`, headers)).status, 403, JSON.stringify(headers));
    assert.is((await call(`${url}/api/operate`, { ...OURS, ...headers }, WISH)).status, 403, JSON.stringify(headers));
  }
  const { 'x-csm-inspector': _left, ...plain } = OURS;
  assert.is((await call(`${url}/api/operate`, plain, WISH)).status, 403);
  assert.is((await call(`${url}/api/operate`, { ...OURS, 'content-type': 'text/plain' }, WISH)).status, 415);
  assert.equal(asked, []);
  const ours = { ...OURS, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' };
  assert.is((await call(`${url}/api/operate`, ours, WISH)).status, 200);
  assert.equal(asked, [{ action: 'retry', address: 'session/a', by: 'inspector from 127.0.0.1' }]);
});

test('read-only refuses every action and says how to allow them', async () => {
  const url = await start();
  const answer = await call(`${url}/api/operate`, OURS, WISH);
  assert.is(answer.status, 403);
  assert.match(answer.text, /SM_INSPECTOR_ALLOW_SEND=true/);
  assert.equal(asked, []);
});

test('an action must be one of the four, on an address', async () => {
  const url = await start({ allowSend: true });
  for (const body of [
    {},
    { ...WISH, action: 'send' },
    { ...WISH, address: 'nobody' },
    { ...WISH, letter: -1 },
    { ...WISH, letter: 'x' },
  ]) {
    assert.is((await call(`${url}/api/operate`, OURS, body)).status, 400, JSON.stringify(body));
  }
  assert.equal(asked, []);
});

test('secrets are taken out of every answer', async () => {
  const url = await start({ token: TOKEN });
  const { text } = await call(`${url}/api/letters`, { authorization: `Bearer ${TOKEN}` });
  assert.not.ok(text.includes(TOKEN));
  assert.match(text, /\[redacted\]/);
});

test('a failing database is one sentence, without its error', async () => {
  const url = await start({ store: { ...store, overview: () => Promise.reject(new Error('postgres://u:pw@db')) } });
  const answer = await call(`${url}/api/overview`);
  assert.is(answer.status, 503);
  assert.not.ok(answer.text.includes('pw'));
});

test('every answer carries the policy, and nothing inline is allowed but the import map', async () => {
  const url = await start();
  for (const path of ['/', '/page/main.js', '/lib/preact.js', '/api/overview', '/api/charts/gateway.svg', '/nothing']) {
    const { headers } = await call(`${url}${path}`);
    const policy = String(headers['content-security-policy']);
    assert.match(
      policy,
      /^default-src 'none'; script-src 'self' 'sha256-[A-Za-z0-9+/]{43}='; style-src 'self'; /,
      path,
    );
    assert.not.match(policy, /unsafe/);
    assert.is(headers['x-content-type-options'], 'nosniff', path);
  }
});

test('charts and files are answered with 304 when the browser has them', async () => {
  const url = await start();
  for (const path of ['/page/main.js', '/api/charts/gateway.svg']) {
    const { headers } = await call(`${url}${path}`);
    assert.is((await call(`${url}${path}`, { 'if-none-match': String(headers.etag) })).status, 304, path);
  }
});

test.run();
