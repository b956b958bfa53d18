// @limit 240
// Caps on spending, held against what the real store knows of turns: nothing else is kept, so nothing can be lost.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ActorView, Runtime, Store } from '../../src/actors/index.ts';
import { silentLog } from '../../src/actors/log.ts';
import { createStore } from '../../src/adapters/postgres/index.ts';
import { createLinkRegistry } from '../../src/adapters/worker/registry.ts';
import { workerHandlers } from '../../src/adapters/worker/requests.ts';
import { createSpending } from '../../src/flows/spending.ts';
import type { Address } from '../../src/machines/addresses.ts';
import { startPostgres, type TestDatabase, type TestPostgres } from '../support/postgres.ts';

interface World {
  postgres: TestPostgres;
  database: TestDatabase;
  store: Store;
}

const test = suite<World>('spending');
const NOON = Date.UTC(2026, 4, 3, 12);
const YESTERDAY = NOON - 86_400_000;
const ANN = { id: 'u-ann', name: 'ann' };
const BOB = { id: 'u-bob', name: 'bob' };
const NONE = { turnUsd: 0, sessionUsd: 0, userUsd: 0, dayUsd: 0, ownTurns: 10 };

test.before(async (context) => {
  context.postgres = await startPostgres();
});
test.after(async ({ postgres }) => postgres?.stop());
test.before.each(async (context) => {
  context.database = await context.postgres.freshDatabase();
  context.store = createStore(context.database.db);
});

/** A turn that ended, asked for by this post of this person. */
async function turn({ database }: World, session: Address, cost: number, by = ANN, at = NOON): Promise<void> {
  const id = `${session}/${cost}/${by.id}/${at}`;
  const add = (kind: string, seq: number, body: object) =>
    database.rows(
      `insert into transcript (session, log_id, seq, first_seq, at, kind, body)
       values ('${session}', '${kind}-${id}', ${seq}, ${seq}, to_timestamp(${at / 1000}), '${kind}', '${JSON.stringify(body)}')`,
    );
  if (by.id !== '') await add('heard', 1, { postId: id, author: by.name, authorId: by.id, text: 'x' });
  await add('turnEnded', 2, { turnId: id, costUsd: cost, inputIds: by.id === '' ? [] : [id] });
}

function spending(world: World, caps: Partial<typeof NONE>, session: { costUsd?: number; raisedUsd?: number } = {}) {
  const context = { usage: { costUsd: session.costUsd ?? 0 }, raisedUsd: session.raisedUsd ?? 0 };
  const runtime: Pick<Runtime, 'read'> = { read: async () => ({ context }) as unknown as ActorView };
  const made = createSpending({
    caps: { ...NONE, ...caps },
    store: world.store,
    runtime,
    trigger: '@claude',
    now: () => NOON + 1_000,
  });
  return {
    ...made,
    capFor: async (by = ANN, costUsd = 0) =>
      (await made.handlers['spending.check']({ params: { session: 'session/a', costUsd, by } })).cap,
    refusal: async (by = ANN) =>
      made.mayCost('session/a', by).then(
        () => '',
        (error: { human?: string }) => error.human ?? 'failed',
      ),
  };
}

test('what all sessions have cost today counts against the day, what they cost yesterday does not', async (world) => {
  await turn(world, 'session/a', 2);
  await turn(world, 'session/b', 2.5, BOB);
  await turn(world, 'session/b', 100, BOB, YESTERDAY);
  assert.is(await spending(world, { dayUsd: 4.6 }).capFor(), '');
  assert.is(await spending(world, { dayUsd: 4.5 }).capFor(), 'day');
  assert.is(await spending(world, { dayUsd: 4.6 }).capFor(ANN, 0.2), 'day', 'with what runs');
});

test('a person pays for what their own messages cost, in every session', async (world) => {
  await turn(world, 'session/a', 2);
  await turn(world, 'session/b', 1);
  await turn(world, 'session/a', 50, BOB);
  const { capFor, refusal } = spending(world, { userUsd: 3 });
  assert.is(await capFor(ANN), 'user');
  assert.match(await refusal(ANN), /not passed on to Claude\. The messages of `ann` have cost \$3\.00 today/);
  assert.is(await spending(world, { userUsd: 60 }).capFor(BOB), '');
});

test('what began by itself is on the account of who started the session', async (world) => {
  await turn(world, 'session/a', 3, { id: '', name: '' });
  await world.database.rows(
    `insert into actor (id, kind, key, version, rev, term, commit_id, status, state)
     values ('session/a', 'session', 'a', 2, 1, 1, gen_random_uuid(), 'active',
             '{"tasks": {}, "snapshot": {"value": "active", "context": {"request": {"owner": {"id": "u-ann"}}}}}')`,
  );
  assert.is(await spending(world, { userUsd: 3 }).capFor(ANN), 'user');
  assert.is(await spending(world, { userUsd: 3 }).capFor(BOB), '');
});

test('a session and a turn have caps of their own; a session that was raised may cost more', async (world) => {
  assert.is(await spending(world, { sessionUsd: 5 }, { costUsd: 4 }).capFor(ANN, 1), 'session');
  assert.is(await spending(world, { sessionUsd: 5 }, { costUsd: 4, raisedUsd: 2 }).capFor(ANN, 1), '');
  assert.is(await spending(world, { turnUsd: 1 }).capFor(ANN, 1), 'turn');
  assert.is(await spending(world, { turnUsd: 1 }, { costUsd: 100 }).refusal(), '', 'the next turn has its own');
  assert.is(await spending(world, {}, { costUsd: 1_000 }).refusal(), '', 'no caps');
});

test('a message is held against the caps once, at its first attempt: a later one may long have been heard', async () => {
  const asked: number[] = [];
  const handlers = workerHandlers({
    registry: createLinkRegistry(1),
    fetchFile: async () => ({ name: '', mediaType: '', content: Buffer.from('') }),
    historyOf: async () => ({ text: '', shown: 0, whole: true }),
    clientOf: () => undefined,
    mayCost: async () => {
      asked.push(1);
    },
  });
  const params = {
    session: 'session/a',
    inputId: 'p',
    text: 'x',
    author: 'ann',
    authorId: 'u',
    files: [],
    notice: '',
    steer: false,
  } as const;
  for (const attempt of [1, 2, 3]) {
    const request = { key: 'k', actor: 'session/a', kind: 'worker.prompt', deadline: 0, params, attempt } as const;
    await handlers['worker.prompt'](request, { signal: AbortSignal.timeout(5_000), log: silentLog }).catch(
      () => undefined,
    );
  }
  assert.is(asked.length, 1);
});

test.run();
