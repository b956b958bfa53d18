/** Brings the schema up to date, one process at a time. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate as applyMigrations } from 'drizzle-orm/node-postgres/migrator';
import pg from 'pg';
import { TerminalError } from '../../actors/errors.ts';
import type { Database } from './database.ts';
import { LOCK_CLASS, MIGRATION_LOCK } from './locks.ts';

const MIGRATIONS = fileURLToPath(new URL('../../../drizzle', import.meta.url));

/**
 * Applies what is missing of drizzle/, each in a transaction, under an advisory lock.
 * @throws TerminalError `database.newer` when the database has migrations that this program does not know.
 */
export async function migrateDatabase(db: Database, folder: string = MIGRATIONS): Promise<void> {
  const client = new pg.Client({
    connectionString: db.url,
    application_name: `${db.applicationName} migration`,
    connectionTimeoutMillis: 5000,
    keepAlive: true,
  });
  // The statement under way tells of a connection that breaks; without a listener it would end the process as well.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1, $2)', [LOCK_CLASS, MIGRATION_LOCK]);
    await refuseNewer(client, folder);
    await applyMigrations(drizzle(client), { migrationsFolder: folder });
    await client.query('insert into lease (id, term) values (1, 0) on conflict (id) do nothing');
  } finally {
    await client.end();
  }
}

async function refuseNewer(client: pg.Client, folder: string): Promise<void> {
  const present = await client.query<{ there: boolean }>(
    `select to_regclass('drizzle.__drizzle_migrations') is not null as there`,
  );
  if (present.rows[0]?.there !== true) return;
  const applied = await client.query<{ newest: string | null }>(
    'select max(created_at) as newest from drizzle.__drizzle_migrations',
  );
  const newest = Number(applied.rows[0]?.newest ?? 0);
  const known = await newestKnown(folder);
  if (newest > known) {
    throw new TerminalError(
      'database.newer',
      `The database was migrated by a newer version of this program (migration ${newest}, this program knows ${known}). ` +
        'Start that version or restore a backup from before it.',
    );
  }
}

async function newestKnown(folder: string): Promise<number> {
  const journal = JSON.parse(await readFile(`${folder}/meta/_journal.json`, 'utf8')) as {
    readonly entries: readonly { readonly when: number }[];
  };
  return Math.max(0, ...journal.entries.map((entry) => entry.when));
}
