/** What was said in a session, and where its worker's log stands. */
import type { StoredOutput } from '../../../actors/store.ts';
import type { Address } from '../../../machines/addresses.ts';
import type { JsonObject } from '../../../machines/json.ts';
import { type Database, run, type Statement } from '../database.ts';

const RESUME_POINT: Statement = {
  name: 'resume_point',
  text: `
select newest.log_id, (select max(t.seq) from transcript t where t.session = $1 and t.log_id = newest.log_id) as seq
from (
  select log_id from transcript where session = $1 and log_id <> 'notes' and log_id not like 'notes:%'
  order by id desc limit 1
) newest`,
};

/** The newest worker log and the highest seq held of it. */
export async function resumePoint(db: Database, session: Address): Promise<{ logId: string; seq: number } | undefined> {
  const [row] = await run<{ log_id: string; seq: number }>(db, RESUME_POINT, [session]);
  return row === undefined ? undefined : { logId: row.log_id, seq: row.seq };
}

const READ_TRANSCRIPT: Statement = {
  name: 'read_transcript',
  text: `
select id, log_id, seq, first_seq, at, kind, body from transcript
where session = $1 and id > $2 order by id`,
};

interface TranscriptRecord {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly log_id: string;
  readonly seq: number;
  readonly first_seq: number;
  readonly at: number;
  readonly kind: string;
  readonly body: JsonObject;
}

export async function readTranscript(db: Database, session: Address, afterId = 0): Promise<StoredOutput[]> {
  const rows = await run<TranscriptRecord>(db, READ_TRANSCRIPT, [session, afterId]);
  return rows.map(({ id, log_id, seq, first_seq, at, kind, body }) => ({
    id,
    logId: log_id,
    seq,
    firstSeq: first_seq,
    at,
    kind,
    body,
  }));
}
