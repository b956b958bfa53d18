// What becomes of a post that nobody has room for.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ActorView, type AuditEntry, type InboxItem, RetryableError, silentLog } from '../../src/actors/index.ts';
import type { ChatPost } from '../../src/adapters/mattermost/index.ts';
import { createIngress, type IngressPorts } from '../../src/flows/ingress.ts';
import { createReadGate } from '../../src/flows/readGate.ts';
import { type Address, GATEWAY } from '../../src/machines/addresses.ts';

const POST: ChatPost = {
  id: 'p1',
  channelId: 'c',
  rootId: 'r',
  userId: 'u',
  message: 'hello',
  type: '',
  createAt: 1,
  updateAt: 1,
  editAt: 0,
  deleteAt: 0,
  fileIds: [],
  cards: '',
  automated: false,
  key: undefined,
};

/** The server knows this account for a bot's, though nothing in its posts says so. */
const ROBOT = { id: 'robot', username: 'robot', isBot: true, active: true };

/** Only what is asked for here; anything else that is called fails the test. */
function only<Port>(name: string, methods: Partial<Port>): Port {
  return new Proxy(methods as Port & object, {
    get(target, method, receiver) {
      if (!(method in target)) throw new Error(`${name}.${String(method)} is called`);
      return Reflect.get(target, method, receiver);
    },
  });
}

/**
 * @param isFull whose inbox has no room @param threads sessions by the root of their thread
 * @param sessions what is known of sessions
 */
function listening(
  isFull: (address: Address) => boolean,
  threads: Readonly<Record<string, Address>> = { r: 'session/s' },
  sessions: Readonly<Record<Address, ActorView>> = {},
  answers: IngressPorts['answers'] = { inWords: async () => undefined, bySign: async () => undefined },
) {
  const asked: InboxItem[] = [];
  const recorded: AuditEntry[] = [];
  const gate = createReadGate();
  gate.openAll(gate.mark(), []);
  const rules: IngressPorts['rules'] = {
    trigger: '@claude',
    defaultOrg: 'acme',
    localRepos: {},
    allowPaths: false,
    allowed: () => ({ ok: true }),
    isApprover: () => false,
  };
  const ingress = createIngress({
    runtime: {
      async deliver(items) {
        asked.push(...items);
        if (asked.length > 50) throw new Error('asked again and again');
        return items.map(({ to }) => (isFull(to) ? 'busy' : 'accepted'));
      },
      read: async (address) => sessions[address],
    },
    store: only<IngressPorts['store']>('store', {
      findThread: async (rootId) => {
        const session = threads[rootId];
        return session && { session, rootId, channelId: 'c' };
      },
      isProjectChannel: async (channelId) => channelId === 'project',
      sessionsInChannel: async () => [],
      findPost: async (postId) => {
        const fields = { channelId: 'c', rootId: 'r', postId, contentHash: '', attemptAt: 1 };
        return { ...fields, key: 'card/approval/s/r/1', session: 'approval/s/r', state: 'posted' };
      },
    }),
    rest: only<IngressPorts['rest']>('rest', {
      usersByIds: async (ids) => (ids.includes(ROBOT.id) ? [ROBOT] : []),
    }),
    gate,
    answers,
    botUserId: 'bot',
    rules,
    permalink: (id) => `/pl/${id}`,
    record: async (entry) => void recorded.push(entry),
    onRefused: async () => undefined,
    loopLimit: 10,
    log: silentLog,
    now: () => 5,
  });
  return {
    asked,
    recorded,
    ingress,
    take: (post: Partial<ChatPost> = {}) =>
      ingress.takeRead({ type: 'posted', post: { ...POST, ...post }, channelType: 'O', teamId: 't' }),
    edited: (post: Partial<ChatPost>) => ingress.takeRead({ type: 'edited', post: { ...POST, ...post } }),
    deleted: (post: Partial<ChatPost>) => ingress.takeRead({ type: 'deleted', post: { ...POST, ...post } }),
  };
}

test('a message to a session that has too much waiting is answered, not dropped', async () => {
  const { asked, take } = listening((address) => address !== GATEWAY);
  await take();
  assert.equal(
    asked.map(({ to, event }) => [to, event.type]),
    [
      ['session/s', 'PROMPT'],
      [GATEWAY, 'COMMAND.REFUSED'],
    ],
  );
});

test('every command is recorded before it is passed on, a message to the agent is not; what has no room is recorded as refused, too', async () => {
  const { asked, recorded, take } = listening((address) => address === 'session/s' && asked.length > 1);
  await take({ id: 'a', message: '@claude stop --all' });
  await take({ id: 'b', message: 'hello' });
  await take({ id: 'c', message: '@claude steer a secret plan' });
  await take({ id: 'd', message: '@claude start acme/web --review', rootId: '' });
  await take({ id: 'e', message: '@claude stpo' });
  await take({ id: 'f', message: '@claude queue drop nothing' });
  assert.equal(
    recorded.map(({ key, action, subject, detail }) => [key, action, subject, detail.command]),
    [
      ['command/a', 'command.given', 'session/s', 'stop'],
      ['command/c', 'command.given', 'session/s', 'steer'],
      ['command/c/refused', 'command.refused', 'session/s', 'steer'],
      ['command/d', 'command.given', GATEWAY, 'start'],
      ['command/e', 'command.refused', '', 'stpo'],
      ['command/f', 'command.refused', GATEWAY, 'queue'],
    ],
  );
  assert.equal(recorded[0]?.detail.arguments, { container: false, all: true });
  assert.match(JSON.stringify(recorded[3]?.detail), /"repo":"acme\/web".*"review":true/);
  assert.not.match(JSON.stringify(recorded), /secret plan/);
  assert.match(String(recorded[4]?.detail.why), /There is no command/);
});

test('a message that was refused is not taken after all when it is read again', async () => {
  let isFull = true;
  const { asked, take } = listening((address) => isFull && address !== GATEWAY);
  await take();
  isFull = false;
  await take();
  const keys = asked.map(({ dedupKey }) => dedupKey);
  assert.equal(new Set(keys).size, 1, keys.join());
});

test('a message that nobody can even refuse is left to be read again later', async () => {
  const { asked, take } = listening(() => true);
  let failure: unknown;
  await take().catch((error: unknown) => {
    failure = error;
  });
  assert.instance(failure, RetryableError);
  assert.is(asked.length, 2);
});

const never = () => false;
const heardBy = (asked: readonly InboxItem[]) => asked.map(({ to, event }) => `${to} ${event.type}`);

test('RT-9: the root of a thread, which names no root itself, and its replies belong to one session', async () => {
  const { asked, take, edited, deleted } = listening(never, { p0: 'session/mine', other: 'session/theirs' });
  const root = { id: 'p0', rootId: '' };
  await take({ id: 'p1', rootId: 'p0' });
  await edited({ ...root, editAt: 2, message: 'say it in other words' });
  await edited({ id: 'p1', rootId: 'p0', editAt: 3 });
  await take({ id: 'p2', rootId: 'other' });
  await deleted(root);
  assert.equal(heardBy(asked), [
    'session/mine PROMPT',
    'session/mine POST.EDITED',
    'session/mine POST.EDITED',
    'session/theirs PROMPT',
    'session/mine COMMAND.STOP',
  ]);
});

test('RT-10: a post that the server changed by itself (a preview of a link, a pin, a reaction) is not edited', async () => {
  const { asked, take, edited } = listening(never);
  await take({ message: 'see https://example.org' });
  await edited({ message: 'see https://example.org', updateAt: 9 });
  assert.equal(heardBy(asked), ['session/s PROMPT']);
  // Edited by its author, and then given a preview: one edit, under one key.
  const words = { message: 'see https://example.com', editAt: 10 };
  await edited({ ...words, updateAt: 10 });
  await edited({ ...words, updateAt: 11 });
  const keys = asked.slice(1).map(({ dedupKey }) => dedupKey);
  assert.equal([keys.length, new Set(keys).size], [2, 1]);
});

test('RT-52: whatever a message is made of, it is not taken for an empty one', async () => {
  const shapes: Partial<ChatPost>[] = [
    { message: '', fileIds: ['f1'] },
    { message: ' \n', fileIds: ['f1', 'f2'] },
    { message: '| a | b |\n|---|---|\n| 1 | 2 |' },
    { message: '```\n\n```' },
    { message: '> quoted' },
    { message: '👍' },
    { message: '---' },
    { message: '![](http://example.org/x.png)' },
    { message: '\u00a0.' },
    { message: '🚨 **ALERT** disk full' },
  ];
  const { asked, take } = listening(never);
  for (const [index, shape] of shapes.entries()) await take({ ...shape, id: `p${index}` });
  assert.equal(
    asked.map(({ event }) => [event.type, event.text, event.fileIds]),
    shapes.map(({ message, fileIds = [] }) => ['PROMPT', message, fileIds]),
  );
});

/** Who posts what, one thing after the other, so many seconds apart. @returns what came of it */
async function talk(posts: readonly Partial<ChatPost>[], everyMs: number) {
  const { asked, take } = listening(never);
  for (const [index, post] of posts.entries()) {
    await take({ ...post, id: `p${index}`, createAt: 1 + index * everyMs });
  }
  const prompts = asked.filter(({ event }) => event.type === 'PROMPT').length;
  const told = asked.flatMap(({ event }) => (event.type === 'COMMAND.REFUSED' ? [String(event.message)] : []));
  return { prompts, told };
}

const CONFUSED = { message: '@claude I do not understand that, @claude' };
const ANSWER = { userId: 'bot', message: 'Claude says something.' };
const times = (count: number, ...posts: readonly Partial<ChatPost>[]) =>
  Array.from({ length: count }, () => posts).flat();

test('RT-6: a bot that answers every refusal is never answered; an account that does not say it is one, a few times', async () => {
  assert.equal((await talk(times(60, { ...CONFUSED, automated: true }), 1_000)).told, []);
  assert.equal((await talk(times(60, { ...CONFUSED, userId: ROBOT.id }), 1_000)).told, []);
  const { told } = await talk(times(2_000, CONFUSED), 1_000);
  assert.is(told.length, 10);
  assert.match(told.at(-1) ?? '', /In case two programs are talking/);
  assert.is(
    (await talk(times(45, CONFUSED), 10_000)).told.length,
    45,
    'a person who mistypes now and then is always told',
  );
});

test('RT-6: a program that answers every answer gets no more than a few, is told once, and nothing while it goes on', async () => {
  const loop = await talk(times(1_000, { message: 'And what do you think of that?' }, ANSWER), 1_000);
  assert.is(loop.prompts, 9);
  assert.is(loop.told.length, 1);
  assert.match(loop.told[0] ?? '', /answered each other 10 times within a minute/);
});

test('people are left alone: many messages in a row, several people at once, and whoever talks at the pace of people', async () => {
  assert.is((await talk(times(40, { message: 'one more thing' }), 100)).prompts, 40, 'nobody has answered yet');
  const crowd = Array.from({ length: 30 }, (_, index) => [{ userId: `u${index}`, message: 'and me?' }, ANSWER]).flat();
  assert.is((await talk(crowd, 100)).prompts, 30);
  assert.is((await talk(times(40, { message: 'go on' }, ANSWER), 4_000)).prompts, 40);
});

test('what is read more than once is one exchange', async () => {
  const { asked, take } = listening(never);
  for (let again = 0; again < 10; again += 1) {
    for (const [index, post] of times(5, { message: 'ping' }, ANSWER).entries()) {
      await take({ ...post, id: `p${index}`, createAt: 1 + index });
    }
  }
  assert.not(asked.some(({ event }) => event.type === 'COMMAND.REFUSED'));
});

test('who is left alone can still stop a session', async () => {
  const { asked, take } = listening(never);
  for (const [index, post] of times(15, { message: 'ping' }, ANSWER).entries()) {
    await take({ ...post, id: `p${index}`, createAt: 1 + index });
  }
  await take({ id: 'stop', message: '@claude stop', createAt: 100 });
  assert.is(asked.at(-1)?.event.type, 'COMMAND.STOP');
});

/** Asked for at top level by the post `ask`; its thread is elsewhere. @param rootId of that thread; empty: there is none */
function askedFor(rootId: string, value: ActorView['value']) {
  const context = { rootId, request: { repo: { repo: 'acme/web' }, owner: { id: 'u', name: 'alice' } } };
  const view = { address: 'session/ask', kind: 'session', status: 'active', value, context } as unknown as ActorView;
  return listening(never, {}, { 'session/ask': view });
}

const toldIn = (items: readonly InboxItem[]) =>
  items.map(({ to, event, dedupKey }) => `${to} ${event.type} ${dedupKey} ${event.message ?? event.prefix ?? ''}`);

test('words below the post that asked for a session are answered with the way to its thread, once for each person', async () => {
  const { asked: items, take } = askedFor('own', { active: 'open' });
  for (const [id, userId] of [
    ['p1', 'u'],
    ['p2', 'u'],
    ['p3', 'v'],
  ] as const) {
    await take({ id, userId, rootId: 'ask', message: 'also run the tests' });
  }
  await take({ id: 'p4', rootId: 'ask', message: '@claude, are you there?' });
  const keys = items.map(({ dedupKey }) => dedupKey);
  assert.equal(keys, ['told/ask/there/u', 'told/ask/there/u', 'told/ask/there/v', 'post/p4']);
  for (const said of toldIn(items)) assert.match(said, /Claude does not read this thread.*acme\/web.*\(\/pl\/own\)/);
});

test('a stop below the post that asked for a session stops it; other commands are for its thread', async () => {
  const { asked: items, take, recorded } = askedFor('own', { active: 'open' });
  await take({ id: 'p1', rootId: 'ask', message: '@claude stop --container' });
  await take({ id: 'p2', rootId: 'ask', message: '@claude status' });
  await take({ id: 'p3', rootId: 'ask', message: '@claude context' });
  await take({ id: 'p4', rootId: 'ask', message: '@claude queue up' });
  await take({ id: 'p5', rootId: 'ask', message: '@claude /review' });
  const said = toldIn(items);
  assert.is(said[0], `${GATEWAY} COMMAND.STOP_PREFIX post/p1 ask`);
  assert.equal([items[0]?.event.container, items[0]?.event.all], [true, false]);
  assert.match(said[1] ?? '', /COMMAND\.STATUS/);
  assert.match(said[2] ?? '', /COMMAND\.REFUSED post\/p3 `context` works only in .*\(\/pl\/own\): write there/);
  assert.match(said[3] ?? '', /`queue` works only in .*\(\/pl\/own\)/);
  assert.match(said[4] ?? '', /`\/review` works only in .*\(\/pl\/own\)/);
  assert.is(recorded.length, 5);
});

test('a session that got no thread is tried again where it was asked for; one that is being made says so', async () => {
  const failed = askedFor('', 'failed');
  await failed.take({ id: 'p1', rootId: 'ask', message: '@claude retry' });
  await failed.take({ id: 'p2', rootId: 'ask', message: 'hello?' });
  assert.match(toldIn(failed.asked)[0] ?? '', /^session\/ask COMMAND\.RETRY/);
  assert.match(toldIn(failed.asked)[1] ?? '', /got no thread.*`@claude retry`/);
  const opening = askedFor('', { opening: 'thread' });
  await opening.take({ id: 'p1', rootId: 'ask', message: '@claude retry' });
  await opening.take({ id: 'p2', rootId: 'ask', message: 'hello?' });
  for (const said of toldIn(opening.asked)) assert.match(said, /still being made; the link .* comes here/);
});

test('at top level only the channels of repositories are listened to, and there who is not heard is told once a day', async () => {
  const { asked: items, take } = listening(never);
  const DAY = 86_400_000;
  await take({ id: 'p1', rootId: '', message: 'lunch?' });
  await take({ id: 'p2', rootId: '', channelId: 'project', message: 'fix the build' });
  await take({ id: 'p3', rootId: '', channelId: 'project', message: 'please', createAt: 2 });
  await take({ id: 'p4', rootId: '', channelId: 'project', message: 'hello?', createAt: 2 + DAY });
  assert.equal(
    items.map(({ dedupKey }) => dedupKey),
    ['told/project/none/1970-01-01/u', 'told/project/none/1970-01-01/u', 'told/project/none/1970-01-02/u'],
  );
  assert.match(String(items[0]?.event.message), /No session is running in this channel/);
});

test('who is told something once is not taken for a program', async () => {
  const { asked: items, take } = askedFor('own', { active: 'open' });
  for (let index = 0; index < 30; index += 1) {
    await take({ id: `p${index}`, rootId: 'ask', message: 'people talk here', createAt: 1 + index });
    await take({ ...ANSWER, id: `a${index}`, rootId: 'ask', createAt: 1 + index });
  }
  assert.is(new Set(items.map(({ dedupKey }) => dedupKey)).size, 1);
});

test('after a minute of silence everything is as before', async () => {
  const before = times(15, { message: 'ping' }, ANSWER).map((post, index) => ({ ...post, createAt: 1 + index * 500 }));
  const { asked, take } = listening(never);
  for (const [index, post] of before.entries()) await take({ ...post, id: `a${index}` });
  await take({ id: 'later', message: 'hello again', createAt: 90_000 });
  assert.is(asked.at(-1)?.event.text, 'hello again');
});

/** Answers that wait for a card that does not come. */
function waiting() {
  let begun = 0;
  const forEver = () => {
    begun += 1;
    return new Promise<undefined>(() => undefined);
  };
  const answers: IngressPorts['answers'] = {
    inWords: ({ prompt }) => (prompt.text === 'yes' ? forEver() : Promise.resolve(undefined)),
    bySign: forEver,
  };
  return { answers, begun: () => begun };
}

const stream = (post: Partial<ChatPost>) =>
  ({ type: 'posted', post: { ...POST, ...post }, channelType: 'O', teamId: 't' }) as const;

test('what waits for a card in one channel holds up nothing that is said in another', async () => {
  const { answers, begun } = waiting();
  const { asked, ingress } = listening(never, { r: 'session/s', other: 'session/other' }, {}, answers);
  ingress.take(stream({ message: 'yes' })).catch(assert.unreachable);
  while (begun() === 0) await new Promise((resolve) => setImmediate(resolve));
  await ingress.take(stream({ id: 'p2', channelId: 'd', rootId: 'other' }));
  await ingress.takeRead(stream({ id: 'p3', channelId: 'e', rootId: 'other' }));
  assert.equal(heardBy(asked), ['session/other PROMPT', 'session/other PROMPT']);
});

test('a reaction that waits for its card holds up nothing that is said in its channel', async () => {
  const { answers, begun } = waiting();
  const { asked, ingress } = listening(never, { r: 'session/s' }, {}, answers);
  const sign = { postId: 'card', emoji: 'one', userId: 'u', createAt: 1, channelId: 'c' };
  ingress.take({ type: 'reactionAdded', ...sign }).catch(assert.unreachable);
  while (begun() === 0) await new Promise((resolve) => setImmediate(resolve));
  await ingress.take(stream({ id: 'p2', message: 'go on' }));
  assert.equal(heardBy(asked), ['session/s PROMPT']);
});

/** Answers of two kinds to the card of one request: by reactions, each of which waits until it is let go, and in words. */
function deciding() {
  const held: (() => void)[] = [];
  let asked = 0;
  const to = 'approval/s/r' as const;
  const decision = (who: string) => ({ kind: 'decide', to, event: { type: 'DECIDE', at: 1, who } }) as const;
  const answers: IngressPorts['answers'] = {
    async bySign(_owner, { by }) {
      await new Promise<void>((resolve) => held.push(resolve));
      return decision(by.id);
    },
    async inWords({ session, by }) {
      asked += 1;
      return session === 'session/s' ? decision(by.id) : undefined;
    },
  };
  return { answers, held, asked: () => asked };
}

const reaction = (userId: string, createAt: number) =>
  ({ type: 'reactionAdded', postId: 'card', emoji: '+1', userId, createAt, channelId: 'c' }) as const;

const turns = async (): Promise<void> => {
  for (let count = 0; count < 20; count += 1) await new Promise((resolve) => setImmediate(resolve));
};

test('words that would decide a card wait for an earlier reaction to it; another thread of the channel does not', async () => {
  const { answers, held, asked: askedInWords } = deciding();
  const { asked, ingress } = listening(never, { r: 'session/s', other: 'session/other' }, {}, answers);
  const sign = ingress.take(reaction('ann', 1));
  while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const elsewhere = ingress.take(stream({ id: 'p1', rootId: 'other', message: 'hello' }));
  const words = ingress.take(stream({ id: 'p2', userId: 'bob', message: 'no' }));
  await elsewhere;
  while (askedInWords() < 2) await new Promise((resolve) => setImmediate(resolve));
  await turns();
  assert.equal(heardBy(asked), ['session/other PROMPT']);
  held[0]?.();
  await Promise.all([sign, words]);
  assert.equal(
    asked.flatMap(({ event }) => (event.type === 'DECIDE' ? [event.who] : [])),
    ['ann', 'bob'],
  );
});

test('of two reactions to a card the earlier one is taken first, however long that takes', async () => {
  const { answers, held } = deciding();
  const { asked, ingress } = listening(never, { r: 'session/s' }, {}, answers);
  const first = ingress.take(reaction('ann', 1));
  while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
  // What is said meanwhile shows that the second one has had its turn in the channel.
  const second = ingress.take(reaction('bob', 2));
  await ingress.take(stream({ id: 'p1', userId: 'ann', rootId: 'none', message: 'hello' }));
  held[1]?.();
  await turns();
  assert.equal(asked, []);
  held[0]?.();
  await first;
  while (held.length < 2) await new Promise((resolve) => setImmediate(resolve));
  held[1]?.();
  await second;
  assert.equal(
    asked.map(({ event }) => event.who),
    ['ann', 'bob'],
  );
});

test.run();
