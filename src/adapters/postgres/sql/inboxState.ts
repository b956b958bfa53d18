import { type Database, run, type Statement } from '../database.ts';

const INBOX_STATE: Statement = {
  name: 'inbox_state',
  text: `
select i.done_at is not null as done, exists (select from dead_letter d where d.dedup_key = i.dedup_key) as dead
from inbox i where i.dedup_key = $1`,
};

/** What became of an event; undefined if its key was never delivered. */
export async function inboxState(db: Database, dedupKey: string): Promise<'pending' | 'done' | 'dead' | undefined> {
  const [row] = await run<{ done: boolean; dead: boolean }>(db, INBOX_STATE, [dedupKey]);
  if (row === undefined) return undefined;
  if (!row.done) return 'pending';
  return row.dead ? 'dead' : 'done';
}
