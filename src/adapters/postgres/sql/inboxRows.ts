/** Inbox rows as statements return them. */
import type { InboxRow } from '../../../actors/store.ts';
import type { Address } from '../../../machines/addresses.ts';
import type { ChartEvent } from '../../../machines/events.ts';

/** The columns to select or return, in a table called `i`. */
export const INBOX_COLUMNS = 'i.seq, i.actor_id, i.event, i.dedup_key, i.cause, i.task_key, i.attempts';

export interface InboxRecord {
  readonly [column: string]: unknown;
  readonly seq: number;
  readonly actor_id: Address;
  readonly event: ChartEvent;
  readonly dedup_key: string;
  readonly cause: string | null;
  readonly task_key: string | null;
  readonly attempts: number;
}

export function readInbox(record: InboxRecord): InboxRow {
  return {
    seq: record.seq,
    to: record.actor_id,
    event: record.event,
    dedupKey: record.dedup_key,
    cause: record.cause ?? undefined,
    taskKey: record.task_key ?? undefined,
    attempts: record.attempts,
  };
}

export function bySeq(left: InboxRow, right: InboxRow): number {
  return left.seq - right.seq;
}
