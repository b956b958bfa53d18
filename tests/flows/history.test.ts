// @limit 240
// What is read of the thread that a session began in, against the strict stand-in of the chat server.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ActorView, StoredOutput } from '../../src/actors/index.ts';
import { createMattermostRest, type MattermostRest } from '../../src/adapters/mattermost/index.ts';
import { createHistory } from '../../src/flows/history.ts';
import { type Chat, startChat } from '../adapters/mattermost/support.ts';

interface Context {
  chat: Chat;
}

const test = suite<Context>('what was said before');
const SESSION = 'session/s' as const;

test.before.each(async (context) => {
  let now = Date.now();
  // Two posts of one millisecond have no order of their own.
  context.chat = await startChat({
    now: () => {
      now += 1;
      return now;
    },
  });
});
test.after.each(async ({ chat }) => chat.sim.close());

/** @param rows of the transcript. @returns what is quoted, and how often the chat was asked */
function reading(
  { chat }: Context,
  rootId: string,
  askedBy: { id: string; createAt: number },
  rows: StoredOutput[] = [],
) {
  let requests = 0;
  const counted =
    <Args extends unknown[], Result>(ask: (...args: Args) => Result) =>
    (...args: Args): Result => {
      requests += 1;
      return ask(...args);
    };
  const rest: Pick<MattermostRest, 'threadBefore' | 'usersByIds'> = {
    threadBefore: counted(chat.bot.rest.threadBefore),
    usersByIds: counted(chat.bot.rest.usersByIds),
  };
  const context = {
    createdAt: askedBy.createAt,
    request: { askedIn: { channelId: chat.channelId, rootId }, askedBy: askedBy.id },
  };
  const historyOf = createHistory({
    store: { readTranscript: async () => rows },
    runtime: { read: async () => ({ address: SESSION, kind: 'session', context }) as unknown as ActorView },
    rest,
    posting: { call: (_priority, work) => work() },
    botUserId: chat.bot.id,
    trigger: '@claude',
  });
  return { historyOf, requests: () => requests };
}

async function askedBy({ chat }: Context, rootId: string) {
  const id = await chat.say('@claude start acme/web', rootId);
  const post = await chat.bot.rest.getPost(id);
  return { id, createAt: post?.createAt ?? 0 };
}

test('RT-51: of a thread of 2,000 posts the newest are read, in two requests', async (context) => {
  const { chat } = context;
  const { channelId } = chat;
  const rootId = await chat.say('the build is broken');
  const bob = chat.sim.createUser({ username: 'bob', teamIds: [chat.teamId] });
  chat.sim.addMember(channelId, bob.id);
  const both = [chat.alice.rest, createMattermostRest({ url: chat.sim.url, token: bob.token })];
  for (let index = 1; index < 2_000; index += 1) {
    await both[index % 2]?.createPost({ channelId, rootId, message: `reply ${index} end` });
  }
  const started = await askedBy(context, rootId);
  await chat.say('said after the start', rootId);
  const { historyOf, requests } = reading(context, rootId, started);
  const { text, shown, whole } = await historyOf(SESSION, 'thread');
  assert.is(requests(), 2);
  assert.match(text, /bob wrote:\n> reply 1999 end/);
  assert.match(text, /reply 1801 end/);
  assert.match(text, /the build is broken/, 'what it is about');
  assert.not.match(text, /reply 1700 end/);
  assert.not.match(text, /said after the start|@claude start/);
  assert.ok(text.indexOf('reply 1998 end') < text.indexOf('reply 1999 end'));
  assert.not(whole);
  assert.is(shown, 201);
});

test('the speakers are named; commands, announcements and what the bot said are left out; cards and files are told', async (context) => {
  const { chat } = context;
  const root = await chat.alice.rest.createPost({
    channelId: chat.channelId,
    rootId: '',
    message: '',
    props: {
      attachments: [{ title: 'Disk full', text: 'on host seven', fields: [{ title: 'since', value: 'noon' }] }],
    },
  });
  const bob = chat.sim.createUser({ username: 'bob', teamIds: [chat.teamId] });
  chat.sim.addMember(chat.channelId, bob.id);
  await chat.say('who looks at it?', root.id);
  await chat.say('@claude help', root.id);
  await chat.bot.rest.createPost({ channelId: chat.channelId, rootId: root.id, message: 'the list of commands' });
  const file = await chat.alice.rest.uploadFile({
    channelId: chat.channelId,
    name: 'log.txt',
    bytes: Buffer.from('x'),
  });
  await chat.alice.rest.createPost({ channelId: chat.channelId, rootId: root.id, message: '', fileIds: [file.id] });
  const { historyOf } = reading(context, root.id, await askedBy(context, root.id));
  const { text, shown, whole } = await historyOf(SESSION, 'thread');
  assert.match(text, /alice wrote:\n> Disk full\n> on host seven\n> since: noon/);
  assert.match(text, /alice wrote:\n> who looks at it\?/);
  assert.match(text, /a file is attached/);
  assert.not.match(text, /list of commands|@claude help/);
  assert.is(shown, 3);
  assert.ok(whole);
});

test('a memory that is lost is given back with the thread that the session began in, before what was said since', async (context) => {
  const { chat } = context;
  const rootId = await chat.say('the build is broken');
  const started = await askedBy(context, rootId);
  const rows = [
    { kind: 'heard', body: { postId: 'p1', author: 'alice', text: 'mend it' } },
    { kind: 'turnStarted', body: { turnId: 't1', inputIds: ['p1'] } },
    { kind: 'textBlock', body: { turnId: 't1', blockId: 'b', text: 'It is mended.' } },
  ].map((row, id) => ({ ...row, id, at: id, seq: id, firstSeq: id, logId: 'log' }));
  const { text } = await reading(context, rootId, started, rows).historyOf(SESSION, 'lost');
  const [build, ask, answer] = ['the build is broken', 'mend it', 'It is mended.'].map((words) => text.indexOf(words));
  assert.ok(build !== undefined && ask !== undefined && answer !== undefined);
  assert.ok(build >= 0 && build < ask && ask < answer);
});

test('of a thread whose root is gone nothing is given', async (context) => {
  const { chat } = context;
  const rootId = await chat.say('soon gone');
  const started = await askedBy(context, rootId);
  await chat.alice.rest.deletePost(rootId);
  const { shown } = await reading(context, rootId, started).historyOf(SESSION, 'thread');
  assert.is(shown, 0);
});

test.run();
