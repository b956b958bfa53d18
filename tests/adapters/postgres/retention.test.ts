// @limit 300
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { PruneCursor, PrunedTable, Retention } from '../../../src/actors/index.ts';
import { DEFAULT_RETENTION } from '../../../src/adapters/postgres/index.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { fresh } from './support.ts';

let postgres: TestPostgres;
test.before(async () => {
  postgres = await startPostgres();
});
test.after(() => postgres.stop());

type Store = Awaited<ReturnType<typeof fresh>>['store'];

/** Until nothing is left. @returns the sums, and how many rounds it took. */
async function pruneAll(store: Store, retention: Retention) {
  const sums = new Map<PrunedTable, number>();
  let rounds = 0;
  for (let from: PruneCursor | undefined; rounds < 1000; ) {
    const { deleted, next } = await store.prune(retention, from);
    rounds += 1;
    for (const [table, count] of Object.entries(deleted) as [PrunedTable, number][]) {
      assert.ok(count <= 2 * retention.batch, `${table}: ${count} at once`);
      sums.set(table, (sums.get(table) ?? 0) + count);
    }
    if (next === undefined) return { sums: Object.fromEntries([...sums].filter(([, count]) => count > 0)), rounds };
    from = next;
  }
  throw new Error('it never ends');
}

const NOTHING = { batch: 7 } as const;
const SMALL: Retention = { ...DEFAULT_RETENTION, ...NOTHING };

test('events and effects that are done go by age, in small batches; what is pending never does', async () => {
  const { store, rows } = await fresh(postgres);
  await rows(`
    insert into inbox (actor_id, dedup_key, event, created_at, done_at)
    select 'a', kind || n, '{}', now() - interval '300 days',
           case kind when 'old' then now() - interval '15 days' when 'new' then now() - interval '13 days' end
    from unnest(array['old', 'new', 'pending']) kind, generate_series(1, 20) n`);
  await rows(`
    insert into effect (key, actor_id, kind, params, status, term, run_at, deadline, done_at)
    select kind || n, 'a', 'x', '{}', case kind when 'pending' then 'pending' when 'new' then 'done' else 'failed' end, 1,
           now() - interval '300 days', now() - interval '300 days',
           case kind when 'old' then now() - interval '15 days' when 'new' then now() - interval '13 days' end
    from unnest(array['old', 'new', 'pending']) kind, generate_series(1, 20) n`);
  const { sums, rounds } = await pruneAll(store, SMALL);
  assert.equal(sums, { inbox: 20, effect: 20 });
  assert.ok(rounds >= 3);
  const left = `select regexp_replace(key, '[0-9]+$', '') as kind, count(*) as n from`;
  const expected = [
    { kind: 'new', n: 20 },
    { kind: 'pending', n: 20 },
  ];
  assert.equal(await rows(`${left} (select dedup_key as key from inbox) i group by 1 order by 1`), expected);
  assert.equal(await rows(`${left} effect group by 1 order by 1`), expected);
});

test('what was taken from a quiet channel stays for as long as the channel is read up from there', async () => {
  const { store, rows } = await fresh(postgres);
  await rows(`
    insert into chat_cursor values ('quiet', now() - interval '100 days'), ('busy', now())`);
  await rows(`
    insert into inbox (actor_id, dedup_key, event, created_at, done_at)
    select 's', channel || '/' || age, jsonb_build_object('type', 'SAID', 'channelId', channel),
           now() - age * interval '1 day', now() - age * interval '1 day'
    from unnest(array['quiet', 'busy', 'left']) channel, unnest(array[99.999, 200]) age`);
  await pruneAll(store, SMALL);
  assert.equal(await rows('select dedup_key from inbox order by 1'), [{ dedup_key: 'quiet/99.999' }]);
});

test('dead letters go when they were settled or are very old, but not those of a parked actor', async () => {
  const { store, rows } = await fresh(postgres);
  await actor(rows, 'session/parked', 'parked', 1, 0);
  await rows(`
    insert into dead_letter (actor_id, reason, event, dedup_key, at, settled_at)
    select actor_id, 'poison', '{}', actor_id || '/' || name, now() - age * interval '1 day',
           now() - settled * interval '1 day'
    from (values ('settled', 200, 15), ('lately', 200, 1), ('open', 80, null), ('old', 100, null)) v(name, age, settled),
         unnest(array['session/a', 'session/parked']) actor_id`);
  await pruneAll(store, SMALL);
  assert.equal(
    (await rows<{ dedup_key: string }>('select dedup_key from dead_letter order by 1')).map((row) => row.dedup_key),
    ['session/a/lately', 'session/a/open', 'session/parked/lately', 'session/parked/old', 'session/parked/open'],
  );
});

test('of each journal the newest rows stay, and the first, which an actor can be made anew of', async () => {
  const { store, rows } = await fresh(postgres);
  for (const [id, revs] of [
    ['session/long', 60],
    ['session/longer', 61],
    ['session/short', 5],
  ] as const) {
    await actor(rows, id, 'active', revs, 300);
    await rows(
      `insert into journal (actor_id, rev, at, event, value, context, effects, version)
       select $1, n, now(), jsonb_build_object('type', 'E', 'at', n), '""', '{}', '[]', 1 from generate_series(1, $2::int) n`,
      [id, revs],
    );
  }
  const { sums } = await pruneAll(store, { ...SMALL, journalRows: 10 });
  assert.equal(sums, { journal: 49 + 50 });
  assert.equal(
    await rows('select actor_id as id, count(*) as n, min(rev) as first from journal group by 1 order by 1'),
    [
      { id: 'session/long', n: 11, first: 1 },
      { id: 'session/longer', n: 11, first: 1 },
      { id: 'session/short', n: 5, first: 1 },
    ],
  );
  assert.equal(await store.birthOf('session/long'), { type: 'E', at: 1 });
  assert.equal((await pruneAll(store, { ...SMALL, journalRows: 10 })).sums, {});
});

test('what was said in sessions that ended long ago goes with the keys of its posts; their posts are left alone', async () => {
  const { store, rows } = await fresh(postgres);
  const sessions = [
    ['session/old', 'done', 100],
    ['session/failed', 'error', 100],
    ['session/lately', 'done', 10],
    ['session/open', 'active', 300],
    ['session/parked', 'parked', 300],
    ['session/unshown', 'done', 100],
  ] as const;
  for (const [id, status, days] of sessions) {
    await actor(rows, id, status, 1, days);
    await rows(
      `insert into thread (session, root_id, channel_id, dirty, clean) values ($1, $1, 'c', 3, ${id === 'session/unshown' ? 2 : 3})`,
      [id],
    );
    await rows(
      `insert into transcript (session, log_id, seq, first_seq, at, kind, body)
       select $1, 'log', n, n, now(), 'text', '{}' from generate_series(1, 20) n`,
      [id],
    );
    await rows(
      `insert into chat_post (key, session, channel_id, root_id, post_id, state, attempt_at)
       select $1 || n, $1, 'c', 'r', $1 || n, 'posted', now() from generate_series(1, 3) n`,
      [id],
    );
  }
  const { sums } = await pruneAll(store, SMALL);
  assert.equal(sums, { transcript: 40, chat_post: 6 });
  const kept = ['session/lately', 'session/open', 'session/parked', 'session/unshown'];
  for (const table of ['transcript', 'chat_post']) {
    const left = await rows<{ session: string }>(`select distinct session from ${table} order by 1`);
    assert.equal(
      left.map(({ session }) => session),
      kept,
    );
  }
  assert.is((await rows('select id from actor')).length, sessions.length, 'actors stay');
  assert.is((await store.findThread('session/old'))?.session, 'session/old', 'the thread is still known');
  assert.is(await store.threadOf('session/old'), undefined, 'but is not shown any more');
  await rows(`update thread set dirty = 9 where session = 'session/old'`);
  assert.equal(
    (await store.dirtyThreads()).map(({ session }) => session),
    ['session/unshown'],
  );
  await rows(`update actor set status = 'active' where id = 'session/old'`);
  assert.ok(await store.threadOf('session/old'), 'until an operator starts it again');
});

test('the audit log is not touched', async () => {
  const { store, rows } = await fresh(postgres);
  const entry = { at: 1, action: 'approve', who: 'u', subject: 's', detail: {} };
  for (let n = 0; n < 20; n += 1) await store.appendAudit({ ...entry, key: `k${n}` });
  await rows(`update audit_log set at = now() - interval '10 years'`);
  assert.equal((await pruneAll(store, SMALL)).sums, {});
  assert.equal(await rows('select count(*) as n from audit_log'), [{ n: 20 }]);
});

async function actor(
  rows: (sql: string, values?: unknown[]) => Promise<unknown[]>,
  id: string,
  status: string,
  rev: number,
  days: number,
): Promise<void> {
  await rows(
    `insert into actor (id, kind, key, version, rev, term, commit_id, status, state, updated_at)
     values ($1, split_part($1, '/', 1), split_part($1, '/', 2), 1, $2, 1, gen_random_uuid(), $3,
             '{"tasks": {}}', now() - $4 * interval '1 day')`,
    [id, rev, status, days],
  );
}

test.run();
