// @limit 300
/** 100,000 cold actors cost a start nothing: what a new leader reads comes from indexes that hold none of them. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ACTORS_TO_RESUME, WAKEUPS } from '../../../src/adapters/postgres/sql/actors.ts';
import { ADOPT_INBOX, INBOX_OF, PENDING_INBOX } from '../../../src/adapters/postgres/sql/adoptInbox.ts';
import { CLAIM_EFFECTS } from '../../../src/adapters/postgres/sql/effects.ts';
import { DIRTY_THREADS } from '../../../src/adapters/postgres/sql/threads.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { fresh } from './support.ts';

let postgres: TestPostgres;
let crowd: Awaited<ReturnType<typeof fresh>>;
test.before(async () => {
  postgres = await startPostgres();
  crowd = await fresh(postgres);
  const { rows } = crowd;
  // Every fifth is open and waits for somebody; the rest ended. 30 have tasks, 20 timers, 10 an older chart.
  await rows(`
    insert into actor (id, kind, key, version, rev, term, commit_id, status, wake_at, state)
    select 'session/' || n, 'session', n, case when n <= 10 then 1 else 2 end, 9, 1, gen_random_uuid(),
           case when n % 5 = 0 or n <= 60 then 'active' else 'done' end,
           case when n between 41 and 60 then to_timestamp(n) end,
           jsonb_build_object('version', 2, 'timers', '{}'::jsonb, 'snapshot', jsonb_build_object('context', repeat('x', 300)),
             'tasks', case when n between 11 and 40 then '{"link": {}}'::jsonb else '{}'::jsonb end)
    from generate_series(1, 100000) n`);
  await rows(`
    insert into inbox (actor_id, dedup_key, event, term, done_at)
    select 'session/' || n, n, '{}', 1, case when n > 5 then now() end from generate_series(1, 100000) n`);
  await rows(`
    insert into effect (key, actor_id, kind, params, status, term, run_at, deadline, done_at)
    select n, 'session/' || n, 'x', '{}', case when n > 5 then 'done' else 'pending' end, 1, now(), now(),
           case when n > 5 then now() end from generate_series(1, 100000) n`);
  await rows(`
    insert into thread (session, root_id, channel_id, dirty, clean)
    select 'session/' || n, n, 'c', 5, case when n > 5 then 5 else 4 end from generate_series(1, 100000) n`);
  await rows('analyze');
});
test.after(() => postgres.stop());

/** @throws if the plan of one of them reads a whole table, or not the index meant for it. */
async function checkPlans(): Promise<void> {
  const { rows } = crowd;
  await rows('update lease set term = 2');
  const boot = [
    [ACTORS_TO_RESUME, ['{"session": 2}'], ['actor_tasks', 'actor_version']],
    [WAKEUPS, [60_000], ['actor_wake_at']],
    [ADOPT_INBOX, [2, 1000], ['inbox_pending']],
    [PENDING_INBOX, [2, 0, 1000], ['inbox_pending']],
    [INBOX_OF, [['session/1'], 10], ['inbox_pending']],
    [CLAIM_EFFECTS, [2, 0, 1000], ['effect_pending']],
    [DIRTY_THREADS, [], ['thread_dirty']],
  ] as const;
  for (const [{ name, text }, values, indexes] of boot) {
    const plan = await rows<{ 'QUERY PLAN': string }>(`explain ${text}`, [...values]);
    const lines = plan.map((row) => row['QUERY PLAN']).join('\n');
    assert.not.match(lines, /Seq Scan on (actor|inbox|effect|thread)\b/, `${name}\n${lines}`);
    for (const index of indexes) assert.ok(lines.includes(` ${index} `), `${name} does not use ${index}\n${lines}`);
  }
  await rows('update lease set term = 1');
}

test('what a new leader reads, it finds by an index', checkPlans);

test('actors with tasks or of an older chart are resumed, the cold ones are not', async () => {
  const { store } = crowd;
  const ids = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, n) => `session/${from + n}`).sort();
  assert.equal([...(await store.actorsToResume({ session: 2, approval: 1 }))].sort(), ids(1, 40));
  assert.equal([...(await store.actorsToResume({ session: 1 }))].sort(), ids(11, 40));
});

test('only timers that are due before the horizon are read', async () => {
  const { store } = crowd;
  const due = await store.wakeups(50_000);
  assert.is(due.length, 10);
  assert.ok(due.every(({ wakeAt }) => wakeAt <= 50_000));
});

test('a commit keeps the index of tasks up to date by itself', async () => {
  const { store, rows } = crowd;
  await rows(`update actor set state = jsonb_set(state, '{tasks}', '{}') where id = 'session/11'`);
  await rows(`update actor set state = jsonb_set(state, '{tasks}', '{"link": {}}') where id = 'session/100'`);
  const resumed = await store.actorsToResume({});
  assert.not(resumed.includes('session/11'));
  assert.ok(resumed.includes('session/100'));
});

test('so it does when no actor has ended for good: stopped sessions can be resumed', async () => {
  const { rows } = crowd;
  await rows(`update actor set status = 'active' where status <> 'active'`);
  await rows('analyze actor');
  await checkPlans();
});

test.run();
