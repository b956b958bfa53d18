import { strict as assert } from 'node:assert';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import { WebSocket } from 'ws';
import { type MattermostSimulator, startMattermost } from '../../src/mattermost/index.ts';
import { api, startCrew } from './helpers.ts';

const test = suite('state file and chat page');

test('what is in the state file is there again after a restart', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'state-'));
  try {
    const stateFile = join(folder, 'state.json');
    const first = await startCrew({ stateFile });
    const post = await api(first.mattermost, first.alice.token, 'POST', '/posts', {
      channel_id: first.channelId,
      message: 'kept',
    });
    await first.mattermost.close();
    assert.equal(JSON.parse(readFileSync(stateFile, 'utf8')).format, 1);

    const second = await startCrew({ stateFile });
    assert.deepEqual([second.alice, second.bot, second.channelId], [first.alice, first.bot, first.channelId]);
    const read = await api(second.mattermost, second.bot.token, 'GET', `/posts/${String(post.json.id)}`);
    assert.equal(read.json.message, 'kept');
    await second.mattermost.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

const TOKEN = 'a-token-that-nobody-guesses';

/** The status of a request with headers as a browser or a rebound name would send them. */
function status(mattermost: MattermostSimulator, path: string, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = http.get(`${mattermost.url}${path}`, { headers, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    call.on('error', reject);
  });
}

/** The status of an upgrade: 101 or why it was refused. */
function upgrade(mattermost: MattermostSimulator, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`${mattermost.url.replace('http', 'ws')}/api/v4/websocket`, { headers });
    socket.on('open', () => {
      socket.terminate();
      resolve(101);
    });
    socket.on('unexpected-response', (_request, answer) => resolve(answer.statusCode ?? 0));
    socket.on('error', () => undefined);
  });
}

test('the page wants its token, and is not there at all without one', async () => {
  const mattermost = await startMattermost({ page: { token: TOKEN } });
  assert.equal(await status(mattermost, `/?token=${TOKEN}`), 200);
  assert.equal(await status(mattermost, '/'), 403);
  assert.equal(await status(mattermost, '/?token=wrong'), 403);
  assert.equal(await status(mattermost, '/page/main.js'), 200);
  assert.equal(await status(mattermost, '/page/..%2f..%2fserver.ts'), 404);
  await mattermost.close();
  const without = await startMattermost();
  assert.equal(await status(without, '/?token='), 404);
  await without.close();
});

test('foreign hosts and origins are refused everywhere', async () => {
  const mattermost = await startMattermost({ page: { token: TOKEN } });
  const own = `127.0.0.1:${mattermost.port}`;
  for (const path of [`/?token=${TOKEN}`, '/page/main.js', '/api/v4/system/ping']) {
    assert.equal(await status(mattermost, path, { host: `evil.test:${mattermost.port}` }), 403, path);
    assert.equal(await status(mattermost, path, { host: '127.0.0.1:1' }), 403, path);
    assert.equal(await status(mattermost, path, { origin: 'http://evil.test' }), 403, path);
    assert.equal(await status(mattermost, path, { origin: 'null' }), 403, path);
    assert.equal(await status(mattermost, path, { host: `localhost:${mattermost.port}` }), 200, path);
    assert.equal(await status(mattermost, path, { origin: `http://${own}` }), 200, path);
  }
  assert.equal(await upgrade(mattermost, { origin: 'http://evil.test' }), 403);
  assert.equal(await upgrade(mattermost, { host: `evil.test:${mattermost.port}` }), 403);
  assert.equal(await upgrade(mattermost, { origin: `http://${own}` }), 101);
  await mattermost.close();
});

test('the page lets nothing in from elsewhere and gives its session to nobody without the token', async () => {
  const mattermost = await startMattermost({ page: { token: TOKEN } });
  const answer = await fetch(`${mattermost.url}/?token=${TOKEN}`);
  const policy = answer.headers.get('content-security-policy') ?? '';
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe|\*/);
  const html = await answer.text();
  const session = /name="session" content="([a-z0-9]{26})"/.exec(html)?.[1] ?? '';
  assert.equal((await api(mattermost, session, 'GET', '/users/me')).json.username, 'you');
  assert.doesNotMatch(await (await fetch(`${mattermost.url}/`)).text(), /[a-z0-9]{26}/);
  await mattermost.close();
});

test.run();
