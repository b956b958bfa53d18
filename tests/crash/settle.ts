/** Waiting until nothing is left to do: by the database, and by what the workers wrote down. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkerLine } from './evidenceLog.ts';
import { type CrashWorld, linesOf } from './world.ts';

const LOOK_EVERY_MS = 250;
/** The same answer so many times in a row: nothing is between two statements just now. */
const STEADY = 4;

const PENDING = `
select (select count(*)::int from inbox where done_at is null) as events,
       (select count(*)::int from effect where status = 'pending') as effects,
       (select count(*)::int from thread where dirty > clean) as threads,
       (select count(*)::int from chat_post where state = 'creating') as posts,
       (select count(*)::int from actor where kind = 'session' and (
          state->'snapshot'->'value' @? '$.active.open.conversation.thinking'
          or state->'snapshot'->>'value' is null and state->'snapshot'->'value' ? 'opening'
          or state->'snapshot'->>'value' = 'stopping')) as busy`;

/** What is in the way, by name. */
const IN_THE_WAY = `
select 'event ' || seq || ' ' || (event->>'type') || ' for ' || actor_id || ', ' || attempts || ' attempts' as what
from inbox where done_at is null
union all
select 'effect ' || kind || ' of ' || actor_id || ', ' || attempts || ' attempts: ' || coalesce(error, 'no error')
from effect where status = 'pending'
union all
select 'thread of ' || session || ' shown at ' || clean || ' of ' || dirty from thread where dirty > clean
union all
select 'post ' || key from chat_post where state = 'creating'
union all
select id || ' (' || status || ') is ' || (state->'snapshot'->>'value') from actor where kind = 'session'
limit 50`;

interface Pending {
  readonly events: number;
  readonly effects: number;
  readonly threads: number;
  /** Begun and not known to be made: a board is tried again after half a minute. */
  readonly posts: number;
  readonly busy: number;
  /** Sessions whose worker holds outputs that nobody acknowledged. */
  readonly unacknowledged: number;
}

/** @returns what is in the way when the patience is over; empty: everything is at rest. */
export async function settle(world: CrashWorld, patienceMs: number): Promise<string[]> {
  let steady = 0;
  for (const end = Date.now() + patienceMs; ; await sleep(LOOK_EVERY_MS)) {
    const pending = await look(world);
    steady = Object.values(pending).every((number) => number === 0) ? steady + 1 : 0;
    if (steady >= STEADY) return [];
    if (Date.now() > end) return [JSON.stringify(pending), ...(await inTheWay(world))];
  }
}

async function inTheWay({ database }: CrashWorld): Promise<string[]> {
  const rows = await database.rows<{ what: string }>(IN_THE_WAY);
  return rows.map(({ what }) => what);
}

async function look({ database, workerLog }: CrashWorld): Promise<Pending> {
  const [row] = await database.rows<Omit<Pending, 'unacknowledged'>>(PENDING);
  const pending = { events: 0, effects: 0, threads: 0, posts: 0, busy: 0, ...row };
  const quiet = Object.values(pending).every((number) => number === 0);
  return { ...pending, unacknowledged: quiet ? unacknowledged(workerLog) : 0 };
}

function unacknowledged(workerLog: string): number {
  const said = new Map<string, number>();
  for (const text of linesOf(workerLog)) {
    const line = JSON.parse(text) as WorkerLine;
    if (line.what === 'output') said.set(`${line.session} ${line.logId}`, line.seq);
    if (line.what === 'ack' && said.get(`${line.session} ${line.logId}`) === line.seq) {
      said.delete(`${line.session} ${line.logId}`);
    }
  }
  return said.size;
}
