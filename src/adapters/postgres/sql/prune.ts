/**
 * Deleting what nobody needs any more, a small batch of each table at a time, so that no statement holds many rows or lasts.
 * What goes by age alone is found by its index; journals and what ended sessions said are found by walking over the actors,
 * a page at a time.
 */
import type { PruneCursor, Pruned, PrunedTable, Retention } from '../../../actors/store.ts';
import type { ActorStatus } from '../../../actors/types.ts';
import type { ActorKind, Address } from '../../../machines/addresses.ts';
import { type Database, run, type Statement } from '../database.ts';

const DAY = 24 * 60 * 60_000;

export const DEFAULT_RETENTION: Retention = {
  batch: 500,
  doneEventsMs: 14 * DAY,
  doneEffectsMs: 14 * DAY,
  settledLettersMs: 14 * DAY,
  openLettersMs: 90 * DAY,
  journalRows: 200,
  endedSessionsMs: 90 * DAY,
};

const BEFORE = `now() - $1::float8 * interval '1 millisecond'`;

/** @param victims `select ctid ...`, bounded. */
function deleting(name: string, table: PrunedTable, victims: string): Statement {
  return {
    name,
    text: `
with gone as (delete from ${table} where ctid = any(array(${victims})) returning 1)
select count(*)::int as deleted from gone`,
  };
}

/**
 * A chat channel is read up from its cursor, at every start, and the last post of a quiet channel may be as old as it likes:
 * what was taken from the chat stays until its channel was read on well past it.
 */
const PRUNE_INBOX = deleting(
  'prune_inbox',
  'inbox',
  `
  select i.ctid from inbox i
  where i.done_at is not null and i.done_at < ${BEFORE} and not exists (
    select from chat_cursor c
    where c.channel_id = i.event ->> 'channelId' and c.read_up_to < i.created_at + interval '1 hour')
  order by i.done_at limit $2 for update of i skip locked`,
);

const PRUNE_EFFECTS = deleting(
  'prune_effects',
  'effect',
  `
  select e.ctid from effect e
  where e.done_at is not null and e.done_at < ${BEFORE} and e.status <> 'pending'
  order by e.done_at limit $2 for update of e skip locked`,
);

const PRUNE_SETTLED_LETTERS = deleting(
  'prune_settled_letters',
  'dead_letter',
  `
  select d.ctid from dead_letter d where d.settled_at is not null and d.settled_at < ${BEFORE}
  order by d.settled_at limit $2 for update of d skip locked`,
);

/** An operator may still retry what parked an actor. */
const PRUNE_OPEN_LETTERS = deleting(
  'prune_open_letters',
  'dead_letter',
  `
  select d.ctid from dead_letter d
  where d.at < ${BEFORE} and d.settled_at is null
    and not exists (select from actor a where a.id = d.actor_id and a.status = 'parked')
  order by d.at limit $2 for update of d skip locked`,
);

const ACTOR_PAGE: Statement = {
  name: 'prune_actor_page',
  text: `
select id, kind, status, rev, updated_at < ${BEFORE} as old from actor where id > $2 order by id limit $3`,
};

/** The first row stays: an actor can be made anew of its event. */
const PRUNE_JOURNAL = deleting(
  'prune_journal',
  'journal',
  `
  select j.row_at from jsonb_to_recordset($1::jsonb) as x(id text, up_to bigint)
  cross join lateral (
    select journal.ctid as row_at from journal
    where journal.actor_id = x.id and journal.rev > 1 and journal.rev <= x.up_to
    order by journal.rev limit $2) j
  limit $2`,
);

/**
 * From here on nobody brings the thread up to date, or half a transcript would be shown as if it were the whole. Not while
 * something is still to be shown.
 */
const CLOSE_THREADS: Statement = {
  name: 'prune_close_threads',
  text: `
with closed as (
  update thread set pruned_at = now()
  where session = any($1::text[]) and pruned_at is null and (dirty <= clean or root_id is null)
)
select`,
};

function ofClosed(table: 'transcript' | 'chat_post'): string {
  return `
  select v.row_at from thread t
  cross join lateral (
    select ${table}.ctid as row_at from ${table} where ${table}.session = t.session limit $2) v
  where t.session = any($1::text[]) and t.pruned_at is not null
  limit $2`;
}

const PRUNE_TRANSCRIPT = deleting('prune_transcript', 'transcript', ofClosed('transcript'));
const PRUNE_POSTS = deleting('prune_posts', 'chat_post', ofClosed('chat_post'));

interface PageRow {
  readonly [column: string]: unknown;
  readonly id: Address;
  readonly kind: ActorKind;
  readonly status: ActorStatus;
  readonly rev: number;
  readonly old: boolean;
}

/** One round: a batch of each table. @returns how much went, and where to go on. */
export async function pruneOnce(
  db: Database,
  retention: Retention,
  from: PruneCursor = { after: '', walked: false },
): Promise<Pruned> {
  const { batch } = retention;
  const remove = async (statement: Statement, of: unknown) => {
    const [row] = await run<{ deleted: number }>(db, statement, [of, batch]);
    return row?.deleted ?? 0;
  };
  const inbox = await remove(PRUNE_INBOX, retention.doneEventsMs);
  const effect = await remove(PRUNE_EFFECTS, retention.doneEffectsMs);
  const settled = await remove(PRUNE_SETTLED_LETTERS, retention.settledLettersMs);
  const open = await remove(PRUNE_OPEN_LETTERS, retention.openLettersMs);
  const isLeft = [inbox, effect, settled, open].includes(batch);

  const page = from.walked ? [] : await run<PageRow>(db, ACTOR_PAGE, [retention.endedSessionsMs, from.after, batch]);
  const floors = page.map(({ id, rev }) => ({ id, up_to: rev - retention.journalRows }));
  const ended = page.filter(isEndedSession).map(({ id }) => id);
  const journal = page.length === 0 ? 0 : await remove(PRUNE_JOURNAL, JSON.stringify(floors));
  if (ended.length > 0) await run(db, CLOSE_THREADS, [ended]);
  const transcript = ended.length === 0 ? 0 : await remove(PRUNE_TRANSCRIPT, ended);
  const chatPost = ended.length === 0 || transcript === batch ? 0 : await remove(PRUNE_POSTS, ended);

  const again = [journal, transcript, chatPost].includes(batch);
  const walked = from.walked || (!again && page.length < batch);
  const after = again ? from.after : (page.at(-1)?.id ?? from.after);
  return {
    deleted: { inbox, effect, dead_letter: settled + open, journal, transcript, chat_post: chatPost },
    next: walked && !isLeft ? undefined : { after, walked },
  };
}

function isEndedSession({ kind, status, old }: PageRow): boolean {
  return kind === 'session' && (status === 'done' || status === 'error') && old;
}
