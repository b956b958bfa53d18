import * as assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { suite } from 'uvu';
import { BAD_GATEWAY, INTERNAL_ERROR, limitExceeded } from '../../../simulator/src/mattermost/index.ts';
import { ChatError, type ChatErrorCode, createMattermostRest } from '../../../src/adapters/mattermost/index.ts';
import { type Chat, rawServer, startChat } from './support.ts';

const test = suite('chat errors');
const ID = 'aaaaaaaaaaaaaaaaaaaaaaaaaa';

let chat: Chat;
test.before(async () => {
  chat = await startChat();
});
test.after(() => chat.sim.close());

/** @returns the error, checked to be ours and to say nothing secret */
async function refused(promise: Promise<unknown>): Promise<ChatError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof ChatError, `not translated: ${String(error)}`);
    assert.ok(!`${error.message} ${error.human}`.includes(chat.bot.token));
    return error;
  }
  throw new Error('it should have failed');
}

async function against(answer: RequestListener, timeoutMs = 5_000): Promise<ChatError> {
  const server = await rawServer(answer);
  try {
    return await refused(createMattermostRest({ url: server.url, token: 'secret', timeoutMs }).me());
  } finally {
    await server.close();
  }
}

function isError(error: ChatError, code: ChatErrorCode, retryable: boolean, status: number): void {
  assert.deepEqual([error.code, error.retryable, error.status], [code, retryable, status], error.message);
}

test('a wrong token is told apart, and trying again is no use', async () => {
  isError(await refused(createMattermostRest({ url: chat.sim.url, token: 'wrong' }).me()), 'CHAT_TOKEN', false, 401);
});

test('429 is plain text, and its seconds count from now', async () => {
  chat.sim.faults.failNext(1, { path: '/api/v4/users/me' }, limitExceeded(7));
  const error = await refused(chat.bot.rest.me());
  isError(error, 'CHAT_RATE', true, 429);
  assert.equal(error.retryAfterMs, 7_000);
});

test('a reset given as an epoch is understood too, and no wait is endless', async () => {
  const soon = Math.ceil(Date.now() / 1000) + 20;
  const epoch = await against((_request, response) => {
    response.writeHead(429, { 'x-ratelimit-reset': String(soon) }).end('limit exceeded');
  });
  assert.ok((epoch.retryAfterMs ?? 0) > 15_000 && (epoch.retryAfterMs ?? 0) <= 21_000, String(epoch.retryAfterMs));
  const endless = await against((_request, response) => {
    response.writeHead(429, { 'retry-after': '99999' }).end('limit exceeded');
  });
  assert.equal(endless.retryAfterMs, 300_000);
});

test('the troubles of the server and of what stands before it may pass', async () => {
  chat.sim.faults.failNext(1, { path: '/api/v4/users/me' }, INTERNAL_ERROR);
  isError(await refused(chat.bot.rest.me()), 'CHAT_SERVER', true, 500);
  chat.sim.faults.failNext(1, { path: '/api/v4/users/me' }, BAD_GATEWAY);
  isError(await refused(chat.bot.rest.me()), 'CHAT_SERVER', true, 502);
  const page = { status: 404, contentType: 'text/html', body: '<h1>no backend</h1>' };
  chat.sim.faults.failNext(1, { path: '/api/v4/users/me' }, page);
  isError(await refused(chat.bot.rest.me()), 'CHAT_GARBLED', true, 404);
});

test('an unauthorised answer that is not the server’s own says nothing about the token', async () => {
  isError(await against((_request, response) => response.writeHead(401).end('<html>Login')), 'CHAT_GARBLED', true, 401);
});

test('RT-12: status 200 alone is no success', async () => {
  const json = { 'content-type': 'application/json' };
  const bodies = ['', '<html></html>', '{"id":', 'null', '[]', '{"ok":false,"error":"x"}', '{"id":"","username":"a"}'];
  for (const body of bodies) {
    const error = await against((_request, response) => response.writeHead(200, json).end(body));
    isError(error, 'CHAT_GARBLED', true, 200);
  }
});

test('a server that never answers, or stops in the middle, is given up in time', async () => {
  isError(await against(() => {}, 100), 'CHAT_TIMEOUT', true, 0);
  const half: RequestListener = (_request, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('{"id"');
  };
  isError(await against(half, 100), 'CHAT_TIMEOUT', true, 0);
});

test('no connection, or one that is cut', async () => {
  const server = await rawServer(() => {});
  await server.close();
  isError(await refused(createMattermostRest({ url: server.url, token: 'secret' }).me()), 'CHAT_UNREACHABLE', true, 0);
  isError(await against((request) => request.socket.destroy()), 'CHAT_UNREACHABLE', true, 0);
  const cut: RequestListener = (_request, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('{"id"', () => response.destroy());
  };
  isError(await against(cut), 'CHAT_UNREACHABLE', true, 0);
});

test('a redirect is not followed, so the token goes nowhere else', async () => {
  const error = await against((_request, response) => response.writeHead(301, { location: '/elsewhere' }).end());
  isError(error, 'CHAT_REDIRECT', false, 301);
  assert.match(error.human ?? '', /SM_MATTERMOST_URL/);
});

test('a caller who gives up gets that back, not a failure of the network', async () => {
  const server = await rawServer(() => controller.abort());
  const controller = new AbortController();
  try {
    const rest = createMattermostRest({ url: server.url, token: 'secret' }).within(controller.signal);
    isError(await refused(rest.me()), 'CHAT_ABORTED', false, 0);
  } finally {
    await server.close();
  }
});

test('an edit of a post that is gone or not ours says so', async () => {
  isError(await refused(chat.bot.rest.patchPost(ID, { message: 'x' })), 'CHAT_POST_GONE', false, 403);
  const own = await chat.bot.rest.createPost({ channelId: chat.channelId, rootId: '', message: 'x' });
  await chat.bot.rest.deletePost(own.id);
  isError(await refused(chat.bot.rest.patchPost(own.id, { message: 'y' })), 'CHAT_POST_GONE', false, 403);
  isError(
    await refused(chat.bot.rest.patchPost(await chat.say('hers'), { message: 'mine' })),
    'CHAT_POST_GONE',
    false,
    403,
  );
});

test('refusals that a person has to mend are told apart', async () => {
  const elsewhere = chat.sim.createTeam({ name: 'elsewhere' });
  const foreign = { teamId: elsewhere.id, name: 'x1', displayName: 'X', type: 'P' } as const;
  isError(await refused(chat.bot.rest.createChannel(foreign)), 'CHAT_FORBIDDEN', false, 403);
  const taken = { teamId: chat.teamId, name: 'project', displayName: 'X', type: 'P' } as const;
  isError(await refused(chat.bot.rest.createChannel(taken)), 'CHAT_CHANNEL_EXISTS', false, 400);
  const lost = { channelId: chat.channelId, rootId: ID, message: 'x' };
  isError(await refused(chat.bot.rest.createPost(lost)), 'CHAT_BAD_ROOT', false, 400);
  const huge = { channelId: chat.channelId, rootId: '', message: 'x', props: { big: 'x'.repeat(400_000) } };
  isError(await refused(chat.bot.rest.createPost(huge)), 'CHAT_TOO_BIG', false, 413);
  isError(await refused(chat.bot.rest.createChannel({ ...taken, name: 'Not A Name' })), 'CHAT_REFUSED', false, 400);
});

test.run();
