/**
 * The audit log: append-only, each row carries the hash of the one before. One writer at a time, so the chain has no forks
 * (a unique previous hash enforces it); a row that was changed or taken out in the middle does not fit any more.
 */
import { createHash } from 'node:crypto';
import type { AuditEntry } from '../../../actors/store.ts';
import type { JsonObject } from '../../../machines/json.ts';
import { type Database, run, type Statement } from '../database.ts';
import { AUDIT_LOCK, LOCK_CLASS } from '../locks.ts';

const BEGINNING = '0'.repeat(64);
const PAGE = 1000;

export interface AuditRecord {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly key: string;
  readonly at: number;
  readonly action: string;
  readonly who: string;
  readonly subject: string;
  readonly detail: JsonObject;
  readonly prev_hash: string;
  readonly hash: string;
}

/** Writes an entry once per key. */
export async function appendAudit(db: Database, entry: AuditEntry): Promise<void> {
  await db.lend({ name: 'append_audit', reads: false }, async (client) => {
    await client.query('begin');
    try {
      await client.query('select pg_advisory_xact_lock($1, $2)', [LOCK_CLASS, AUDIT_LOCK]);
      const last = await client.query<{ hash: string }>('select hash from audit_log order by id desc limit 1');
      const prevHash = last.rows[0]?.hash ?? BEGINNING;
      await client.query(
        `insert into audit_log (key, at, action, who, subject, detail, prev_hash, hash)
         select $1, to_timestamp($2::bigint / 1000.0), $3, $4, $5, $6, $7, $8
         where not exists (select from audit_log where key = $1)`,
        [
          entry.key,
          entry.at,
          entry.action,
          entry.who,
          entry.subject,
          JSON.stringify(entry.detail),
          prevHash,
          hashOf(entry, prevHash),
        ],
      );
      await client.query('commit');
    } catch (error) {
      // If this fails, too, the connection is broken, and its transaction with it.
      await client.query('rollback').catch(() => undefined);
      throw error;
    }
  });
}

const AUDIT_PAGE: Statement = {
  name: 'audit_page',
  text: `
select id, key, at, action, who, subject, detail, prev_hash, hash from audit_log where id > $1 order by id limit $2`,
};

/** All entries, the oldest first. */
export async function* readAudit(db: Database): AsyncGenerator<AuditRecord> {
  for (let after = 0; ; ) {
    const page = await run<AuditRecord>(db, AUDIT_PAGE, [after, PAGE]);
    yield* page;
    const last = page.at(-1);
    if (page.length < PAGE || !last) return;
    after = last.id;
  }
}

/**
 * Recomputes the chain. What was cut off at its end leaves no trace in it: whoever fears that keeps the last hash elsewhere.
 * @returns the id of the first row that does not fit, and the hashes of the rows that do
 */
export async function verifyAudit(
  db: Database,
  onHash: (hash: string) => void = () => undefined,
): Promise<{ rows: number; brokenAt: number | undefined }> {
  let rows = 0;
  let prevHash = BEGINNING;
  for await (const row of readAudit(db)) {
    if (row.prev_hash !== prevHash || row.hash !== hashOf(row, prevHash)) return { rows, brokenAt: row.id };
    prevHash = row.hash;
    onHash(row.hash);
    rows += 1;
  }
  return { rows, brokenAt: undefined };
}

function hashOf({ key, at, action, who, subject, detail }: AuditEntry, prevHash: string): string {
  return createHash('sha256')
    .update(canonical([prevHash, key, at, action, who, subject, detail]))
    .digest('hex');
}

/** JSON with sorted keys: jsonb does not keep their order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([left], [right]) => (left < right ? -1 : 1)))
      : item,
  );
}
