/** What waits for an actor, for the inspector: events in its inbox, requests not done, letters nobody settled. */
import type { DeadReason } from '../../../actors/store.ts';
import type { EffectLine, Letter, PendingEvent } from '../../../inspector/ports.ts';
import type { Address } from '../../../machines/addresses.ts';
import type { JsonObject } from '../../../machines/json.ts';
import { type Database, run, type Statement } from '../database.ts';

const INSPECT_INBOX: Statement = {
  name: 'inspect_inbox',
  text: `
select seq, event, cause, attempts, created_at from inbox
where actor_id = $1 and done_at is null
order by seq limit $2`,
};

export async function inspectInbox(db: Database, address: Address, limit: number): Promise<PendingEvent[]> {
  const rows = await run<{
    seq: number;
    event: JsonObject;
    cause: string | null;
    attempts: number;
    created_at: number;
  }>(db, INSPECT_INBOX, [address, limit]);
  return rows.map(({ seq, event, cause, attempts, created_at }) => ({
    seq,
    event,
    cause: cause ?? undefined,
    attempts,
    createdAt: created_at,
  }));
}

const INSPECT_EFFECTS: Statement = {
  name: 'inspect_effects',
  text: `
select key, kind, params, attempts, run_at, deadline, error from effect
where actor_id = $1 and status = 'pending'
order by seq limit $2`,
};

export async function inspectEffects(db: Database, address: Address, limit: number): Promise<EffectLine[]> {
  const rows = await run<{
    key: string;
    kind: string;
    params: JsonObject;
    attempts: number;
    run_at: number;
    deadline: number;
    error: string | null;
  }>(db, INSPECT_EFFECTS, [address, limit]);
  return rows.map(({ run_at, error, ...row }) => ({ ...row, runAt: run_at, error: error ?? undefined }));
}

const INSPECT_LETTERS: Statement = {
  name: 'inspect_letters',
  text: `
select id, actor_id, reason, event, cause, error, at from dead_letter
where settled_at is null
  and ($1::text is null or actor_id = $1)
  and ($2::bigint is null or id < $2)
order by id desc limit $3`,
};

export async function inspectLetters(
  db: Database,
  address: Address | undefined,
  before: number | undefined,
  limit: number,
): Promise<Letter[]> {
  const rows = await run<{
    id: number;
    actor_id: Address;
    reason: DeadReason;
    event: JsonObject;
    cause: string | null;
    error: string | null;
    at: number;
  }>(db, INSPECT_LETTERS, [address ?? null, before ?? null, limit]);
  return rows.map(({ actor_id, cause, error, ...row }) => ({
    ...row,
    address: actor_id,
    cause: cause ?? undefined,
    error: error ?? undefined,
  }));
}
