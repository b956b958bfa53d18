// @limit 400
/** A leader that finds very much to do takes it up bit by bit: all of it, in order, with little of it in memory at any time. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { assign, setup } from 'xstate';
import type { KindDefinition, Store } from '../../src/actors/index.ts';
import { createRuntime } from '../../src/actors/index.ts';
import { acquireLeadership, createStore } from '../../src/adapters/postgres/index.ts';
import { startPostgres, type TestDatabase, type TestPostgres } from '../support/postgres.ts';
import { event, until } from './support.ts';

const EVENTS = 100_000;
const EFFECTS = 6_000;
const ACTORS = 2_000;
const LIMITS = { events: 2_000, effects: 1_000 };
/** Rows of one statement, and of one batch of actors whose events are read from the database. */
const SLACK = { events: 100 * 32, effects: 1_000 };
const PATIENCE_MS = 300_000;

type Count = { type: 'COUNT'; at: number; n: number };

/** Counts, and notes whatever comes out of order. */
const counter = setup({
  types: {} as { context: { last: number; strange: number[] }; events: Count },
  actions: {
    count: assign({
      last: ({ event: { n } }) => n,
      strange: ({ context: { last, strange }, event: { n } }) => (n === last + 1 ? strange : [...strange, n]),
    }),
  },
}).createMachine({
  id: 'counter',
  context: { last: 0, strange: [] },
  initial: 'open',
  states: { open: { tags: 'waiting', on: { COUNT: { actions: 'count' } } } },
});

const KINDS: readonly KindDefinition[] = [
  { kind: 'container', machine: counter, version: 1, birthEvents: ['COUNT'], inputOf: () => ({}) },
];

let postgres: TestPostgres;
test.before(async () => {
  postgres = await startPostgres();
});
test.after(() => postgres.stop());

/** As earlier leaders and standbys leave it. */
async function leaveBehind({ rows }: TestDatabase): Promise<void> {
  await rows(
    `insert into inbox (actor_id, dedup_key, event, term)
     select 'container/' || n % $2, 'left/' || n, jsonb_build_object('type', 'COUNT', 'at', 1, 'n', 1 + (n - 1) / $2),
            case when n % 3 = 0 then null else 1 end
     from generate_series(1, $1::int) n`,
    [EVENTS, ACTORS],
  );
  await rows(
    `insert into effect (key, actor_id, kind, params, order_key, term, run_at, deadline)
     select 'left/' || n, 'container/0', 'chat.react', jsonb_build_object('n', n), 'order/' || n % 7, 1, now(),
            now() + interval '1 day'
     from generate_series(1, $1::int) n`,
    [EFFECTS],
  );
}

/** The same store, with the size of every answer noted. */
function measured(store: Store, sizes: number[]): Store {
  const noting =
    <Arguments extends unknown[], Row>(call: (...args: Arguments) => Promise<readonly Row[]>) =>
    async (...args: Arguments): Promise<readonly Row[]> => {
      const rows = await call(...args);
      sizes.push(rows.length);
      return rows;
    };
  return {
    ...store,
    adoptInbox: noting(store.adoptInbox),
    pendingInbox: noting(store.pendingInbox),
    inboxOf: noting(store.inboxOf),
    claimEffects: noting(store.claimEffects),
  };
}

test(`${EVENTS} waiting events and ${EFFECTS} undone effects are dealt with in order, bit by bit`, async () => {
  const database = await postgres.freshDatabase();
  await leaveBehind(database);
  const leadership = await acquireLeadership(database.db);
  const sizes: number[] = [];
  const done = new Map<string, number[]>();
  const most = { events: 0, effects: 0 };
  const look = () => {
    const { pendingEvents, pendingEffects } = runtime.stats();
    most.events = Math.max(most.events, pendingEvents);
    most.effects = Math.max(most.effects, pendingEffects);
  };
  const runtime = createRuntime({
    kinds: KINDS,
    tasks: {},
    limits: LIMITS,
    store: measured(createStore(database.db), sizes),
    handlers: {
      'chat.react': async ({ key }) => {
        look();
        const n = Number(key.slice('left/'.length));
        const lane = done.get(`${n % 7}`) ?? [];
        done.set(`${n % 7}`, lane);
        lane.push(n);
      },
    },
  });
  runtime.onCommit(look);
  try {
    await runtime.start({ term: leadership.term });
    // Somebody adds to what has not been looked at yet.
    const late = EVENTS / ACTORS + 1;
    for (const actor of [0, 1, 1_999] as const) {
      await runtime.deliver([event(`container/${actor}`, { type: 'COUNT', at: 1, n: late } as Count)]);
    }
    const left = async () => {
      const [row] = await database.rows<{ events: number; effects: number }>(
        `select (select count(*)::int from inbox where done_at is null) as events,
                (select count(*)::int from effect where status = 'pending') as effects`,
      );
      return (row?.events ?? 1) + (row?.effects ?? 1);
    };
    await until('everything is done', async () => (await left()) === 0, PATIENCE_MS);

    const strange = await database.rows<{ id: string }>(
      `select id from actor where state->'snapshot'->'context'->'strange' <> '[]'
         or (state->'snapshot'->'context'->>'last')::int < $1`,
      [EVENTS / ACTORS],
    );
    assert.equal(strange, [], 'every actor saw its events in order');
    assert.equal(await database.rows('select from dead_letter'), []);
    for (const lane of done.values())
      assert.equal(
        lane,
        [...lane].sort((a, b) => a - b),
        'effects in order',
      );
    assert.is([...done.values()].flat().length, EFFECTS);
    assert.ok(Math.max(...sizes) <= SLACK.events, `${Math.max(...sizes)} rows in one answer`);
    assert.ok(most.events <= LIMITS.events + SLACK.events, `${most.events} events in memory`);
    assert.ok(most.effects <= LIMITS.effects + SLACK.effects, `${most.effects} effects in memory`);
    assert.ok(most.events > 0 && most.effects > 0);
  } finally {
    await runtime.stop();
    await leadership.release();
  }
});

test.run();
