// @limit 240
// Reading up after a gap, on the real store and the chat's stand-in: nothing that the stream tells may hide what came before.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CursorMove, InboxItem, Store } from '../../src/actors/index.ts';
import { silentLog } from '../../src/actors/log.ts';
import type { ChatEvent, ChatPost, MattermostRest } from '../../src/adapters/mattermost/index.ts';
import { createStore } from '../../src/adapters/postgres/index.ts';
import { createAnswers } from '../../src/flows/answers.ts';
import { createIngress, type Ingress } from '../../src/flows/ingress.ts';
import { createReadGate } from '../../src/flows/readGate.ts';
import { createRecovery, type Recovery } from '../../src/flows/recovery.ts';
import { type Chat, startChat } from '../adapters/mattermost/support.ts';
import { startPostgres, type TestDatabase, type TestPostgres } from '../support/postgres.ts';

interface Context {
  postgres: TestPostgres;
  database: TestDatabase;
  store: Store;
  chat: Chat;
}

const test = suite<Context>('reading up');
test.before(async (context) => {
  context.postgres = await startPostgres();
});
test.after(async ({ postgres }) => postgres.stop());
test.before.each(async (context) => {
  // Every look at the clock is a millisecond later: posts of one millisecond have no order.
  let now = Date.now();
  context.chat = await startChat({ now: () => now++ });
  context.database = await context.postgres.freshDatabase();
  context.store = createStore(context.database.db);
});
test.after.each(async ({ chat }) => chat.sim.close());

/** What a leading process has of it; `refuse` makes the database fail for some events. @param direct channels of one person and the bot */
function listening(
  { store, chat }: Context,
  refuse: (item: InboxItem) => boolean = () => false,
  direct: readonly string[] = [],
) {
  const gate = createReadGate();
  const runtime = {
    async deliver(items: readonly InboxItem[], extra: { readonly cursors?: readonly CursorMove[] } = {}) {
      if (items.some(refuse)) throw new Error('the database does not answer');
      const { results } = await store.deliver(items, {
        term: undefined,
        limitOf: () => undefined,
        cursors: extra.cursors ?? [],
      });
      return results;
    },
    read: async () => undefined,
  };
  const rules = {
    trigger: '@claude',
    defaultOrg: 'acme',
    localRepos: {},
    allowPaths: false,
    allowed: () => ({ ok: true }) as const,
    isApprover: () => false,
  };
  const { id: botUserId } = chat.bot;
  const rest: MattermostRest = {
    ...chat.bot.rest,
    // The stand-in has no channels of this kind.
    myChannels: async (teamId) =>
      (await chat.bot.rest.myChannels(teamId)).map((channel) =>
        direct.includes(channel.id) ? { ...channel, type: 'D' } : channel,
      ),
  };
  const answers = createAnswers({
    runtime,
    whyNot: async () => undefined,
    mayOpenForGood: () => false,
    postedAt: async () => 0,
  });
  const ingress = createIngress({
    runtime,
    store,
    rest,
    gate,
    answers,
    botUserId,
    rules,
    permalink: (id) => id,
    record: async () => undefined,
    onRefused: async () => undefined,
    loopLimit: 0,
    log: silentLog,
    now: Date.now,
  });
  const { teamId } = chat;
  const recovery = createRecovery({ rest, store, runtime, ingress, gate, botUserId, teamId, log: silentLog });
  return { ingress, recovery };
}

async function posted(chat: Chat, id: string): Promise<ChatEvent> {
  const post = (await chat.bot.rest.getPost(id)) as ChatPost;
  return { type: 'posted', post, channelType: 'O', teamId: chat.teamId };
}

async function taken({ database }: Context): Promise<string[]> {
  const rows = await database.rows<{ id: string }>(`select event->>'postId' as id from inbox order by seq`);
  return rows.map(({ id }) => id);
}

const isOver = async (promise: Promise<unknown>): Promise<boolean> =>
  Promise.race([promise.then(() => true), new Promise<boolean>((resolve) => setImmediate(resolve, false))]);

/** A first life that knows the channel, then words that nobody heard. */
async function gone(context: Context): Promise<string[]> {
  await listening(context).recovery.readUp('start');
  const said: string[] = [];
  for (let index = 0; index < 3; index += 1) said.push(await context.chat.say('@claude help'));
  return said;
}

test('a message from after a gap waits for those from within it', async (context) => {
  const missed = await gone(context);
  const { ingress, recovery } = listening(context);
  const live = await context.chat.say('@claude status');
  const live_ = ingress.take(await posted(context.chat, live));
  assert.not(await isOver(live_));
  assert.equal(await taken(context), []);
  await recovery.readUp('start');
  await live_;
  assert.equal(await taken(context), [...missed, live]);
});

test('a message that was deleted in a gap is not taken when the stream tells of it after all', async (context) => {
  const { chat, database } = context;
  await listening(context).recovery.readUp('start');
  const { ingress, recovery } = listening(context);
  const said = await chat.say('@claude start demo');
  const told = await posted(chat, said);
  await chat.alice.rest.deletePost(said);
  const late = ingress.take(told);
  await recovery.readUp('start');
  await late;
  assert.equal(await database.rows(`select event->>'type' as type from inbox`), [{ type: 'POST.DELETED' }]);
});

test('a process that dies while it reads up leaves the cursor where it was', async (context) => {
  const missed = await gone(context);
  const before = await context.store.chatCursors();
  const dying: { ingress: Ingress; recovery: Recovery } = listening(context, ({ event }) => event.postId === missed[1]);
  let failed = false;
  await dying.recovery.readUp('start').catch(() => {
    failed = true;
  });
  assert.ok(failed);
  assert.equal(await context.store.chatCursors(), before);
  await listening(context).recovery.readUp('start');
  assert.equal(await taken(context), missed);
});

test('after an event that could not be taken nothing is taken before the channels are read up again', async (context) => {
  await gone(context);
  let broken = false;
  const { ingress, recovery } = listening(context, () => broken);
  await recovery.readUp('start');
  const first = await context.chat.say('@claude help');
  const second = await context.chat.say('@claude status');
  broken = true;
  const lost = ingress.take(await posted(context.chat, first));
  const next = ingress.take(await posted(context.chat, second));
  let failed = false;
  await lost.catch(() => {
    failed = true;
  });
  broken = false;
  assert.ok(failed);
  assert.not(await isOver(next));
  await recovery.readUp('failed event');
  await next;
  assert.equal((await taken(context)).slice(-2), [first, second]);
});

test('a channel that the bot made is read from its beginning, another one from where it came in', async (context) => {
  const { chat } = context;
  await chat.say('@claude help');
  const made = await chat.bot.rest.createChannel({
    teamId: chat.teamId,
    name: 'made',
    displayName: 'Made',
    type: 'P',
    purpose: '',
  });
  await chat.bot.rest.addMember(made.id, chat.alice.id);
  const { id } = await chat.alice.rest.createPost({ channelId: made.id, rootId: '', message: '@claude help' });
  await listening(context).recovery.readUp('start');
  assert.equal(await taken(context), [id]);
});

test('who writes to the bot directly in a gap is answered', async (context) => {
  const { chat } = context;
  await listening(context).recovery.readUp('start');
  const said = await chat.say('hello?');
  await listening(context, undefined, [chat.channelId]).recovery.readUp('start');
  assert.equal(await taken(context), [said]);
});

test('the first words that somebody writes to the bot directly are read, but none from before there was a gateway', async (context) => {
  const { chat } = context;
  const begin = async (name: string) => {
    const { id: channel } = chat.sim.createChannel({
      teamId: chat.teamId,
      name: name.replaceAll(' ', '-'),
      type: 'P',
      creatorId: chat.alice.id,
    });
    chat.sim.addMember(channel, chat.bot.id);
    return { channel, said: (await chat.alice.rest.createPost({ channelId: channel, rootId: '', message: name })).id };
  };
  const before = await begin('before');
  await listening(context, undefined, [before.channel]).recovery.readUp('start');
  assert.equal(await taken(context), []);
  const since = await begin('since');
  await begin('where others talk');
  await listening(context, undefined, [since.channel]).recovery.readUp('start');
  assert.equal(await taken(context), [since.said]);
});

test.run();
