/** The audit log on the command line: is it whole, and what is in it. */
import { type Database, readAudit, verifyAudit } from './adapters/postgres/index.ts';

/**
 * @param known a hash that was noted earlier: it must still be in the chain, or the end of the log was cut off
 * @throws Error that says where the log does not fit any more
 */
export async function checkAudit(db: Database, known: string | undefined): Promise<string> {
  let last = '';
  let found = known === undefined;
  const { rows, brokenAt } = await verifyAudit(db, (hash) => {
    last = hash;
    found ||= hash === known;
  });
  if (brokenAt !== undefined) {
    throw new Error(`The audit log was changed: entry ${brokenAt} does not fit the one before it.`);
  }
  if (!found) throw new Error('The audit log was cut off: the entry with that hash is not in it any more.');
  return rows === 0 ? 'The audit log is empty.' : `${rows} entries, each fits the one before. The last hash is ${last}`;
}

/** One JSON object for each entry, the oldest first. */
export async function* auditLines(db: Database): AsyncGenerator<string> {
  for await (const { id, at, action, who, subject, detail, hash } of readAudit(db)) {
    yield JSON.stringify({ id, at: new Date(at).toISOString(), action, who, subject, detail, hash });
  }
}
