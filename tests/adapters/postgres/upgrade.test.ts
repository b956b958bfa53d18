// What a database of an earlier version holds is still right after its schema was brought up to date.
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openDatabase } from '../../../src/adapters/postgres/database.ts';
import { migrateDatabase } from '../../../src/adapters/postgres/migrate.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';

let postgres: TestPostgres;
let folder = '';
test.before(async () => {
  postgres = await startPostgres();
  folder = await mkdtemp(join(tmpdir(), 'csm-upgrade-'));
});
test.after(async () => {
  await rm(folder, { recursive: true, force: true });
  await postgres.stop();
});

/** The migrations before this one, as the version before it had them. */
async function before(tag: string): Promise<string> {
  await cp('drizzle', folder, { recursive: true });
  const path = join(folder, 'meta', '_journal.json');
  const journal = JSON.parse(await readFile(path, 'utf8')) as { entries: { tag: string }[] };
  const end = journal.entries.findIndex((entry) => entry.tag === tag);
  assert.ok(end > 0);
  await writeFile(path, JSON.stringify({ ...journal, entries: journal.entries.slice(0, end) }));
  return folder;
}

/** Runs the work on a database as it was before a migration. */
async function upgrading(tag: string, work: (client: pg.Client, upgrade: () => Promise<void>) => Promise<void>) {
  const url = await postgres.emptyDatabase();
  const db = openDatabase({ url, onIdleError: () => undefined });
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await migrateDatabase(db, await before(tag));
    await work(client, () => migrateDatabase(db));
  } finally {
    await client.end();
    await db.close();
  }
}

test('threads that were shown stand for good up to their last finished turn; what was still to be shown is', () =>
  upgrading('0006_settled-threads', async (client, upgrade) => {
    await client.query(`
      insert into thread (session, root_id, channel_id, dirty, clean)
      values ('session/shown', 'r1', 'c', 3, 3), ('session/new', 'r2', 'c', 4, 3), ('session/silent', 'r3', 'c', 1, 1);
      insert into transcript (session, log_id, seq, first_seq, id, at, kind, body)
      select session, 'l', id, id, id, now(), kind, '{}' from (values
        ('session/shown', 1, 'turnStarted'), ('session/shown', 2, 'turnEnded'), ('session/shown', 3, 'turnStarted'),
        ('session/new', 4, 'turnStarted'), ('session/new', 5, 'turnEnded'), ('session/silent', 6, 'note')
      ) as rows(session, id, kind)`);
    await upgrade();
    const { rows } = await client.query('select session, settled::int from thread order by session');
    assert.equal(rows, [
      { session: 'session/new', settled: 0 },
      { session: 'session/shown', settled: 2 },
      { session: 'session/silent', settled: 0 },
    ]);
  }));

test('nobody is added again to channels that were made before it was kept who has been', () =>
  upgrading('0007_furnished-channels', async (client, upgrade) => {
    await client.query(`insert into project_channel (repo, channel_id) values ('acme/old', 'c')`);
    await upgrade();
    // As the version before writes it, which may still run.
    await client.query(`insert into project_channel (repo, channel_id) values ('acme/new', 'd')`);
    const { rows } = await client.query('select furnished from project_channel');
    assert.equal(rows, [{ furnished: true }, { furnished: true }]);
  }));

test.run();
