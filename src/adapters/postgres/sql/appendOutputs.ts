/**
 * Worker outputs: transcript rows, the events among them and the thread's dirty mark, in one statement.
 *
 * A row that is there already stays as it is. The thread's row is locked first and the transcript selects from it, so ids
 * within a session rise in the order of commits: reading on after the last id seen misses nothing.
 */
import { FencedError } from '../../../actors/errors.ts';
import type { InboxRow } from '../../../actors/store.ts';
import type { OutputBatch } from '../../../actors/types.ts';
import { type Database, run, type Statement } from '../database.ts';
import { insertedRows } from './deliver.ts';

const APPEND_OUTPUTS: Statement = {
  name: 'append_outputs',
  text: `
with leader as materialized (
  select term from lease where term = $1 for share
), marked as (
  insert into thread as t (session, dirty) select $2, 1 from leader
  on conflict (session) do update set dirty = t.dirty + 1
  returning t.session
), stored as (
  insert into transcript (session, log_id, seq, first_seq, at, kind, body)
  select marked.session, $3, x.seq, x.first_seq, to_timestamp(x.at / 1000.0), x.kind, x.body
  from marked, jsonb_to_recordset($4::jsonb) as x(seq bigint, first_seq bigint, at bigint, kind text, body jsonb)
  order by x.seq
  on conflict (session, log_id, seq) do nothing
  returning seq
), delivered as (
  insert into inbox (actor_id, dedup_key, event, cause, term)
  select x.actor_id, x.dedup_key, x.event, x.cause, $1
  from leader, jsonb_to_recordset($5::jsonb) as x(ord int, actor_id text, dedup_key text, event jsonb, cause text)
  order by x.ord
  on conflict (dedup_key) do nothing
  returning dedup_key, seq
)
select (select count(*) from leader) = 1 as leads,
       greatest((select max(seq) from stored),
                (select max(seq) from transcript where session = $2 and log_id = $3)) as held,
       (select coalesce(json_agg(json_build_array(dedup_key, seq)), '[]') from delivered) as delivered`,
};

interface Result {
  readonly [column: string]: unknown;
  readonly leads: boolean;
  readonly held: number | null;
  readonly delivered: [dedupKey: string, seq: number][];
}

export async function appendOutputs(
  db: Database,
  term: number,
  batch: OutputBatch,
): Promise<{ heldSeq: number; rows: InboxRow[] }> {
  const rows = batch.rows.map(({ seq, firstSeq, at, kind, body }) => ({ seq, first_seq: firstSeq, at, kind, body }));
  const events = batch.events.map(({ to, dedupKey, event, cause }, ord) => ({
    ord,
    actor_id: to,
    dedup_key: dedupKey,
    event,
    cause,
  }));
  const [result] = await run<Result>(db, APPEND_OUTPUTS, [
    term,
    batch.session,
    batch.logId,
    JSON.stringify(rows),
    JSON.stringify(events),
  ]);
  if (result === undefined || !result.leads) throw new FencedError(`term ${term} does not lead any more`);
  return { heldSeq: result.held ?? 0, rows: insertedRows(batch.events, result.delivered) };
}
