/** The connection pool and the one way a statement is run. */
import pg from 'pg';
import { judge } from './errors.ts';
import { limited } from './limited.ts';
import { type DatabaseState, watchState } from './state.ts';

export interface DatabaseOptions {
  readonly url: string;
  /** Connections for statements; the lead takes one more. */
  readonly poolSize?: number;
  /**
   * Milliseconds after which the server gives up on a statement. When it has not even said that a little later, the
   * connection counts as lost.
   */
  readonly statementTimeoutMs?: number;
  readonly applicationName?: string;
  /** Told about idle connections that broke; statements report their own errors. */
  readonly onIdleError?: (error: Error) => void;
}

export interface Database {
  readonly pool: pg.Pool;
  readonly url: string;
  readonly applicationName: string;
  /** Called when the database says that another process wrote inbox rows. */
  readonly hints: Set<() => void>;
  /** Whether it can be used, as the last statements showed. */
  state(): DatabaseState;
  /** Calls when it goes down or comes back; the listener must not throw. @returns what stops it. */
  onState(listener: (state: DatabaseState) => void): () => void;
  /** Connections in use, and statements that wait for one. */
  pressure(): { readonly waiting: number; readonly inUse: number };
  /**
   * Lends a connection for some statements, all within one limit. It is not used again if anything speaks against it.
   * @param doing for the log, and whether it only reads.
   * @throws BadDataError, UnknownOutcomeError, RetryableError: see the store port.
   */
  lend<Result>(
    doing: { readonly name: string; readonly reads: boolean },
    work: (client: pg.PoolClient) => Promise<Result>,
  ): Promise<Result>;
  close(): Promise<void>;
}

/** A statement with its own name, so that every connection parses it once. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

const INT8 = 20;
const TIMESTAMPTZ = 1184;

/** bigint as number (sequences and revisions stay far below 2^53), timestamptz as milliseconds since the epoch. */
const types: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (oid === INT8 && format !== 'binary') return Number;
    if (oid === TIMESTAMPTZ && format !== 'binary') return (text: string) => Date.parse(toIso(text));
    return format === 'binary' ? pg.types.getTypeParser(oid, 'binary') : pg.types.getTypeParser(oid, 'text');
  },
};

/** PostgreSQL writes `2026-01-02 03:04:05.678+00`. */
function toIso(text: string): string {
  const iso = text.replace(' ', 'T');
  return /[+-]\d\d$/.test(iso) ? `${iso}:00` : iso;
}

const CONNECT_MS = 5_000;
const STATEMENT_MS = 15_000;
/** How much longer than the server the client waits. */
const GRACE_MS = 2_000;

/**
 * Settings of a connection. Not asked for while connecting: a pooler refuses a client whose startup message has a parameter
 * that it does not know. No compiling: it takes a tenth of a second, begins on estimates that may be far off, and no statement
 * here runs that long.
 * @throws what the driver throws; the pool then has no such connection.
 */
async function prepare(client: pg.ClientBase, statementMs: number): Promise<void> {
  // The types promise less than the pool gives.
  if (!(client instanceof pg.Client)) throw new TypeError('the pool made a connection of another kind');
  await limited(client, CONNECT_MS, client.query(SETTINGS, [String(statementMs)]));
}

const SETTINGS = `select set_config('statement_timeout', $1, false), set_config('jit', 'off', false)`;

export function openDatabase(options: DatabaseOptions): Database {
  const applicationName = options.applicationName ?? 'claude-session-manager';
  const statementMs = options.statementTimeoutMs ?? STATEMENT_MS;
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: applicationName,
    max: options.poolSize ?? 8,
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    types,
    onConnect: (client) => prepare(client, statementMs),
  });
  const watch = watchState();
  /** Raised when all connections made so far are to be dropped. */
  let generation = 0;
  const madeIn = new WeakMap<pg.PoolClient, number>();
  pool.on('connect', (client) => {
    madeIn.set(client, generation);
    // For good: between its readiness and its first user the pool listens to nothing, and an error that the server sends in the
    // same breath would end the process. Whoever uses the connection hears of it by the answer that fails.
    client.on('error', () => undefined);
  });
  pool.on('error', (error) => options.onIdleError?.(error));

  async function connected(): Promise<pg.PoolClient> {
    for (;;) {
      const client = await pool.connect();
      if (madeIn.get(client) === generation) return client;
      client.release(true);
    }
  }

  function note(error: unknown, doing: { readonly name: string; readonly reads: boolean; readonly sent: boolean }) {
    const verdict = judge(error, doing);
    if (verdict.dropAll) generation += 1;
    if (verdict.affects !== 'none') watch.failed(verdict.error.message, verdict.affects);
    return verdict;
  }

  return {
    pool,
    url: options.url,
    applicationName,
    hints: new Set(),
    state: watch.current,
    onState(listener) {
      watch.listeners.add(listener);
      return () => watch.listeners.delete(listener);
    },
    pressure: () => ({ waiting: pool.waitingCount, inUse: pool.totalCount - pool.idleCount }),
    async lend(doing, work) {
      const client = await connected().catch((error: unknown) => {
        throw note(error, { ...doing, sent: false }).error;
      });
      let keep = true;
      try {
        const result = await limited(client, statementMs + GRACE_MS, work(client));
        watch.worked(doing.reads);
        return result;
      } catch (error) {
        const verdict = note(error, { ...doing, sent: true });
        keep = verdict.keep;
        throw verdict.error;
      } finally {
        client.release(!keep);
      }
    },
    close: () => pool.end(),
  };
}

/**
 * Runs one statement. One that begins with `select` reads: it may be done again whatever happened.
 * @throws BadDataError, UnknownOutcomeError, RetryableError: see the store port.
 */
export async function run<Row extends pg.QueryResultRow>(
  db: Database,
  { name, text }: Statement,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const reads = /^\s*select\b/i.test(text);
  const { rows } = await db.lend({ name, reads }, (client) => client.query<Row>({ name, text, values: [...values] }));
  return rows;
}
