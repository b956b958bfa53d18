import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createRuntime, FencedError } from '../../src/actors/index.ts';
import { acquireLeadership, createStore } from '../../src/adapters/postgres/index.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { event, KINDS, leading, until, untilAborted } from './support.ts';

let postgres: TestPostgres;
test.before(async () => {
  postgres = await startPostgres();
});
test.after(() => postgres.stop());

const S = 'session/s' as const;
const start = () => event(S, { type: 'START', at: 1 });

test('a leader whose term has passed writes nothing more and says so', async () => {
  const database = await postgres.freshDatabase();
  let calls = 0;
  const { runtime, stop, store, fenced } = await leading(database, {
    handlers: {
      'chat.reply': async () => {
        calls += 1;
      },
    },
  });
  await runtime.deliverAndWait(start(), { timeoutMs: 5000 });
  await database.rows('update lease set term = term + 1');
  await runtime.deliver([event(S, { type: 'ASK', at: 1, text: 'late' })]);
  assert.match(await fenced, /does not lead/);
  const [actor] = await database.rows('select rev from actor where id = $1', [S]);
  assert.is(actor?.rev, 1);
  assert.equal(await database.rows('select key from effect'), []);
  assert.is(calls, 0);
  const outputs = { session: S, logId: 'log', rows: [], events: [] };
  let refused: unknown;
  await store.appendOutputs(1, outputs).catch((error: unknown) => {
    refused = error;
  });
  assert.instance(refused, FencedError);
  await stop();
});

test('two runtimes with the same term: the second writer of a revision is refused, reloads, and nothing is lost', async () => {
  const database = await postgres.freshDatabase();
  const leadership = await acquireLeadership(database.db);
  const make = () =>
    createRuntime({ kinds: KINDS, handlers: {}, tasks: { link: untilAborted }, store: createStore(database.db) });
  const [one, two] = [make(), make()];
  await one.start({ term: leadership.term });
  await two.start({ term: leadership.term });
  await one.deliverAndWait(start(), { timeoutMs: 5000 });
  const tells = Array.from({ length: 40 }, () => event(S, { type: 'TELL', at: 1 }));
  await Promise.all(
    tells.map((tell, index) => (index % 2 === 0 ? one : two).deliverAndWait(tell, { timeoutMs: 10_000 })),
  );
  const [row] = await database.rows(
    `select rev, (state->'snapshot'->'context'->>'sent')::int as sent from actor where id = $1`,
    [S],
  );
  assert.equal(row, { rev: 41, sent: 40 });
  const [told] = await database.rows(`select count(*) as n from inbox where actor_id = 'container/c'`);
  assert.is(told?.n, 40);
  await one.stop();
  await two.stop();
  await leadership.release();
});

test('undone effects and events of an earlier leader are taken over, and count as tried', async () => {
  const database = await postgres.freshDatabase();
  const first = await leading(database, {
    handlers: { 'chat.reply': (_request, { signal }) => untilAborted(undefined, { signal }) },
  });
  await first.runtime.deliver([start(), event(S, { type: 'ASK', at: 1, text: 'x' })]);
  await until('it runs', () => first.runtime.stats().runningEffects === 1);
  await first.stop();
  assert.equal(await database.rows('select status, attempts from effect'), [{ status: 'pending', attempts: 0 }]);

  const standby = createRuntime({
    kinds: KINDS,
    handlers: {},
    tasks: { link: untilAborted },
    store: createStore(database.db),
  });
  assert.equal(await standby.deliver([event(S, { type: 'TELL', at: 1 })]), ['accepted']);
  const attempts: number[] = [];
  const second = await leading(database, {
    handlers: {
      'chat.reply': async ({ attempt }) => {
        attempts.push(attempt);
      },
    },
  });
  await until('asked', async () => ((await second.runtime.read(S))?.context.done as string[])?.length === 1);
  assert.equal(attempts, [2]);
  assert.is((await second.runtime.read(S))?.context.sent, 1);
  await second.stop();
});

test('what a leader read in its term is not delivered after it, neither late nor by the process that leads again', async () => {
  const database = await postgres.freshDatabase();
  const { runtime, stop } = await leading(database);
  const [lease] = await database.rows<{ term: number }>('select term from lease');
  const term = Number(lease?.term);
  const cursors = [{ channelId: 'c', readUpTo: 1 }];
  assert.equal(await runtime.deliver([start()], { cursors, term }), ['accepted']);
  await database.rows('update lease set term = term + 1');
  for (const old of [term, term - 1]) {
    const late = event(S, { type: 'TELL', at: 1 });
    const refused = await runtime
      .deliver([late], { cursors: [{ channelId: 'c', readUpTo: 2 }], term: old })
      .catch((error: unknown) => error);
    assert.instance(refused, FencedError);
    assert.equal(await database.rows('select 1 from inbox where dedup_key = $1', [late.dedupKey]), []);
  }
  const [cursor] = await database.rows<{ read_up_to: number }>('select read_up_to from chat_cursor');
  assert.is(cursor?.read_up_to, 1);
  await stop();
});

test('a standby takes events for the leader, who hears of them at once, and can wait for their turn', async () => {
  const database = await postgres.freshDatabase();
  const leader = await leading(database, { limits: { pollMs: 3_600_000 } });
  const standby = createRuntime({
    kinds: KINDS,
    handlers: {},
    tasks: { link: untilAborted },
    store: createStore(database.db),
  });
  assert.is(await standby.deliverAndWait(start(), { timeoutMs: 5000 }), 'done');
  assert.is(await standby.deliverAndWait(event(S, { type: 'LEAVE', at: 1 }), { timeoutMs: 5000 }), 'dead');
  assert.is((await standby.read(S))?.value, 'idle');
  await leader.stop();
});

test('a broken connection in the middle of everything loses and doubles nothing', async () => {
  const database = await postgres.freshDatabase();
  const { runtime, stop } = await leading(database);
  await runtime.deliverAndWait(start(), { timeoutMs: 5000 });
  const tells = Array.from({ length: 150 }, () => event(S, { type: 'TELL', at: 1 }));
  const send = async (tell: (typeof tells)[number]) => {
    // The source of an event delivers it until it is acknowledged.
    for (;;) {
      try {
        return await runtime.deliver([tell]);
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  };
  const killing = (async () => {
    for (let round = 0; round < 8; round += 1) {
      await postgres.asAdmin(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = '${database.name}' and application_name = 'claude-session-manager'`,
      );
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
  })();
  for (const tell of tells) await send(tell);
  await killing;
  await until('all told', async () => {
    const view = await runtime.read('container/c').catch(() => undefined);
    return view?.context.told === 150;
  });
  const [row] = await database.rows(
    `select (select count(*) from inbox where done_at is null) as left, (select count(*) from dead_letter) as dead,
            (select rev from actor where id = $1) as rev`,
    [S],
  );
  assert.equal(row, { left: 0, dead: 0, rev: 151 });
  await stop();
});

test.run();
