// @limit 240
// One post per project channel with its live sessions: on the real table of posts and the chat's stand-in.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ActorSummary, type CommitNotice, type Store, silentLog } from '../../src/actors/index.ts';
import { createStore } from '../../src/adapters/postgres/index.ts';
import { type Boards, createBoards } from '../../src/flows/board.ts';
import { createPosting } from '../../src/flows/posting.ts';
import { createRateGovernor, type Priority } from '../../src/flows/rateGovernor.ts';
import type { Json } from '../../src/machines/json.ts';
import { until } from '../actors/support.ts';
import { type Chat, startChat } from '../adapters/mattermost/support.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';

interface Context {
  postgres: TestPostgres;
  store: Store;
  chat: Chat;
  sessions: ActorSummary[];
  looks: number;
  asked: Priority[];
  boards: Boards;
}

const test = suite<Context>('board');
test.before(async (context) => {
  context.postgres = await startPostgres();
});
test.before.each(async (context) => {
  context.chat = await startChat();
  context.store = createStore((await context.postgres.freshDatabase()).db);
  await context.store.putProjectChannel('acme/shop', context.chat.channelId);
  context.sessions = [];
  context.asked = [];
  context.looks = 0;
  context.boards = boardsOf(context);
});
test.after.each(async ({ boards, chat }) => {
  await boards.stop();
  await chat.sim.close();
});
test.after(({ postgres }) => postgres.stop());

/** @param made the server has it, and the boards do not know of it yet */
function boardsOf(context: Context, made: (postId: string) => Promise<void> = async () => {}): Boards {
  const { store, chat } = context;
  const { rest, id: botUserId } = chat.bot;
  const governor = createRateGovernor({ perSecond: 100, burst: 100 });
  const turn = (priority: Priority, signal?: AbortSignal) => {
    context.asked.push(priority);
    return governor.turn(priority, signal);
  };
  const posting = createPosting({
    rest,
    store,
    governor: { ...governor, turn },
    botUserId,
    secret: 's',
    now: Date.now,
    leads: () => true,
  });
  return createBoards({
    store: {
      ...store,
      listActors: async () => {
        context.looks += 1;
        return context.sessions;
      },
    },
    rest,
    posting: {
      ...posting,
      create: async (...asked) => {
        const id = await posting.create(...asked);
        await made(id);
        return id;
      },
    },
    permalink: (id) => `http://chat/pl/${id}`,
    trigger: '@claude',
    log: silentLog,
    pauseMs: 20,
  });
}

function session(id: string, channelId: string, changes: object = {}, value: Json = 'idle'): ActorSummary {
  const context = {
    channelId,
    rootId: `root-${id}`,
    title: '',
    branch: 'main',
    open: [],
    createdAt: 1,
    request: { owner: { name: 'alice' } },
    ...changes,
  };
  const fields = { kind: 'session', status: 'active', version: 1, rev: 1, wakeAt: undefined, updatedAt: 0 } as const;
  return {
    address: `session/${id}`,
    parent: undefined,
    value: { active: { conversation: value } },
    context,
    ...fields,
  };
}

const changed = (from: string, to: string): CommitNotice => {
  return { address: 'session/a', event: { type: 'X', at: 0 }, from, to, rev: 1, status: 'active', effects: [] };
};

async function postsOf({ chat }: Context) {
  const { posts } = await chat.bot.rest.latestPosts(chat.channelId, 0);
  return posts.filter(({ userId, type }) => userId === chat.bot.id && type === '');
}

/** The board, once it says so. */
async function board(context: Context, says: RegExp): Promise<{ readonly id: string; readonly message: string }> {
  let last = '';
  await until(`the board says ${says}`, async () => {
    last = (await postsOf(context)).at(-1)?.message ?? '';
    return says.test(last);
  });
  const posts = await postsOf(context);
  assert.is(posts.length, 1, 'there is one board');
  return posts[0] ?? { id: '', message: '' };
}

test('it names who started what, its state and its thread, behind everything else that is said', async (context) => {
  const { boards, chat, sessions } = context;
  sessions.push(
    session('bbbbbbbbbbbb', chat.channelId, { title: 'Pay | by @all', createdAt: 2 }, { thinking: 'working' }),
  );
  sessions.push(session('aaaaaaaaaaaa', chat.channelId, { open: ['r'] }));
  sessions.push(session('elsewhere', 'another-channel'), session('unborn', chat.channelId, { rootId: '' }));
  boards.resume();
  const { message } = await board(context, /Sessions/);
  assert.is(
    message,
    [
      '**Sessions** (2)',
      '',
      '| Session | State | Branch | Started by |',
      '|:--|:--|:--|:--|',
      '| [aaaaaaaa](http://chat/pl/root-aaaaaaaaaaaa) | ✋ waits for a person | main | alice |',
      '| [Pay \\| by @\u200ball](http://chat/pl/root-bbbbbbbbbbbb) | 💭 at work | main | alice |',
    ].join('\n'),
  );
  assert.equal([...new Set(context.asked)], ['board']);
});

test('many changes are few edits of the one post, and what says the same is not said again', async (context) => {
  const { boards, chat, sessions } = context;
  boards.resume();
  for (let i = 0; i < 30; i += 1) {
    sessions.push(session(`session${i}`, chat.channelId, { createdAt: i }));
    boards.onCommit(changed('a', 'b'));
  }
  await board(context, /\(30\)/);
  assert.ok(context.asked.length <= 3, `${context.asked.length} requests for 30 changes at once`);
  const before = context.asked.length;
  const looks = context.looks;
  boards.onCommit(changed('a', 'b'));
  await until('it has looked', () => context.looks > looks);
  boards.onCommit(changed('a', 'a'));
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.is(context.asked.length, before);
  assert.is(context.looks, looks + 1, 'a commit that changes no state is no reason to look');
});

test('after a restart the same post goes on, and a channel whose last session ended says so', async (context) => {
  const { boards, chat, sessions } = context;
  sessions.push(session('a', chat.channelId));
  boards.resume();
  const first = await board(context, /\(1\)/);
  await boards.stop();
  sessions.pop();
  context.boards = boardsOf(context);
  context.boards.resume();
  const later = await board(context, /None is running\. `@claude start/);
  assert.is(later.id, first.id);
});

test('one that a person deletes comes back once; a channel without sessions gets none', async (context) => {
  const { boards, chat, sessions } = context;
  boards.resume();
  await until('it has looked', () => context.looks > 0);
  assert.equal(await postsOf(context), []);
  sessions.push(session('a', chat.channelId));
  boards.onCommit(changed('a', 'b'));
  for (let round = 0; round < 3; round += 1) {
    const { id } = await board(context, /\(1\)/);
    await chat.bot.rest.deletePost(id);
    boards.deleted(chat.channelId);
    boards.deleted(chat.channelId);
    await until('there is another one', async () => (await postsOf(context)).some((post) => post.id !== id));
  }
  await boards.stop();
  context.boards = boardsOf(context);
  context.boards.resume();
  await until('it has looked', () => context.looks > 5);
  await board(context, /\(1\)/);
});

test('one that a person deletes before its making is noted comes back, too', async (context) => {
  const { chat, sessions } = context;
  let first: string | undefined;
  context.boards = boardsOf(context, async (id) => {
    if (first !== undefined) return;
    first = id;
    await chat.bot.rest.deletePost(id);
    context.boards.deleted(chat.channelId);
  });
  sessions.push(session('a', chat.channelId));
  context.boards.resume();
  await until('there is another one', async () => {
    return first !== undefined && (await postsOf(context)).some(({ id }) => id !== first);
  });
  await board(context, /\(1\)/);
});

test('a channel that refuses its board does not keep others from theirs', async (context) => {
  const { boards, chat, sessions, store } = context;
  await store.putProjectChannel('acme/archived', 'aaaaaaaaaaaaaaaaaaaaaaaaaa');
  sessions.push(session('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaa'), session('b', chat.channelId));
  boards.resume();
  await board(context, /\(1\)/);
});

test.run();
