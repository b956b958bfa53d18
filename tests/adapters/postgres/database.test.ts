import { readFile } from 'node:fs/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { TerminalError } from '../../../src/actors/index.ts';
import { acquireLeadership, createStore, migrateDatabase, openDatabase } from '../../../src/adapters/postgres/index.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { startWireProxy } from './wire.ts';

let postgres: TestPostgres;
test.before(async () => {
  postgres = await startPostgres();
});
test.after(() => postgres.stop());

test('migrating twice, also at the same time, is harmless', async () => {
  const db = openDatabase({ url: await postgres.emptyDatabase() });
  await Promise.all([migrateDatabase(db), migrateDatabase(db)]);
  await migrateDatabase(db);
  const { rows } = await db.pool.query('select term from lease');
  assert.equal(rows, [{ term: 0 }]);
  await db.close();
});

test('no statement is compiled by the server: that would take longer than the statement', async () => {
  const { db } = await postgres.freshDatabase();
  const { rows } = await db.pool.query(`select current_setting('jit') as jit`);
  assert.equal(rows, [{ jit: 'off' }]);
});

test('a pooler that refuses parameters it does not know is no hindrance: settings are made once connected', async () => {
  const { urlThrough } = await postgres.freshDatabase();
  const known = ['user', 'database', 'application_name', 'client_encoding', ''];
  const asked = new Set<string>();
  const proxy = await startWireProxy(postgres.socketPath, {
    refuse(parameters) {
      for (const name of parameters.keys()) asked.add(name);
      const strange = [...parameters.keys()].find((name) => !known.includes(name));
      return strange === undefined ? undefined : `unsupported startup parameter: ${strange}`;
    },
  });
  const db = openDatabase({ url: urlThrough(proxy), statementTimeoutMs: 7_000 });
  try {
    await migrateDatabase(db);
    const { rows } = await db.pool.query(
      `select current_setting('jit') as jit, current_setting('statement_timeout') as statement`,
    );
    assert.equal(rows, [{ jit: 'off', statement: '7s' }]);
    const leadership = await acquireLeadership(db);
    await leadership.release();
    assert.ok(asked.has('application_name'), 'the proxy has looked');
  } finally {
    await db.close();
    await proxy.close();
  }
});

test('a database newer than the program is refused in words', async () => {
  const { db } = await postgres.freshDatabase();
  const journal = JSON.parse(
    await readFile(new URL('../../../drizzle/meta/_journal.json', import.meta.url), 'utf8'),
  ) as { entries: { when: number }[] };
  const newest = Math.max(...journal.entries.map(({ when }) => when));
  await db.pool.query('insert into drizzle.__drizzle_migrations (hash, created_at) values ($1, $2)', ['x', newest + 1]);
  const applied = async () => (await db.pool.query('select * from drizzle.__drizzle_migrations order by id')).rows;
  const before = await applied();
  try {
    await migrateDatabase(db);
    assert.unreachable('it was accepted');
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    assert.is(error.code, 'database.newer');
    assert.is(
      error.message,
      `The database was migrated by a newer version of this program (migration ${newest + 1}, this program knows ${newest}). ` +
        'Start that version or restore a backup from before it.',
    );
  }
  assert.equal(await applied(), before);
});

test('health is a round trip', async () => {
  const { db } = await postgres.freshDatabase();
  await createStore(db).health(2000);
  const gone = openDatabase({ url: 'postgres://nobody@127.0.0.1:1/none' });
  try {
    await createStore(gone).health(2000);
    assert.unreachable('it answered');
  } catch (error) {
    assert.match(String(error), /ECONNREFUSED/);
  }
  await gone.close();
});

test.run();
