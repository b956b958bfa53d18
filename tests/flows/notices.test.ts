// @limit 240
// Who is mentioned, and that it happens once: on the real store and the chat's stand-in.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ActorView, type Runtime, type Store, silentLog } from '../../src/actors/index.ts';
import { createStore } from '../../src/adapters/postgres/index.ts';
import { readEntry, type TranscriptEntry } from '../../src/chat/transcript.ts';
import { createNotices, type NoticePorts } from '../../src/flows/notices.ts';
import { createPosting } from '../../src/flows/posting.ts';
import { createRateGovernor } from '../../src/flows/rateGovernor.ts';
import type { ApprovalContext } from '../../src/machines/approval/context.ts';
import type { JsonObject } from '../../src/machines/json.ts';
import { type Chat, startChat } from '../adapters/mattermost/support.ts';
import { startPostgres, type TestDatabase, type TestPostgres } from '../support/postgres.ts';

const S = 'session/s' as const;
const MINUTE = 60_000;
const NOON = Date.parse('2026-07-01T12:00:00Z');

interface Context {
  postgres: TestPostgres;
  database: TestDatabase;
  store: Store;
  chat: Chat;
}

const test = suite<Context>('notices');
test.before(async (context) => {
  context.postgres = await startPostgres();
  context.chat = await startChat();
});
test.before.each(async (context) => {
  context.database = await context.postgres.freshDatabase();
  context.store = createStore(context.database.db);
});
test.after(async ({ postgres, chat }) => {
  await chat.sim.close();
  await postgres.stop();
});

function notices({ store, chat }: Context, changes: Partial<NoticePorts> = {}) {
  const { rest, id: botUserId } = chat.bot;
  const governor = createRateGovernor({ perSecond: 100, burst: 100 });
  const posting = createPosting({ rest, store, governor, botUserId, secret: 's', now: Date.now, leads: () => true });
  const now = () => NOON;
  return createNotices({
    store,
    runtime: sessionWith(null),
    posting,
    afterMs: 3 * MINUTE,
    quietHours: null,
    log: silentLog,
    now,
    ...changes,
  });
}

/** @param turn that the session runs */
function sessionWith(turn: object | null): Pick<Runtime, 'read'> {
  return { read: async () => ({ context: { turn } }) as unknown as ActorView };
}

/** Minutes before noon, what happened, and its fields. */
type Row = readonly [number, string, JsonObject];

function entriesOf(rows: readonly Row[]): TranscriptEntry[] {
  return rows.flatMap(([minutes, kind, body], index) => {
    return readEntry({ id: index + 1, at: NOON - minutes * MINUTE, kind, body }) ?? [];
  });
}

const turn = (inputIds: readonly string[], from: number, to: number, outcome = 'COMPLETED'): Row[] => [
  [from, 'turnStarted', { turnId: `t${from}`, inputIds }],
  [to, 'turnEnded', { turnId: `t${from}`, outcome: `TURN_OUTCOME_${outcome}` }],
];

/** A thread with a person's question that the session has heard, and what the bot says in it. */
async function threadOf({ chat, database }: Context) {
  const { channelId, alice, bot } = chat;
  const { id } = await alice.rest.createPost({ channelId, rootId: '', message: 'do something long' });
  const body = JSON.stringify({ postId: id, author: 'alice', authorId: alice.id, text: 'do something long' });
  await database.rows(
    `insert into transcript (session, log_id, seq, first_seq, at, kind, body)
     values ('${S}', 'notes:${id}', 1, 1, now(), 'heard', '${body}')`,
  );
  const said = async () => (await bot.rest.thread(id)).filter(({ userId }) => userId === bot.id).map((p) => p.message);
  return {
    id,
    said,
    shown: (rows: readonly Row[]) => ({ session: S, channelId, rootId: id, entries: entriesOf(rows) }),
  };
}

test('who asked is mentioned once when a long turn ends, however often the thread is shown again', async (context) => {
  const { id, said, shown } = await threadOf(context);
  const thread = shown(turn([id], 8, 1));
  await notices(context).ended(thread);
  await notices(context).ended(thread);
  await Promise.all([notices(context).ended(thread), notices(context).ended(thread)]);
  assert.equal(await said(), ['@alice Done after 7 min.']);
});

for (const [what, rows, changes] of [
  ['a short turn', (id: string) => turn([id], 3, 1), {}],
  ['a turn that was interrupted', (id: string) => turn([id], 9, 1, 'INTERRUPTED'), {}],
  ['a turn that began by itself', () => turn([], 9, 1), {}],
  ['news from before a long break', (id: string) => turn([id], 30, 11), {}],
  ['a long turn where that is turned off', (id: string) => turn([id], 9, 1), { afterMs: 0 }],
  ['a long turn in quiet hours', (id: string) => turn([id], 9, 1), { quietHours: { from: 0, to: 1439, zone: 'UTC' } }],
] as const) {
  test(`nobody is mentioned for ${what}`, async (context) => {
    const { id, said, shown } = await threadOf(context);
    await notices(context, changes).ended(shown(rows(id)));
    assert.equal(await said(), []);
  });
}

test('quiet hours are looked at when the turn ends, not when it is shown', async (context) => {
  const { id, said, shown } = await threadOf(context);
  const quietHours = { from: 11 * 60, to: 12 * 60, zone: 'UTC' };
  await notices(context, { quietHours }).ended(shown(turn([id], 9, 1)));
  assert.equal(await said(), []);
});

test('a person who was there a moment ago is not called: they wrote, or answered what they were asked', async (context) => {
  const { id, said, shown } = await threadOf(context);
  const [began, ended] = turn([id], 9, 1) as [Row, Row];
  const asked: Row = [8, 'approvalRequest', { requestId: 'r', kind: '', turnId: 't9', toolName: '', inputJson: '' }];
  const answered: Row = [2, 'toolResult', { turnId: 't9', toolUseId: 'u', isError: false, summary: '' }];
  await notices(context).ended(shown([began, [2, 'heard', { postId: 'p' }], ended]));
  await notices(context).ended(shown([began, asked, answered, ended]));
  assert.equal(await said(), []);
});

test('a turn that failed says so', async (context) => {
  const { id, said, shown } = await threadOf(context);
  await notices(context).ended(shown(turn([id], 9, 1, 'FAILED')));
  assert.equal(await said(), ['@alice The turn failed after 8 min.']);
});

function cardOf(changes: Partial<ApprovalContext> = {}): ApprovalContext {
  return {
    session: S,
    requestId: 'r',
    askedFor: { id: '', name: '' },
    askedAt: NOON,
    cardGeneration: 1,
    ...changes,
  } as ApprovalContext;
}

test('a card mentions who asked for the turn that asks, and who started the session where none runs', async (context) => {
  const { chat } = context;
  const alice = { id: chat.alice.id, name: 'alice' };
  const asked = { id: 'somebody', name: 'bob' };
  const runtime = sessionWith({ id: 't', startedAt: 1, by: alice });
  assert.is(await notices(context, { runtime }).forCard(cardOf({ askedFor: asked })), '@alice Claude waits for you:');
  assert.is(await notices(context).forCard(cardOf({ askedFor: asked })), '@bob Claude waits for you:');
  for (const changes of [{ cardGeneration: 2 }, { askedAt: NOON - 11 * MINUTE }]) {
    assert.is(await notices(context).forCard(cardOf({ askedFor: asked, ...changes })), '');
  }
});

test('a card waits neither for the chat server nor for a long transcript', async (context) => {
  const asks: string[] = [];
  const refused = (name: string) => async () => {
    asks.push(name);
    throw new Error(`${name} is asked`);
  };
  const store = { ...context.store, readTranscript: refused('readTranscript'), heardFrom: refused('heardFrom') };
  const posting = { create: refused('chat'), call: refused('chat') };
  const runtime = sessionWith({ id: 't', startedAt: 1, by: { id: context.chat.alice.id, name: 'alice' } });
  const words = await notices(context, { store, posting, runtime }).forCard(cardOf());
  assert.is(words, '@alice Claude waits for you:');
  assert.equal(asks, []);
});

test('nobody is mentioned for a post that the session never heard', async (context) => {
  const { said, shown } = await threadOf(context);
  await notices(context).ended(shown(turn(['unheard'], 9, 1)));
  assert.equal(await said(), []);
});

test('who does not want it is not mentioned, until they do again', async (context) => {
  const { chat, store } = context;
  const asked = { id: chat.alice.id, name: 'alice' };
  await store.putNotices(chat.alice.id, false);
  assert.is(await notices(context).forCard(cardOf({ askedFor: asked })), '');
  const { id, said, shown } = await threadOf(context);
  await notices(context).ended(shown(turn([id], 9, 1)));
  assert.equal(await said(), []);
  await store.putNotices(chat.alice.id, true);
  assert.is(await notices(context).forCard(cardOf({ askedFor: asked })), '@alice Claude waits for you:');
});

test.run();
