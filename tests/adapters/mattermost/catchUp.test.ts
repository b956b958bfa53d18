import * as assert from 'node:assert/strict';
import { suite } from 'uvu';
import { type ChatEvent, type Cursor, catchUp, type MattermostRest } from '../../../src/adapters/mattermost/index.ts';
import { oldestFirst, type PostPage } from '../../../src/adapters/mattermost/posts.ts';
import { PAGE_SIZE, SINCE_LIMIT } from '../../../src/adapters/mattermost/rest.ts';
import { type Chat, startChat } from './support.ts';

const test = suite('catching up');

let chat: Chat;
let now = Date.now();
test.before.each(async () => {
  now = Date.now();
  // Every look at the clock is a millisecond later, so that most posts have a time of their own.
  chat = await startChat({ now: () => now++ });
});
test.after.each(() => chat.sim.close());

/** What the owner of the cursor does: takes each post once, by its id. */
function inbox() {
  const seen = new Set<string>();
  const messages: string[] = [];
  const changes: string[] = [];
  return {
    messages,
    changes,
    deliver: async (event: ChatEvent): Promise<void> => {
      if (event.type === 'edited' || event.type === 'deleted') changes.push(`${event.type} ${event.post.id}`);
      if (event.type !== 'posted' || event.post.type !== '' || seen.has(event.post.id)) return;
      seen.add(event.post.id);
      messages.push(event.post.message);
    },
  };
}

async function cursorAt(postId: string): Promise<Cursor> {
  return { postId, at: (await chat.alice.rest.getPost(postId))?.createAt ?? 0 };
}

function run(cursor: Cursor | undefined, taken: ReturnType<typeof inbox>, rest: MattermostRest = chat.bot.rest) {
  return catchUp({
    rest,
    channels: [{ id: chat.channelId, type: 'O' }],
    cursorOf: () => cursor,
    deliver: taken.deliver,
  });
}

async function sayMany(count: number, from = 0): Promise<string[]> {
  const messages: string[] = [];
  for (let i = from; i < from + count; i += 1) {
    messages.push(`m${i}`);
    await chat.say(`m${i}`);
  }
  return messages;
}

test('twenty posts while away are all there, in order, once', async () => {
  const cursor = await cursorAt(await chat.say('last seen'));
  const away = await sayMany(20);
  now += 120_000;
  const taken = inbox();
  const report = await run(cursor, taken);
  assert.deepEqual(taken.messages, ['last seen', ...away]);
  assert.deepEqual([report.channels, report.failed, report.truncated], [1, [], 0]);
  await run(cursor, taken);
  assert.equal(taken.messages.length, 21, 'a second run brings nothing new');
});

test('replies, edits and deletions are told too, after the posts', async () => {
  const root = await chat.say('old root');
  const doomed = await chat.say('doomed');
  now += 60_000;
  const cursor = await cursorAt(await chat.say('last seen'));
  await chat.say('reply', root);
  await chat.alice.rest.patchPost(root, { message: 'old root, edited' });
  await chat.alice.rest.deletePost(doomed);
  const taken = inbox();
  const report = await run(cursor, taken);
  assert.deepEqual(taken.messages, ['last seen', 'reply'], 'the old root is no new post');
  assert.deepEqual(taken.changes.sort(), [`deleted ${doomed}`, `edited ${root}`].sort());
  assert.deepEqual([report.edited, report.deleted], [1, 1]);
});

test('a post said and deleted while away is never taken for a new one', async () => {
  const cursor = await cursorAt(await chat.say('last seen'));
  await chat.alice.rest.deletePost(await chat.say('regretted'));
  const taken = inbox();
  await run(cursor, taken);
  assert.deepEqual(taken.messages, ['last seen']);
});

test('a post with an earlier time than the cursor that became visible late is found', async () => {
  const early = await chat.say('stored late');
  const cursor = await cursorAt(await chat.say('last seen'));
  const taken = inbox();
  const seen = { ...taken, deliver: taken.deliver };
  await run(cursor, seen);
  assert.ok(taken.messages.includes('stored late'), early);
});

test('a cursor whose post was deleted loses nothing', async () => {
  const last = await chat.say('last seen');
  const cursor = await cursorAt(last);
  const away = await sayMany(5);
  await chat.alice.rest.deletePost(last);
  const taken = inbox();
  await run(cursor, taken);
  assert.deepEqual(taken.messages, away);
});

test('without a cursor nothing is read, and a channel that cannot be read does not stop the others', async () => {
  const cursor = await cursorAt(await chat.say('last seen'));
  await chat.say('away');
  const closed = chat.sim.createChannel({ teamId: chat.teamId, name: 'closed', type: 'P', creatorId: chat.alice.id });
  const taken = inbox();
  const report = await catchUp({
    rest: chat.bot.rest,
    channels: [closed.id, 'unknown', chat.channelId].map((id) => ({ id, type: 'O' })),
    cursorOf: (id) => (id === 'unknown' ? undefined : cursor),
    deliver: taken.deliver,
  });
  assert.deepEqual(taken.messages, ['last seen', 'away']);
  assert.equal(report.skipped, 1);
  assert.deepEqual(
    report.failed.map((each) => each.channelId),
    [closed.id],
  );
});

test('at most four channels are read at once', async () => {
  const reading = { now: 0, most: 0 };
  const rest: MattermostRest = {
    ...chat.bot.rest,
    postsSince: async () => {
      reading.now += 1;
      reading.most = Math.max(reading.most, reading.now);
      await new Promise((resolve) => setImmediate(resolve));
      reading.now -= 1;
      return { posts: [], listed: 0, hasNext: false };
    },
  };
  const channels = Array.from({ length: 20 }, (_, i) => ({ id: `c${i}`, type: 'O' }));
  const report = await catchUp({ rest, channels, cursorOf: () => ({ postId: '', at: 1 }), deliver: async () => {} });
  assert.deepEqual([report.channels, reading.most], [20, 4]);
});

/** As a server with more changes than it tells: an arbitrary part of them, and as many rows as the limit. */
function cutShort(rest: MattermostRest): MattermostRest {
  return {
    ...rest,
    postsSince: async (channelId, ms): Promise<PostPage> => {
      const { posts } = await rest.postsSince(channelId, ms);
      return { posts: oldestFirst(posts.filter((_, i) => i % 3 === 0)), listed: SINCE_LIMIT, hasNext: false };
    },
  };
}

for (const deleted of [false, true]) {
  test(`more than the server tells at once is read page by page${deleted ? ', also without the cursor post' : ''}`, async () => {
    await chat.say('long ago');
    now += 60_000;
    const last = await chat.say('last seen');
    const cursor = await cursorAt(last);
    const away = await sayMany(PAGE_SIZE + 30);
    if (deleted) await chat.alice.rest.deletePost(last);
    const taken = inbox();
    const report = await run(cursor, taken, cutShort(chat.bot.rest));
    assert.deepEqual(taken.messages, deleted ? away : ['last seen', ...away]);
    assert.deepEqual([report.truncated, report.lostCursors], [1, deleted ? 1 : 0]);
  });
}

for (const named of [true, false]) {
  test(`posts of one millisecond at the edge of a page are not lost${named ? '' : ' without a cursor post'}`, async () => {
    await chat.sim.close();
    let frozen = 1_700_000_000_000;
    chat = await startChat({ now: () => frozen });
    await chat.say('long ago');
    frozen += 60_000;
    const { at, postId } = await cursorAt(await chat.say('last seen'));
    const cursor = { at, postId: named ? postId : '' };
    const expected = new Set(['last seen']);
    for (let i = 0; i < PAGE_SIZE + 20; i += 1) {
      // Ten posts share each millisecond, also the one where a page ends.
      if (i % 10 === 5) frozen += 1;
      expected.add(`m${i}`);
      await chat.say(`m${i}`);
    }
    const taken = inbox();
    await run(cursor, taken, cutShort(chat.bot.rest));
    assert.deepEqual(new Set(taken.messages), expected);
  });
}

test.run();
