/**
 * The PostgreSQL of the development environment: a process of its own on the loopback interface, whose data stay. It
 * outlives a crash of the one who started it, and is then found and used again.
 */
import { mkdir, realpath, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { DevError } from './errors.ts';
import { ensureCluster, NAME } from './postgresCluster.ts';
import { failure } from './postgresFailure.ts';
import { findPrograms } from './postgresPrograms.ts';
import { ensureServer, START_DEADLINE_MS, stopServer } from './postgresServer.ts';
import { firstWall, type RunAs, sharedPlace, unprivilegedUser } from './postgresUser.ts';
import { isAlive, readPostmaster } from './postmasterPid.ts';

export interface EmbeddedPostgresOptions {
  /** Made if it is not there. Holds the data, the password and the server's log. */
  readonly dataDir: string;
  readonly log: (message: string) => void;
}

export interface EmbeddedPostgres {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** It was running already. */
  readonly adopted: boolean;
  /** Where the data really are: elsewhere than asked for if only root may enter that folder. */
  readonly dataDir: string;
  /** Ends it, also one that was adopted: clients are cut off, everything committed stays. */
  stop(): Promise<void>;
}

/**
 * Starts it, or finds it running.
 *
 * @throws DevError with the next step
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log } = options;
  const user = await unprivilegedUser(options.dataDir);
  const dataDir = await placeFor(options, user);
  const cluster = path.join(dataDir, 'cluster');
  const programs = await findPrograms(user, options.dataDir);
  const password = await ensureCluster(cluster, programs, user, log);
  const { pid, adopted } = await ensureServer(cluster, programs, user);
  const port = await waitUntilUsable(cluster, pid, password);
  log(adopted ? `PostgreSQL was running already (port ${port})` : `PostgreSQL ${programs.major} on port ${port}`);
  return {
    url: `postgres://${NAME}:${password}@127.0.0.1:${port}/${NAME}`,
    port,
    pid,
    adopted,
    dataDir,
    stop: () => stopServer(cluster, pid),
  };
}

/** Ends the server of this folder, if one runs, and removes its data wherever they are. */
export async function removeEmbeddedPostgres(dataDir: string): Promise<void> {
  const user = await unprivilegedUser(dataDir);
  const places = (await firstWall(dataDir, user)) ? [dataDir, await sharedPlace(dataDir)] : [dataDir];
  for (const place of places) {
    const cluster = path.join(place, 'cluster');
    const running = await readPostmaster(cluster);
    if (running) await stopServer(cluster, running.pid);
    await rm(place, { recursive: true, force: true });
  }
}

/** A folder that the server's user can reach. */
async function placeFor({ dataDir, log }: EmbeddedPostgresOptions, user: RunAs | undefined): Promise<string> {
  try {
    await mkdir(dataDir, { recursive: true });
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw failure(`${dataDir} cannot be made`, said, path.dirname(dataDir), cause);
  }
  const wall = await firstWall(dataDir, user);
  if (!wall) return await realpath(dataDir);
  const place = await sharedPlace(dataDir);
  log(`Only root may enter ${wall}, and PostgreSQL runs as ${user?.name}: its data are in ${place}`);
  return place;
}

/** Also proves that what answers is our server: it knows the password and serves this folder. @returns its port */
async function waitUntilUsable(cluster: string, pid: number, password: string): Promise<number> {
  const deadline = Date.now() + START_DEADLINE_MS;
  let last = 'it ended';
  while (Date.now() < deadline && isAlive(pid)) {
    const found = await readPostmaster(cluster);
    if (found?.ready && found.pid === pid) {
      try {
        await prepareDatabase(found.port, password, await realpath(cluster));
        return found.port;
      } catch (error) {
        if (error instanceof DevError) throw error;
        last = error instanceof Error ? error.message : String(error);
      }
    }
    await pause(50);
  }
  throw failure('PostgreSQL runs but cannot be used', last, path.dirname(cluster));
}

async function prepareDatabase(port: number, password: string, cluster: string): Promise<void> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: NAME,
    password,
    database: 'postgres',
    connectionTimeoutMillis: 5_000,
  });
  // A connection that breaks shows in the query that is under way.
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ data: string; known: boolean }>(
      `select current_setting('data_directory') as data, exists (select from pg_database where datname = $1) as known`,
      [NAME],
    );
    if (rows[0]?.data !== cluster) {
      throw new DevError(
        'POSTGRES_FOREIGN',
        `Port ${port} belongs to another PostgreSQL (${rows[0]?.data}).`,
        'Stop that one, or remove postmaster.pid if this data folder was copied while it was in use.',
      );
    }
    if (!rows[0].known) await client.query(`create database ${NAME}`);
  } finally {
    await client.end().catch(() => {});
  }
}
