/** Undone events: those that others wrote become the leader's; those of its own term can be read again. */
import type { InboxRow } from '../../../actors/store.ts';
import { type Database, run, type Statement } from '../database.ts';
import { bySeq, INBOX_COLUMNS, type InboxRecord, readInbox } from './inboxRows.ts';

export const ADOPT_INBOX: Statement = {
  name: 'adopt_inbox',
  text: `
update inbox i set term = $1
where i.done_at is null and i.term is distinct from $1
  and exists (select from lease where lease.term = $1)
returning ${INBOX_COLUMNS}`,
};

export const PENDING_INBOX: Statement = {
  name: 'pending_inbox',
  text: `select ${INBOX_COLUMNS} from inbox i where i.done_at is null and i.term = $1`,
};

export async function adoptInbox(db: Database, term: number): Promise<InboxRow[]> {
  return (await run<InboxRecord>(db, ADOPT_INBOX, [term])).map(readInbox).sort(bySeq);
}

export async function pendingInbox(db: Database, term: number): Promise<InboxRow[]> {
  return (await run<InboxRecord>(db, PENDING_INBOX, [term])).map(readInbox).sort(bySeq);
}
