// @limit 300
/** What the store says when the database fails, tried with a real server and a proxy that fails on demand. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RetryableError, UnknownOutcomeError } from '../../../src/actors/index.ts';
import { run } from '../../../src/adapters/postgres/database.ts';
import { createStore, type Database, openDatabase } from '../../../src/adapters/postgres/index.ts';
import { startFaultProxy } from '../../support/faultProxy.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { COMMIT_ID, fresh, S, turn } from './support.ts';

let postgres: TestPostgres;
test.before(async () => {
  postgres = await startPostgres();
});
test.after(() => postgres.stop());

const WRITE = { name: 'write', text: `with w as (update lease set holder = $1 returning 1) select 1 from w` };
const SLOW_WRITE = {
  name: 'slow_write',
  text: `with w as (update lease set holder = $1 returning 1) select pg_sleep(60) from w`,
};
const READ = { name: 'read', text: 'select holder from lease' };
const SLOW_READ = { name: 'slow_read', text: 'select pg_sleep(60)' };
const PID = { name: 'pid', text: 'select pg_backend_pid() as pid' };

async function failureOf(work: Promise<unknown>): Promise<Error> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Error)) throw new Error('it did not fail');
  return error;
}

async function isRetryable(work: Promise<unknown>, code: string): Promise<void> {
  const error = await failureOf(work);
  assert.instance(error, RetryableError, String(error));
  assert.is((error as RetryableError).code, code, error.message);
}

async function isUnknown(work: Promise<unknown>): Promise<void> {
  const error = await failureOf(work);
  assert.instance(error, UnknownOutcomeError, String(error));
}

/** A statement that the server has begun. */
async function begun(rows: (sql: string) => Promise<unknown[]>, query: string): Promise<void> {
  const sql = `select 1 from pg_stat_activity where state = 'active' and query like '%${query}%' and pid <> pg_backend_pid()
    and datname = current_database()`;
  while ((await rows(sql)).length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
}

test('a connection ended in the middle of a write leaves the outcome open; a read may be done again', async () => {
  const { db, rows } = await fresh(postgres);
  const end = `select pg_terminate_backend(pid) from pg_stat_activity
    where query like '%pg_sleep(60)%' and pid <> pg_backend_pid() and datname = current_database()`;
  const heard: string[] = [];
  db.onState(({ name }) => heard.push(name));
  const writing = isUnknown(run(db, SLOW_WRITE, ['x']));
  await begun(rows, 'pg_sleep(60)');
  await rows(end);
  await writing;
  assert.is(db.state().name, 'down');
  const reading = isRetryable(run(db, SLOW_READ), 'database.lost');
  await begun(rows, 'select pg_sleep(60)');
  await rows(end);
  await reading;
  assert.equal(await run(db, READ), [{ holder: '' }]);
  assert.equal(heard, ['down', 'up']);
});

test('a server that failed is out of reach until it has come back, on new connections', async () => {
  const { db, rows } = await fresh(postgres);
  const writing = isUnknown(run(db, SLOW_WRITE, ['x']));
  await begun(rows, 'pg_sleep(60)');
  await postgres.crash();
  await writing;
  await isRetryable(run(db, WRITE, ['y']), 'database.unreachable');
  await isRetryable(createStore(db).health(2000), 'database.unreachable');
  await postgres.restart();
  assert.is((await run(db, WRITE, ['z'])).length, 1);
  assert.is(db.state().name, 'up');
});

test('a statement that takes too long is ended by the server; its connection serves on', async () => {
  const { url } = await fresh(postgres);
  const db = openDatabase({ url, poolSize: 1, statementTimeoutMs: 100 });
  const [before] = await run(db, PID);
  await isRetryable(run(db, SLOW_WRITE, ['x']), 'database.slow');
  assert.equal(await run(db, PID), [before]);
  assert.is(db.state().name, 'up');
  await db.close();
});

test('rows that two want at once: one of them may try again', async () => {
  const { db, rows } = await fresh(postgres);
  await rows(`insert into chat_cursor values ('a', now()), ('b', now())`);
  const touch = (channel: string) => `update chat_cursor set read_up_to = now() where channel_id = '${channel}'`;
  let arrived = 0;
  let bothHold: () => void = () => {};
  const meeting = new Promise<void>((resolve) => {
    bothHold = resolve;
  });
  const crossing = (first: string, second: string) =>
    db.lend({ name: 'crossing', reads: false }, async (client) => {
      await client.query('begin');
      await client.query(touch(first));
      arrived += 1;
      if (arrived === 2) bothHold();
      await meeting;
      try {
        await client.query(touch(second));
        await client.query('commit');
      } catch (error) {
        await client.query('rollback');
        throw error;
      }
    });
  const outcomes = await Promise.allSettled([crossing('a', 'b'), crossing('b', 'a')]);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  assert.is(failed?.status === 'rejected' && failed.reason.code, 'database.conflict');
  await isRetryable(
    db.lend({ name: 'serial', reads: false }, async (client) => {
      await client.query('begin isolation level repeatable read');
      await client.query('select 1 from chat_cursor');
      await rows(touch('a'));
      try {
        await client.query(touch('a'));
      } catch (error) {
        await client.query('rollback');
        throw error;
      }
    }),
    'database.conflict',
  );
});

test('a server that has become read-only is left, with every connection to it', async () => {
  const { url } = await fresh(postgres);
  const db = openDatabase({ url, poolSize: 3 });
  const all = Array.from({ length: 3 }, () =>
    db.lend({ name: 'demote', reads: false }, async (client) => {
      await client.query('set default_transaction_read_only = on');
      await client.query('select pg_sleep(0.1)');
    }),
  );
  await Promise.all(all);
  await isRetryable(run(db, WRITE, ['x']), 'database.readonly');
  assert.equal({ ...db.state(), since: 0, error: '' }, { name: 'down', onlyWrites: true, since: 0, error: '' });
  await Promise.all(Array.from({ length: 3 }, () => run(db, WRITE, ['y'])));
  assert.is(db.state().name, 'up');
  await db.close();
});

test('a full disk is something that may pass; that reading works does not end it', async () => {
  const { db } = await fresh(postgres);
  const full = `do $$ begin raise exception 'could not extend file' using errcode = '53100'; end $$`;
  const [before] = await run(db, PID);
  await isRetryable(run(db, { name: 'full', text: full }), 'database.full');
  await run(db, READ);
  assert.is(db.state().name, 'down');
  await run(db, WRITE, ['x']);
  assert.is(db.state().name, 'up');
  assert.ok(before);
});

test('no connection left, on the server or in the pool, is something that may pass', async () => {
  const { url, rows } = await fresh(postgres);
  await rows(`create role few login connection limit 1`);
  const few = openDatabase({ url: url.replace('postgres@', 'few@'), poolSize: 2 });
  const slow = run(few, { name: 'nap', text: 'select pg_sleep(0.5)' });
  await begun(rows, 'pg_sleep(0.5)');
  await isRetryable(run(few, PID), 'database.busy');
  await slow;
  await few.close();

  const one = openDatabase({ url, poolSize: 1 });
  const holding = isRetryable(run(one, SLOW_READ), 'database.lost');
  await begun(rows, 'select pg_sleep(60)');
  const waiting = run(one, PID);
  assert.equal(one.pressure(), { waiting: 1, inUse: 1 });
  await isRetryable(waiting, 'database.busy');
  await rows(`select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(60)%'
    and pid <> pg_backend_pid() and datname = current_database()`);
  await holding;
  await one.close();
});

test('a connection that nothing comes back on is given up; the outcome is settled by reading', async () => {
  const { urlThrough, db: direct } = await fresh(postgres);
  const proxy = await startFaultProxy({ path: postgres.socketPath });
  const db = openDatabase({
    url: urlThrough(proxy),
    poolSize: 2,
    statementTimeoutMs: 300,
    onIdleError: () => undefined,
  });
  const store = createStore(db);
  assert.equal(await run(db, READ), [{ holder: '' }]);
  proxy.blackhole('toClient');
  await isUnknown(store.commit(1, COMMIT_ID, [turn({})]));
  await isRetryable(run(db, READ), 'database.unreachable');
  await proxy.heal();
  assert.is((await store.lastCommits([S])).get(S), COMMIT_ID, 'it had been written');
  assert.equal(
    (await store.commit(1, '00000000-0000-4000-8000-000000000002', [turn({})])).committed,
    [],
    'and is not written again',
  );
  await lostAnswers(db, proxy);
  assert.is((await createStore(direct).loadActors([S])).length, 1);
  await db.close();
  await proxy.close();
});

/** Wherever in the answer the connection breaks, the statement says that its outcome is open. */
async function lostAnswers(db: Database, proxy: Awaited<ReturnType<typeof startFaultProxy>>): Promise<void> {
  for (const bytes of [0, 1, 20]) {
    await run(db, READ);
    const cut = proxy.cutAfter(bytes, 'toClient');
    await isUnknown(run(db, WRITE, [`cut ${bytes}`]));
    await cut;
    assert.equal(await run(db, READ), [{ holder: `cut ${bytes}` }]);
  }
}

test.run();
