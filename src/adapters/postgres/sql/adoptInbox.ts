/**
 * Undone events, some at a time: those that others wrote become the leader's; those of its own term can be read again.
 */
import type { InboxRow, Page } from '../../../actors/store.ts';
import type { Address } from '../../../machines/addresses.ts';
import { type Database, run, type Statement } from '../database.ts';
import { bySeq, INBOX_COLUMNS, type InboxRecord, readInbox } from './inboxRows.ts';

export const ADOPT_INBOX: Statement = {
  name: 'adopt_inbox',
  text: `
update inbox i set term = $1
where i.done_at is null and i.seq = any (array(
  select p.seq from inbox p
  where p.done_at is null and p.term is distinct from $1 and exists (select from lease where lease.term = $1)
  order by p.seq limit $2))
returning ${INBOX_COLUMNS}`,
};

export const PENDING_INBOX: Statement = {
  name: 'pending_inbox',
  text: `
select ${INBOX_COLUMNS} from inbox i where i.done_at is null and i.term = $1 and i.seq > $2 order by i.seq limit $3`,
};

/**
 * Whoever wrote them: one that a former leader or a standby wrote may be known here by its sender's second attempt, and comes before
 * what is later. An operator's order reaches also an actor that takes nothing else: it must not wait behind the rest.
 */
export const INBOX_OF: Statement = {
  name: 'inbox_of',
  text: `
select i.* from unnest($1::text[]) as wanted(id), lateral (
  select ${INBOX_COLUMNS} from inbox i
  where i.actor_id = wanted.id and i.done_at is null
  order by (i.event->>'type' = 'runtime.operator') desc, i.seq limit $2) i`,
};

export async function adoptInbox(db: Database, term: number, limit: number): Promise<InboxRow[]> {
  return (await run<InboxRecord>(db, ADOPT_INBOX, [term, limit])).map(readInbox).sort(bySeq);
}

export async function pendingInbox(db: Database, term: number, { after, limit }: Page): Promise<InboxRow[]> {
  return (await run<InboxRecord>(db, PENDING_INBOX, [term, after, limit])).map(readInbox);
}

export async function inboxOf(db: Database, addresses: readonly Address[], each: number): Promise<InboxRow[]> {
  return (await run<InboxRecord>(db, INBOX_OF, [[...addresses], each])).map(readInbox).sort(bySeq);
}
