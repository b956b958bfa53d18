/**
 * Puts events into inboxes, each dedup key once, and moves chat cursors with them.
 *
 * A full inbox (bounded items only) stores nothing, and no cursor moves with it: what was not taken must be read again, or
 * its refusal be taken first. Rows written by a process that does not lead carry no term and are
 * announced by NOTIFY; the leader adopts them. A fenced delivery is for a leader only: it writes nothing for anybody else.
 */
import { FencedError } from '../../../actors/errors.ts';
import type { InboxRow, InnerItem, RuntimeStore } from '../../../actors/store.ts';
import type { DeliverResult } from '../../../actors/types.ts';
import { type Database, run, type Statement } from '../database.ts';
import { INBOX_CHANNEL } from '../locks.ts';
import { bySeq, INBOX_COLUMNS, type InboxRecord, readInbox } from './inboxRows.ts';

const DELIVER: Statement = {
  name: 'deliver',
  text: `
with holder as materialized (
  select term from lease where term = $1 for share
), may as materialized (
  select where not $4::boolean or exists (select from holder)
), input as materialized (
  select * from jsonb_to_recordset($2::jsonb) as x(
    ord int, actor_id text, dedup_key text, event jsonb, cause text, task_key text, bound int)
  where exists (select from may)
), full_inbox as materialized (
  select b.actor_id from (select distinct actor_id, bound from input where bound is not null) b
  where b.bound <= (select count(*) from inbox i where i.actor_id = b.actor_id and i.done_at is null)
), known as materialized (
  select ${INBOX_COLUMNS}, i.done_at is null as pending
  from inbox i where i.dedup_key in (select dedup_key from input)
), refused as materialized (
  select x.ord from input x
  where x.bound is not null and x.actor_id in (select actor_id from full_inbox)
    and x.dedup_key not in (select dedup_key from known)
), inserted as (
  insert into inbox as i (actor_id, dedup_key, event, cause, task_key, term)
  select x.actor_id, x.dedup_key, x.event, x.cause, x.task_key, (select term from holder)
  from input x
  where x.bound is null or x.actor_id not in (select actor_id from full_inbox)
  order by x.ord
  on conflict (dedup_key) do nothing
  returning i.dedup_key, i.seq
), moved as (
  insert into chat_cursor as c (channel_id, read_up_to)
  select x.channel_id, to_timestamp(max(x.read_up_to) / 1000.0)
  from jsonb_to_recordset($3::jsonb) as x(channel_id text, read_up_to bigint)
  where exists (select from may) and not exists (select from refused)
  group by x.channel_id order by x.channel_id
  on conflict (channel_id) do update set read_up_to = greatest(c.read_up_to, excluded.read_up_to)
)
select exists (select from may) as may,
       (select coalesce(json_agg(json_build_array(dedup_key, seq)), '[]') from inserted) as inserted,
       (select coalesce(json_agg(known), '[]') from known) as known,
       (select coalesce(json_agg(actor_id), '[]') from full_inbox) as full_inbox,
       (select pg_notify('${INBOX_CHANNEL}', '') where not exists (select from holder)
          and exists (select from inserted)) as notified`,
};

interface Result {
  readonly [column: string]: unknown;
  readonly may: boolean;
  readonly inserted: [dedupKey: string, seq: number][];
  readonly known: (InboxRecord & { readonly pending: boolean })[];
  readonly full_inbox: string[];
}

export async function deliver(
  db: Database,
  items: readonly InnerItem[],
  { term, limitOf, cursors, fenced = false }: Parameters<RuntimeStore['deliver']>[1],
): Promise<{ results: DeliverResult[]; rows: InboxRow[] }> {
  const input = items.map((item, ord) => ({
    ord,
    actor_id: item.to,
    dedup_key: item.dedupKey,
    event: item.event,
    cause: item.cause,
    task_key: item.taskKey,
    bound: limitOf(item.to),
  }));
  const moves = cursors.map(({ channelId, readUpTo }) => ({ channel_id: channelId, read_up_to: readUpTo }));
  const [result] = await run<Result>(db, DELIVER, [term ?? -1, JSON.stringify(input), JSON.stringify(moves), fenced]);
  if (result === undefined) return { results: [], rows: [] };
  if (!result.may) throw new FencedError(`term ${term} does not lead any more`);

  const inserted = new Map(result.inserted);
  const known = new Set(result.known.map((record) => record.dedup_key));
  const full = new Set(result.full_inbox);
  // Rows that were there and are undone are handed over too: their first delivery may have lost its answer.
  const rows: InboxRow[] = result.known.filter((record) => record.pending).map(readInbox);
  const results = items.map((item): DeliverResult => {
    const seq = inserted.get(item.dedupKey);
    if (seq !== undefined) {
      inserted.delete(item.dedupKey);
      rows.push(insertedRow(item, seq));
      return 'accepted';
    }
    return full.has(item.to) && limitOf(item.to) !== undefined && !known.has(item.dedupKey) ? 'busy' : 'duplicate';
  });
  return { results, rows: rows.sort(bySeq) };
}

/** The row that an item became. */
export function insertedRow({ to, event, dedupKey, cause, taskKey }: InnerItem, seq: number): InboxRow {
  return { seq, to, event, dedupKey, cause, taskKey, attempts: 0 };
}

/** The rows that those of the items became whose keys were new. */
export function insertedRows(
  items: readonly InnerItem[],
  inserted: readonly [dedupKey: string, seq: number][],
): InboxRow[] {
  const seqs = new Map(inserted);
  const rows: InboxRow[] = [];
  for (const item of items) {
    const seq = seqs.get(item.dedupKey);
    if (seq !== undefined) rows.push(insertedRow(item, seq));
  }
  return rows.sort(bySeq);
}
