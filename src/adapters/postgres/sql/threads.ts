/** Threads: to which session they belong, and whether they show what is known. */
import type { ShownThread, ThreadRow } from '../../../actors/store.ts';
import type { Address } from '../../../machines/addresses.ts';
import { type Database, run, type Statement } from '../database.ts';

interface ThreadRecord {
  readonly [column: string]: unknown;
  readonly session: Address;
  readonly root_id: string;
  readonly channel_id: string;
}

function readThread({ session, root_id, channel_id }: ThreadRecord): ThreadRow {
  return { session, rootId: root_id, channelId: channel_id };
}

/**
 * Once what was said in an ended session is being deleted, its posts are left as they are. A comparison, not `exists`: that
 * one the planner may answer by reading all actors.
 */
const SHOWN = `(t.pruned_at is null or (select a.status from actor a where a.id = t.session) = 'active')`;

export const DIRTY_THREADS: Statement = {
  name: 'dirty_threads',
  text: `select t.session, t.dirty as mark from thread t where t.dirty > t.clean and ${SHOWN} order by t.session`,
};

export async function dirtyThreads(db: Database): Promise<{ session: Address; mark: number }[]> {
  return run(db, DIRTY_THREADS);
}

const DIRTY_MARK: Statement = {
  name: 'dirty_mark',
  text: 'select dirty as mark from thread where session = $1 and dirty > clean',
};

export async function dirtyMark(db: Database, session: Address): Promise<number | undefined> {
  return (await run<{ mark: number }>(db, DIRTY_MARK, [session]))[0]?.mark;
}

const CLEAN_THREAD: Statement = {
  name: 'clean_thread',
  text: `
update thread set clean = greatest(clean, least($2, dirty)), settled = greatest(settled, $3)
where session = $1`,
};

/** A change counted after `mark` was read leaves the thread dirty. */
export async function cleanThread(db: Database, session: Address, mark: number, settled: number): Promise<void> {
  await run(db, CLEAN_THREAD, [session, mark, settled]);
}

const FIND_THREAD: Statement = {
  name: 'find_thread',
  text: 'select session, root_id, channel_id from thread where root_id = $1',
};

export async function findThread(db: Database, rootId: string): Promise<ThreadRow | undefined> {
  return (await run<ThreadRecord>(db, FIND_THREAD, [rootId])).map(readThread)[0];
}

const THREAD_OF: Statement = {
  name: 'thread_of',
  text: `
select t.session, t.root_id, t.channel_id, t.settled from thread t
where t.session = $1 and t.root_id is not null and ${SHOWN}`,
};

/** Where a session is shown; undefined before it is bound and after it was pruned. */
export async function threadOf(db: Database, session: Address): Promise<ShownThread | undefined> {
  const [row] = await run<ThreadRecord & { settled: number }>(db, THREAD_OF, [session]);
  return row && { ...readThread(row), settled: row.settled };
}

const SESSIONS_IN_CHANNEL: Statement = {
  name: 'sessions_in_channel',
  text: `
select t.session, t.root_id, t.channel_id
from thread t join actor a on a.id = t.session
where t.channel_id = $1 and t.root_id is not null and a.status = 'active' and a.state_name = any($2::text[])
order by t.bound_at, t.session`,
};

export async function sessionsInChannel(
  db: Database,
  channelId: string,
  states: readonly string[],
): Promise<ThreadRow[]> {
  return (await run<ThreadRecord>(db, SESSIONS_IN_CHANNEL, [channelId, states])).map(readThread);
}
