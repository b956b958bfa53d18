/**
 * A real PostgreSQL for a test file, reached by a Unix socket (no port to lose a race for) unless TCP is asked for. Every
 * test gets a fresh database, cloned from a migrated template.
 */
import pg from 'pg';
import {
  type Database,
  type DatabaseOptions,
  migrateDatabase,
  openDatabase,
} from '../../src/adapters/postgres/index.ts';
import { type PostgresServer, type ServerOptions, startServer } from './postgresServer.ts';

const TEMPLATE = 'csm_template';

export interface TestPostgres extends Pick<PostgresServer, 'socketPath' | 'port' | 'folder' | 'crash' | 'restart'> {
  /** A new database with today's schema. Its connections are closed by `stop`. */
  freshDatabase(options?: Omit<DatabaseOptions, 'url'>): Promise<TestDatabase>;
  /** A new database with nothing in it. */
  emptyDatabase(): Promise<string>;
  /** A statement on another database of the same server, such as ending connections. */
  asAdmin(sql: string): Promise<void>;
  /** Ends the server and removes its folder. */
  stop(): Promise<void>;
}

export interface TestDatabase {
  readonly url: string;
  readonly name: string;
  readonly db: Database;
  /** The address of the same database through a proxy. */
  urlThrough(proxy: { readonly host: string; readonly port: number }): string;
  /** Rows of any query, for invariants. On a connection of its own pool. */
  rows<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>;
}

export async function startPostgres(options: ServerOptions = {}): Promise<TestPostgres> {
  const server = await startServer(options);
  const opened: { close(): Promise<void> }[] = [];
  let count = 0;
  let template: Promise<void> | undefined;

  /** On a connection of its own: one that is kept would not outlive a crash. */
  async function asAdmin(sql: string): Promise<void> {
    const client = new pg.Client({ connectionString: server.urlOf('postgres') });
    client.on('error', () => undefined);
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  }

  async function create(from?: string): Promise<{ name: string; url: string }> {
    count += 1;
    const name = `csm_test_${count}`;
    await asAdmin(`create database ${name}${from === undefined ? '' : ` template ${from}`}`);
    return { name, url: server.urlOf(name) };
  }

  async function makeTemplate(): Promise<void> {
    await asAdmin(`create database ${TEMPLATE}`);
    const db = openDatabase({ url: server.urlOf(TEMPLATE), poolSize: 1 });
    await migrateDatabase(db);
    await db.close();
  }

  return {
    socketPath: server.socketPath,
    port: server.port,
    folder: server.folder,
    crash: () => server.crash(),
    restart: () => server.restart(),
    async freshDatabase(databaseOptions = {}) {
      template ??= makeTemplate();
      await template;
      const { name, url } = await create(TEMPLATE);
      const db = openDatabase({ onIdleError: () => undefined, ...databaseOptions, url });
      const inspection = new pg.Pool({ connectionString: url, max: 2, types: db.pool.options.types });
      inspection.on('error', () => undefined);
      opened.push(db, { close: () => inspection.end() });
      return {
        url,
        name,
        db,
        urlThrough: ({ host, port }) => `postgres://postgres@${host}:${port}/${name}`,
        rows: async (sql, values) => (await inspection.query(sql, values)).rows,
      };
    },
    emptyDatabase: async () => (await create()).url,
    asAdmin,
    async stop() {
      for (const db of opened) await db.close();
      await server.remove();
    },
  };
}
