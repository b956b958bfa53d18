// @limit 180
/**
 * A connection that the server ends tells whoever uses it; never the process, whatever the moment. An error that nobody listens
 * to would end this test's process as well.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { acquireLeadership, createStore, migrateDatabase, openDatabase } from '../../../src/adapters/postgres/index.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { startWireProxy } from './wire.ts';

let postgres: TestPostgres;
test.before(async () => {
  postgres = await startPostgres();
});
test.after(() => postgres.stop());

/** Longer than any of the conversations below. */
const MOMENTS = Array.from({ length: 12 }, (_, index) => index + 1);

for (const moment of MOMENTS) {
  test(`connections that are ended in the same breath as the server's answer ${moment} end nothing else`, async () => {
    const { urlThrough } = await postgres.freshDatabase();
    const proxy = await startWireProxy(postgres.socketPath, { endAfter: () => moment });
    const db = openDatabase({ url: urlThrough(proxy), poolSize: 2, onIdleError: () => undefined });
    const stopping = new AbortController();
    try {
      const store = createStore(db);
      const statements = Array.from({ length: 6 }, () => store.health(2_000).catch(() => undefined));
      const migrated = migrateDatabase(db).catch(() => undefined);
      const led = acquireLeadership(db, { signal: stopping.signal }).then(
        async (leadership) => {
          await leadership.lost;
          await leadership.release();
        },
        () => undefined,
      );
      await Promise.all([...statements, migrated]);
      for (let count = 0; count < 20; count += 1) await store.health(2_000).catch(() => undefined);
      stopping.abort(new Error('enough'));
      // Whoever leads by then finds out by the heartbeat, which is ended in its turn.
      await Promise.race([led, sleep(200)]);
    } finally {
      stopping.abort(new Error('enough'));
      await proxy.close();
      await db.close();
    }
  });
}

test('backends that are terminated one after the other, whatever they do, cost no more than the statement under way', async () => {
  const { db, url, rows } = await postgres.freshDatabase({ poolSize: 4 });
  const stopping = new AbortController();
  const store = createStore(db);
  let answered = 0;
  const busy = async (work: () => Promise<unknown>): Promise<void> => {
    while (!stopping.signal.aborted) {
      await work().then(
        () => {
          answered += 1;
        },
        () => undefined,
      );
    }
  };
  const lead = async (): Promise<void> => {
    const leadership = await acquireLeadership(db, { signal: stopping.signal });
    await Promise.race([leadership.lost, sleep(20)]);
    await leadership.release();
  };
  const other = openDatabase({ url, onIdleError: () => undefined });
  const all = Promise.all([
    ...Array.from({ length: 6 }, () => busy(() => store.dirtyThreads())),
    busy(lead),
    busy(() => migrateDatabase(other)),
  ]);
  for (let round = 0; round < 60; round += 1) {
    await rows(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and application_name like 'claude-session-manager%'`,
    );
    await sleep(round % 7);
  }
  const before = answered;
  for (const end = Date.now() + 30_000; answered === before && Date.now() < end; ) await sleep(10);
  stopping.abort(new Error('enough'));
  await all;
  await other.close();
  assert.ok(answered > before, 'it goes on afterwards');
  assert.is(db.state().name, 'up');
});

test.run();
