import * as assert from 'node:assert/strict';
import { suite } from 'uvu';
import { INTERNAL_ERROR } from '../../../simulator/src/mattermost/index.ts';
import {
  createMattermostRest,
  ensurePost,
  isChatError,
  type WantedPost,
} from '../../../src/adapters/mattermost/index.ts';
import { type Chat, startChat } from './support.ts';

const test = suite('posting once');
const SECRET = 'secret';
const POSTS = { method: 'POST', path: '/api/v4/posts' };

let chat: Chat;
/** Our clock and the server's. */
let now = Date.now();
test.before.each(async () => {
  now = Date.now();
  chat = await startChat({ now: () => now });
});
test.after.each(() => chat.sim.close());

function wanted(key: string, rootId = ''): WantedPost {
  return { key, channelId: chat.channelId, rootId, message: `for ${key}`, firstAttemptAt: now };
}

const attempt = (post: WantedPost, rest = chat.bot.rest) =>
  ensurePost({ rest, botUserId: chat.bot.id, secret: SECRET, now: () => now, wait: async () => {} }, post);

const made = () => chat.sim.log.created({ userId: chat.bot.id }).map((entry) => entry.message);

test('a retry whose first answer was lost finds the post that was made', async () => {
  const post = wanted('a/1/0');
  const hasty = createMattermostRest({ url: chat.sim.url, token: chat.bot.token, timeoutMs: 200 });
  for (const how of ['hang', 'cut'] as const) {
    chat.sim.faults.loseAnswers(1, POSTS, how);
    await assert.rejects(attempt(post, hasty), (error: unknown) => isChatError(error) && error.retryable);
  }
  now += 20_000;
  const first = await attempt(post);
  assert.equal((await attempt(post)).id, first.id);
  assert.deepEqual(made(), ['for a/1/0']);
});

for (const place of ['thread', 'channel'] as const) {
  test(`after the server forgot the pending id, the post is found by its key in the ${place}`, async () => {
    const rootId = place === 'thread' ? await chat.say('root') : '';
    const post = wanted('b/1/0', rootId);
    chat.sim.faults.loseAnswers(1, POSTS, 'cut');
    await assert.rejects(attempt(post));
    now += 60_000;
    const found = await attempt(post);
    assert.deepEqual([found.key, found.rootId], ['b/1/0', rootId]);
    now += 3_600_000;
    assert.equal((await attempt(post)).id, found.id);
    assert.deepEqual(made(), ['for b/1/0']);
  });
}

test('a late retry of a post that was never made makes it, once', async () => {
  const post = wanted('c/1/0');
  chat.sim.faults.failNext(1, POSTS, INTERNAL_ERROR);
  await assert.rejects(attempt(post), (error: unknown) => isChatError(error, 'CHAT_SERVER'));
  now += 60_000;
  // The late attempt's own answer is lost as well.
  chat.sim.faults.loseAnswers(1, POSTS, 'cut');
  await assert.rejects(attempt(post));
  await attempt(post);
  now += 60_000;
  await attempt(post);
  assert.deepEqual(made(), ['for c/1/0']);
});

test('a person who copies the key does not suppress the post', async () => {
  const post = wanted('d/1/0');
  const props = { csm_key: post.key };
  await chat.alice.rest.createPost({ channelId: chat.channelId, rootId: '', message: 'mine', props });
  now += 60_000;
  assert.equal((await attempt(post)).userId, chat.bot.id);
  assert.deepEqual(made(), ['for d/1/0']);
});

test('while the first attempt is in flight, a second one waits for its post', async () => {
  const post = wanted('e/1/0');
  const pending = {
    status: 500,
    body: { id: 'api.post.deduplicate_create_post.pending', message: '', status_code: 500 },
  };
  chat.sim.faults.failNext(3, POSTS, pending);
  assert.equal((await attempt(post)).key, 'e/1/0');
  chat.sim.faults.failNext(6, POSTS, pending);
  await assert.rejects(
    attempt(wanted('f/1/0')),
    (error: unknown) => isChatError(error, 'CHAT_PENDING') && error.retryable,
  );
  assert.deepEqual(made(), ['for e/1/0']);
});

test('two attempts at the same moment make one post', async () => {
  const post = wanted('g/1/0');
  const results = await Promise.all([attempt(post), attempt(post), attempt(post)]);
  assert.equal(new Set(results.map((each) => each.id)).size, 1);
  assert.deepEqual(made(), ['for g/1/0']);
});

test.run();
