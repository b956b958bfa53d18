// @limit 240
// Posts that are made once, on the real store and the chat's stand-in.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { INTERNAL_ERROR } from '../../simulator/src/mattermost/index.ts';
import { RetryableError, type Store, type StoredOutput, silentLog } from '../../src/actors/index.ts';
import { createStore } from '../../src/adapters/postgres/index.ts';
import { createMask } from '../../src/chat/masking.ts';
import { createPosting } from '../../src/flows/posting.ts';
import { createRateGovernor } from '../../src/flows/rateGovernor.ts';
import { createThreadView } from '../../src/flows/threadView.ts';
import { until } from '../actors/support.ts';
import { type Chat, startChat } from '../adapters/mattermost/support.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';

interface Context {
  postgres: TestPostgres;
  store: Store;
  chat: Chat;
}

const test = suite<Context>('posting');
test.before(async (context) => {
  context.postgres = await startPostgres();
  context.store = createStore((await context.postgres.freshDatabase()).db);
  context.chat = await startChat();
});
test.after(async ({ postgres, chat }) => {
  await chat.sim.close();
  await postgres.stop();
});

function posting({ chat }: Context, store: Store, leads = () => true) {
  const governor = createRateGovernor({ perSecond: 100, burst: 100 });
  const { rest, id: botUserId } = chat.bot;
  return createPosting({ rest, store, governor, botUserId, secret: 's', now: Date.now, leads });
}

const card = (text: string) => ({ attachments: [{ text, actions: [] }] });

for (const [what, first, second] of [
  ['words', { message: 'half of it' }, { message: 'half of it and the rest' }],
  ['a card', { message: '', props: card('open') }, { message: '', props: card('decided') }],
] as const) {
  test(`a post of ${what} whose maker died says in the end what it was to say last`, async (context) => {
    const { store, chat } = context;
    const place = { key: what, owner: 'session/s', channelId: chat.channelId, rootId: '' } as const;
    const dies = posting(context, {
      ...store,
      postCreated: async () => {
        throw new Error('killed');
      },
    });
    const before = chat.sim.log.created({ userId: chat.bot.id }).length;
    await dies.create({ ...place, ...first }, 'final').catch(() => undefined);
    const id = await posting(context, store).create({ ...place, ...second }, 'final');
    assert.is(chat.sim.log.created({ userId: chat.bot.id }).length, before + 1);
    const answer = await fetch(`${chat.sim.url}/api/v4/posts/${id}`, {
      headers: { authorization: `Bearer ${chat.alice.token}` },
    });
    const post = (await answer.json()) as { message: string; props: { attachments?: { text: string }[] } };
    assert.is(post.message, second.message);
    assert.is(post.props.attachments?.[0]?.text, 'props' in second ? 'decided' : undefined);
  });
}

test('an attempt that takes too long and the one after it are one request: a short budget is not spent on repeats', async (context) => {
  const { store, chat } = context;
  const governor = createRateGovernor({ perSecond: 100, burst: 1 });
  const { rest, id: botUserId } = chat.bot;
  let turns = 0;
  const turn: typeof governor.turn = (priority) => {
    turns += 1;
    return governor.turn(priority);
  };
  const made = createPosting({
    ...{ rest, store, botUserId, secret: 's', now: Date.now, leads: () => true },
    governor: { ...governor, turn },
  });
  governor.pause(300);
  const post = { key: 'slow', owner: 'session/s', channelId: chat.channelId, rootId: '', message: 'once' } as const;
  const attempts = [1, 2, 3].map(() => made.create(post, 'final'));
  await until('it waits', () => governor.waiting() > 0);
  attempts.push(made.create(post, 'final'));
  assert.is(new Set(await Promise.all(attempts)).size, 1);
  assert.is(await made.create(post, 'final'), await attempts[0], 'and it is known afterwards');
  assert.is(turns, 1);
});

test('who lost the lead while waiting for a turn writes nothing any more', async (context) => {
  const { store, chat } = context;
  const place = { key: 'late', owner: 'session/s', channelId: chat.channelId, rootId: '' } as const;
  const id = await posting(context, store).create({ ...place, message: 'what the next leader shows' }, 'final');
  const edits = () => chat.sim.log.entries().length;
  const before = edits();
  const deposed = posting(context, store, () => false);
  const late = deposed.call('final', () => chat.bot.rest.patchPost(id, { message: 'what was known before' }));
  await late.then(
    () => assert.unreachable('it was written'),
    (error: unknown) => assert.is(error instanceof RetryableError && error.code, 'NOT_LEADING'),
  );
  assert.is(edits(), before);
});

test('a post whose answer was lost is not made again when the attempts after it never got through', async (context) => {
  const { chat, store } = context;
  const { rest, id: botUserId } = chat.bot;
  const began = Date.now();
  let clock = began;
  let fate: 'answer lost' | 'not there' | 'works' = 'answer lost';
  const created: string[] = [];
  const forgetful: typeof rest = {
    ...rest,
    async createPost(post) {
      if (fate === 'not there') throw new Error('unreachable');
      // The server knows a pending id for 30 s from the post's making.
      const known = clock - began < 30_000 ? created[0] : undefined;
      const made = known === undefined ? await rest.createPost({ ...post, pendingPostId: `${clock}` }) : undefined;
      if (made) created.push(made.id);
      if (fate === 'answer lost' || made === undefined) throw new Error('the answer was lost');
      return made;
    },
  };
  const governor = createRateGovernor({ perSecond: 100, burst: 100 });
  const now = () => clock;
  const made = createPosting({ rest: forgetful, store, governor, botUserId, secret: 's', now, leads: () => true });
  const post = { key: 'once', owner: 'session/s', channelId: chat.channelId, rootId: '', message: 'once' } as const;
  await made.create(post, 'final').catch(() => undefined);
  fate = 'not there';
  for (const ms of [10_000, 20_000, 30_000]) {
    clock = began + ms;
    await made.create(post, 'final').catch(() => undefined);
  }
  fate = 'works';
  clock = began + 40_000;
  assert.is(await made.create(post, 'final'), created[0]);
  assert.is(created.length, 1);
});

test('RT-18: however its posts fail and whoever shows it meanwhile, a turn has one list of tasks', async (context) => {
  const { chat, store } = context;
  const session = 'session/tasks';
  const place = { session, channelId: chat.channelId, rootId: await chat.say('root') } as const;
  const rows: StoredOutput[] = [];
  const say = (kind: string, body: StoredOutput['body']) => {
    const id = rows.length + 1;
    rows.push({ id, logId: 'log', seq: id, firstSeq: id, at: id, kind, body });
  };
  const list = (status: string) => {
    const items = [{ text: 'feed the herons', status }];
    say('todoList', { items });
  };
  const view = () =>
    createThreadView({
      store: {
        ...store,
        threadOf: async () => ({ ...place, settled: 0 }),
        dirtyMark: async () => rows.length,
        readTranscript: async (_session, after = 0) => rows.filter(({ id }) => id > after),
        cleanThread: async () => undefined,
      },
      rest: chat.bot.rest,
      posting: posting(context, store),
      attach: async () => ({ problem: 'there are none' }),
      log: silentLog,
      undelivered: async () => undefined,
      verbosityOf: async () => 'normal',
      mask: createMask(),
      notices: { ended: async () => undefined },
      folderOf: async () => '',
      trigger: '@claude',
      pauseMs: 1,
    });
  // Two at once, as at a change of the leader that the first has not heard of yet.
  const views = [view(), view()];
  const posts = { method: 'POST', path: '/api/v4/posts' };
  const edits = { method: 'PUT', path: '/api/v4/posts/*/patch' };
  try {
    say('turnStarted', { turnId: 't' });
    for (let round = 0; round < 12; round += 1) {
      list(round % 2 === 0 ? 'TODO_STATUS_PENDING' : 'TODO_STATUS_IN_PROGRESS');
      if (round % 3 === 0) chat.sim.faults.loseAnswers(1, posts, 'cut');
      if (round % 3 === 1) chat.sim.faults.failNext(1, edits, INTERNAL_ERROR);
      const shown = views.flatMap((each) => {
        each.touch(session, ['todoList']);
        return [each.settle(session), each.settle(session)];
      });
      await Promise.allSettled(shown);
    }
    chat.sim.faults.clear();
    for (const each of views) await each.settle(session);
  } finally {
    for (const each of views) await each.stop();
  }
  const made = chat.sim.log.created({ userId: chat.bot.id, rootId: place.rootId });
  assert.is(made.length, 1);
  const answer = await fetch(`${chat.sim.url}/api/v4/posts/${made[0]?.postId}`, {
    headers: { authorization: `Bearer ${chat.alice.token}` },
  });
  const { message } = (await answer.json()) as { message: string };
  assert.is(message.split(/feed(?:ing)? the herons/i).length, 2, message);
});

test.run();
