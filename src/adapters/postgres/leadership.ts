/**
 * One leader per database: a session-level advisory lock on a connection of its own.
 *
 * - The lock is gone with the connection. The leader asks something on it every 1.5 s; it stops at any doubt.
 * - Those who wait look twice a second. A leader whose connection stands but which is silent for 6 s (stopped, hung, cut off
 *   behind a proxy) is ended by them. So the lead passes on in less than 10 s whatever happened to the leader.
 * - What a former leader still commits is refused by its term.
 *
 * The connection must reach the server itself or a pooler in session mode: a lock cannot be held through a pooler that
 * changes connections between statements.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Database } from './database.ts';
import { destroy, limited } from './limited.ts';
import { INBOX_CHANNEL } from './locks.ts';
import { createPulseWatch, type Instant, instant, startHeartbeat } from './pulse.ts';
import {
  EVICT,
  type PulseRow,
  RAISE_TERM,
  READ_PULSE,
  TRY_LEAD,
  type TryRow,
  UNLOCK,
  WATCH_CONNECTION,
} from './sql/lease.ts';

const POLL_MS = 500;
/** Between two looks while a newer program has led. */
const POLL_NEWER_MS = 5_000;
const CONNECT_MS = 3_000;
const ANSWER_MS = 3_000;
const BACKOFF_MS = { first: 250, longest: 2_000 };
const GOODBYE_MS = 1_000;

export interface Leadership {
  /** Higher than every term before it. */
  readonly term: number;
  /** Resolves with the reason once the lead is lost, in doubt, or released. */
  readonly lost: Promise<string>;
  /**
   * Whether this process still has the lead beyond doubt: the server answered for it within the last seconds. To be asked
   * before anything is done that a term does not guard: a process that was suspended knows by it at once.
   */
  certain(): boolean;
  /** Gives the lead up; the next in line has it within a second. Never rejects. */
  release(): Promise<void>;
}

/** `standby`: another process leads. `unreachable`: the database does not answer. `newer`: a newer program has led. */
export type WaitingFor = 'standby' | 'unreachable' | 'newer';

export interface LeadershipOptions {
  /** Stops the waiting. */
  readonly signal?: AbortSignal;
  /** Shown in the lease: which process this is. */
  readonly holder?: string;
  /** Shown in the lease: the version of the program. */
  readonly program?: string;
  /**
   * The version of every chart this program runs. While the lease names a higher one, or a chart that is not listed here,
   * this process waits: it could not read what the newer one wrote. Left out: not checked, not noted.
   */
  readonly charts?: Readonly<Record<string, number>>;
  /** Told why the lead is not taken, each time the reason changes. */
  readonly onWaiting?: (reason: string, waitingFor: WaitingFor) => void;
}

/**
 * Waits for the lead, however long it takes, also while the database is away.
 * @throws only the signal's reason, when aborted.
 */
export async function acquireLeadership(db: Database, options: LeadershipOptions = {}): Promise<Leadership> {
  const { signal } = options;
  const tell = createTeller(options.onWaiting);
  for (let backoff = BACKOFF_MS.first; ; backoff = Math.min(BACKOFF_MS.longest, backoff * 2)) {
    signal?.throwIfAborted();
    const client = new pg.Client({
      connectionString: db.url,
      application_name: `${db.applicationName} lead`,
      connectionTimeoutMillis: CONNECT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: 2_000,
    });
    const broken = new Promise<string>((resolve) => {
      client.on('error', (error) => resolve(`connection: ${error.message}`));
      client.on('end', () => resolve('connection ended'));
    });
    const giveUp = () => destroy(client);
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      await client.connect();
      await ask(client, WATCH_CONNECTION);
      const taken = await standInLine(client, options, tell, () => {
        backoff = BACKOFF_MS.first;
      });
      signal?.throwIfAborted();
      return await lead(db, client, taken, broken);
    } catch (error) {
      destroy(client);
      signal?.throwIfAborted();
      tell(error instanceof Error ? error.message : String(error), 'unreachable');
    } finally {
      signal?.removeEventListener('abort', giveUp);
    }
    await pause(backoff, signal);
  }
}

interface Taken {
  readonly term: number;
  /** When the statement that took it was sent. */
  readonly since: Instant;
}

/** Looks for a free lead on this connection until it has it. @throws when the connection is of no use any more. */
async function standInLine(
  client: pg.Client,
  { signal, holder, program, charts }: LeadershipOptions,
  tell: Teller,
  onAnswer: () => void,
): Promise<Taken> {
  const versions = charts === undefined ? null : JSON.stringify(charts);
  const isStuck = createPulseWatch();
  for (;;) {
    const [look] = await ask<TryRow>(client, TRY_LEAD, [versions]);
    if (look === undefined) throw new Error('the database gave no answer about the lead');
    onAnswer();
    if (look.mine) {
      const since = instant();
      const [raised] = await ask<{ term: string }>(client, RAISE_TERM, [versions, holder ?? '', program ?? '']);
      if (raised !== undefined) return { term: Number(raised.term), since };
      await ask(client, UNLOCK);
    }
    if (look.newer) {
      tell(newerReason(look, charts ?? {}), 'newer');
      await pause(POLL_NEWER_MS, signal);
      continue;
    }
    if (!look.mine) {
      tell(`another process leads${look.holder ? `: ${look.holder}` : ''}`, 'standby');
      const [pulse] = await ask<PulseRow>(client, READ_PULSE);
      if (pulse !== undefined && isStuck(pulse)) {
        await ask(client, EVICT, [pulse.pid, pulse.pulse]);
        await pause(POLL_MS / 5, signal);
        continue;
      }
    }
    await pause(POLL_MS, signal);
  }
}

async function lead(
  db: Database,
  client: pg.Client,
  { term, since }: Taken,
  broken: Promise<string>,
): Promise<Leadership> {
  client.on('notification', () => {
    for (const hint of db.hints) hint();
  });
  await ask(client, `listen ${INBOX_CHANNEL}`);
  let tellLost: (reason: string) => void = () => {};
  const lost = new Promise<string>((resolve) => {
    tellLost = resolve;
  });
  // In doubt the connection stays: what this process still does ends before it lets go of the lock, or is ended by others.
  const heartbeat = startHeartbeat(() => client.query('select 1'), since, tellLost);
  void broken.then(tellLost);
  void lost.then(() => heartbeat.stop());
  return {
    term,
    lost,
    certain: () => heartbeat.certain(),
    async release() {
      heartbeat.stop();
      tellLost('released');
      await Promise.race([client.end(), sleep(GOODBYE_MS, undefined, { ref: false })]);
      destroy(client);
    },
  };
}

async function ask<Row extends pg.QueryResultRow>(
  client: pg.Client,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const { rows } = await limited(client, ANSWER_MS, client.query<Row>(text, [...values]));
  return rows;
}

function newerReason({ program, charts }: TryRow, own: Readonly<Record<string, number>>): string {
  const newer = Object.entries(charts ?? {}).filter(([kind, version]) => version > (own[kind] ?? 0));
  const list = newer.map(([kind, version]) => `${kind} ${version} (here: ${own[kind] ?? 'none'})`).join(', ');
  return (
    `a newer program${program ? ` (${program})` : ''} has led with charts that this one cannot read: ${list}. ` +
    'Start that version, or restore a backup from before it. To stay with this one: `csm allow-older`.'
  );
}

type Teller = (reason: string, waitingFor: WaitingFor) => void;

function createTeller(onWaiting: LeadershipOptions['onWaiting']): Teller {
  let last = '';
  return (reason, waitingFor) => {
    if (reason === last) return;
    last = reason;
    onWaiting?.(reason, waitingFor);
  };
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  signal?.throwIfAborted();
}
