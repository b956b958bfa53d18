import * as assert from 'node:assert/strict';
import fc from 'fast-check';
import { suite } from 'uvu';
import {
  ChatError,
  createMattermostRest,
  isChatError,
  MAX_POST_LENGTH,
  postLength,
  threadOf,
} from '../../../src/adapters/mattermost/index.ts';
import { path } from '../../../src/adapters/mattermost/request.ts';
import { type Chat, startChat } from './support.ts';

const test = suite('chat REST');
const MISSING = 'aaaaaaaaaaaaaaaaaaaaaaaaaa';

let chat: Chat;
test.before(async () => {
  chat = await startChat();
});
test.after(() => chat.sim.close());

const isTooLong = (error: unknown): boolean => error instanceof ChatError && error.code === 'CHAT_TOO_LONG';

test('people, teams and channels; what is not there is undefined', async () => {
  const { rest } = chat.bot;
  const me = await rest.me();
  assert.deepEqual([me.id, me.username, me.isBot, me.active], [chat.bot.id, 'claude', true, true]);
  assert.equal((await rest.userByUsername('alice'))?.isBot, false);
  assert.equal(await rest.userByUsername('nobody-here'), undefined);
  const both = await rest.usersByIds([chat.alice.id, chat.bot.id, chat.alice.id, MISSING]);
  assert.deepEqual(both.map((user) => user.username).sort(), ['alice', 'claude']);
  assert.deepEqual(await rest.usersByIds([]), []);
  assert.equal((await rest.team(chat.teamId)).name, 'team');
  assert.deepEqual(await rest.teamMember(chat.teamId, chat.alice.id), { teamId: chat.teamId, userId: chat.alice.id });
  assert.equal(await rest.teamMember(chat.teamId, MISSING), undefined);
  assert.equal((await rest.channelByName(chat.teamId, 'project'))?.id, chat.channelId);
  assert.equal(await rest.channelByName(chat.teamId, 'nothing'), undefined);
  assert.ok((await rest.myChannels(chat.teamId)).some((channel) => channel.id === chat.channelId));
});

test('an archived channel is found only when asked for', async () => {
  const { rest, token } = chat.bot;
  const made = await rest.createChannel({ teamId: chat.teamId, name: 'old-one', displayName: 'Old', type: 'P' });
  assert.deepEqual([made.type, made.archived], ['P', false]);
  await fetch(`${chat.sim.url}/api/v4/channels/${made.id}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${token}` },
  });
  assert.equal(await rest.channelByName(chat.teamId, 'old-one'), undefined);
  assert.equal((await rest.channelByName(chat.teamId, 'old-one', { includeDeleted: true }))?.archived, true);
});

test('a member can be added twice', async () => {
  const made = await chat.bot.rest.createChannel({ teamId: chat.teamId, name: 'invite', displayName: 'I', type: 'P' });
  await chat.bot.rest.addMember(made.id, chat.alice.id);
  await chat.bot.rest.addMember(made.id, chat.alice.id);
  assert.ok((await chat.alice.rest.myChannels(chat.teamId)).some((channel) => channel.id === made.id));
});

test('a post is written, patched, read and deleted; deleting twice is fine', async () => {
  const { rest } = chat.bot;
  const props = { csm_key: 'a/1', attachments: [{ text: 'card' }] };
  const post = await rest.createPost({ channelId: chat.channelId, rootId: '', message: 'one', props });
  assert.deepEqual([post.message, post.key, post.userId, post.automated], ['one', 'a/1', chat.bot.id, true]);
  assert.equal(threadOf(post), post.id);
  assert.equal((await rest.patchPost(post.id, { message: 'two' })).message, 'two');
  const read = await rest.getPost(post.id);
  assert.deepEqual([read?.message, read?.key], ['two', 'a/1'], 'props stay when only the message is patched');
  await rest.deletePost(post.id);
  await rest.deletePost(post.id);
  assert.equal(await rest.getPost(post.id), undefined);
  const hers = await chat.say('hers');
  await assert.rejects(rest.deletePost(hers), (error: unknown) => isChatError(error, 'CHAT_POST_GONE'));
});

test('the limit of a message counts code points, and nothing longer is sent', async () => {
  const { rest } = chat.bot;
  const place = { channelId: chat.channelId, rootId: '' };
  const full = '🦊'.repeat(MAX_POST_LENGTH);
  assert.equal(full.length, 2 * MAX_POST_LENGTH);
  const post = await rest.createPost({ ...place, message: full });
  assert.equal(post.message, full);
  // Nobody listens there: what is refused in these words was never sent.
  const nowhere = createMattermostRest({ url: 'http://127.0.0.1:9', token: 'x' });
  await assert.rejects(nowhere.createPost({ ...place, message: `${full}x` }), isTooLong);
  await assert.rejects(nowhere.patchPost(post.id, { message: 'x'.repeat(MAX_POST_LENGTH + 1) }), isTooLong);
});

test('length in code points is the length of the spread text, for any text', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => postLength(text) === [...text].length));
  assert.equal(postLength('👩‍👩‍👧é'), [...'👩‍👩‍👧é'].length);
});

test('a thread is read whole, oldest first, each post once, by any of its posts', async () => {
  const root = await chat.say('root');
  const replies: string[] = [];
  for (let i = 0; i < 5; i += 1) replies.push(await chat.say(`reply ${i}`, root));
  const posts = await chat.bot.rest.thread(root);
  assert.deepEqual(posts.map(({ id }) => id).sort(), [root, ...replies].sort());
  // Posts of one millisecond are in no order.
  const times = posts.map(({ createAt }) => createAt);
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
  assert.deepEqual((await chat.bot.rest.thread(replies[2] ?? '')).length, 6);
  assert.deepEqual(await chat.bot.rest.thread(MISSING), []);
});

test('reactions can be added and taken away, also when they are gone', async () => {
  const post = await chat.say('react');
  await chat.bot.rest.addReaction(chat.bot.id, post, 'eyes');
  await chat.bot.rest.removeReaction(post, 'eyes');
  await chat.bot.rest.removeReaction(post, 'eyes');
});

test('files go up and come down, and not beyond the size asked for', async () => {
  const bytes = Buffer.from('ünïcode and \0 bytes', 'utf8');
  const file = await chat.alice.rest.uploadFile({ channelId: chat.channelId, name: 'a bü.txt', bytes });
  assert.equal(file.name, 'a bü.txt');
  assert.equal((await chat.alice.rest.fileInfo(file.id)).size, bytes.length);
  const post = { channelId: chat.channelId, rootId: '', message: 'see', fileIds: [file.id] };
  assert.deepEqual((await chat.alice.rest.createPost(post)).fileIds, [file.id]);
  assert.deepEqual(await chat.bot.rest.downloadFile(file.id, bytes.length), bytes);
  await assert.rejects(
    chat.bot.rest.downloadFile(file.id, bytes.length - 1),
    (error: unknown) => error instanceof ChatError && error.code === 'CHAT_TOO_BIG',
  );
});

test('what cannot be whispered is said aloud', async () => {
  await chat.bot.rest.typing(chat.channelId, '');
  const whispered = await chat.bot.rest.whisper(chat.alice.id, {
    channelId: chat.channelId,
    rootId: '',
    message: 'psst',
  });
  assert.equal(whispered.private, false);
  const { posts } = await chat.alice.rest.latestPosts(chat.channelId, 0);
  assert.equal(posts.at(-1)?.message, 'psst');
});

test('no value can lead a path elsewhere', () => {
  fc.assert(
    fc.property(fc.string(), (value) => {
      let made: string;
      try {
        made = path`/users/username/${value}`;
      } catch (error) {
        return error instanceof ChatError;
      }
      const { pathname, search, hash } = new URL(`http://host/api/v4${made}`);
      return pathname.split('/').length === 6 && pathname.startsWith('/api/v4/users/username/') && search + hash === '';
    }),
    { examples: [['..'], ['.'], [''], ['a/../../b'], ['?x=1'], ['#'], ['%2e%2e']] },
  );
});

test.run();
