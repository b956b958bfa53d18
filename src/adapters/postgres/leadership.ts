/**
 * One leader per database: a session-level advisory lock on a connection of its own. The lock is gone with the connection,
 * so a leader that cannot reach its connection must stop at once; what it commits late is refused by its term.
 */
import pg from 'pg';
import type { Database } from './database.ts';
import { translate } from './errors.ts';
import { INBOX_CHANNEL, LEADER_LOCK, LOCK_CLASS } from './locks.ts';

export interface Leadership {
  /** Raised by one each time somebody takes the lead. */
  readonly term: number;
  /** Resolves with the reason once the lead is lost or released. */
  readonly lost: Promise<string>;
  /** Gives the lead up; the next in line has it at once. */
  release(): Promise<void>;
}

export interface LeadershipOptions {
  /** Stops the waiting. */
  readonly signal?: AbortSignal;
  /** How often the connection is tried; it counts as lost when it does not answer within twice this. */
  readonly heartbeatMs?: number;
  /** For people who look at the lease. */
  readonly holder?: string;
}

/**
 * Waits for the lead, however long it takes.
 * @throws the signal's reason when aborted; RetryableError when the database cannot be reached.
 */
export async function acquireLeadership(db: Database, options: LeadershipOptions = {}): Promise<Leadership> {
  options.signal?.throwIfAborted();
  const client = new pg.Client({
    connectionString: db.url,
    application_name: `${db.applicationName} lead`,
    connectionTimeoutMillis: 5000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 2000,
  });
  let tellLost: (reason: string) => void = () => {};
  const lost = new Promise<string>((resolve) => {
    tellLost = resolve;
  });
  client.on('error', (error) => tellLost(`connection: ${error.message}`));
  client.on('end', () => tellLost('connection ended'));
  try {
    await client.connect();
    // A server that no longer hears from a black-holed leader frees the lock within about 6 seconds.
    await client.query('set tcp_keepalives_idle = 2');
    await client.query('set tcp_keepalives_interval = 2');
    await client.query('set tcp_keepalives_count = 3');
    await waitForLock(db, client, options.signal);
    const raised = await client.query<{ term: string }>(
      `insert into lease (id, term, holder) values (1, 1, $1)
       on conflict (id) do update set term = lease.term + 1, taken_at = now(), holder = excluded.holder
       returning term`,
      [options.holder ?? ''],
    );
    client.on('notification', () => {
      for (const hint of db.hints) hint();
    });
    await client.query(`listen ${INBOX_CHANNEL}`);
    const stopHeartbeat = heartbeat(client, options.heartbeatMs ?? 2000, tellLost);
    void lost.then(stopHeartbeat);
    return {
      term: Number(raised.rows[0]?.term),
      lost,
      async release() {
        tellLost('released');
        await client.end();
      },
    };
  } catch (error) {
    await client.end().catch((ending: Error) => tellLost(ending.message));
    options.signal?.throwIfAborted();
    throw translate(error, 'acquireLeadership');
  }
}

/** A connection that waits for a lock does not hear that it is closed: giving up cancels the statement first. */
async function waitForLock(db: Database, client: pg.Client, signal: AbortSignal | undefined): Promise<void> {
  const own = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  let again: NodeJS.Timeout | undefined;
  const cancel = () => {
    // Once more until it is heard: the first may arrive before the statement does.
    again = setTimeout(cancel, 500);
    db.pool.query('select pg_cancel_backend($1)', [own.rows[0]?.pid]).catch((error: Error) => {
      // The server is out of reach: so is the lock.
      client.emit('error', error);
    });
  };
  signal?.throwIfAborted();
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    await client.query('select pg_advisory_lock($1, $2)', [LOCK_CLASS, LEADER_LOCK]);
    signal?.throwIfAborted();
  } finally {
    signal?.removeEventListener('abort', cancel);
    clearTimeout(again);
  }
}

function heartbeat(client: pg.Client, everyMs: number, tellLost: (reason: string) => void): () => void {
  let waiting: NodeJS.Timeout | undefined;
  const beat = setInterval(() => {
    if (waiting !== undefined) return;
    waiting = setTimeout(() => tellLost('heartbeat not answered'), everyMs * 2);
    client.query('select 1').then(
      () => {
        clearTimeout(waiting);
        waiting = undefined;
      },
      (error: Error) => tellLost(`heartbeat: ${error.message}`),
    );
  }, everyMs);
  return () => {
    clearInterval(beat);
    clearTimeout(waiting);
  };
}
