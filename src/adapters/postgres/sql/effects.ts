/** Effects between their commit and their outcome. */
import { FencedError } from '../../../actors/errors.ts';
import type { ClaimedEffect, EffectOutcome, InboxRow, InnerItem, Page } from '../../../actors/store.ts';
import type { Address } from '../../../machines/addresses.ts';
import type { ExternalKind, Reply } from '../../../machines/effects.ts';
import type { JsonObject } from '../../../machines/json.ts';
import { type Database, run, type Statement } from '../database.ts';
import { insertedRows } from './deliver.ts';

const COLUMNS = 'e.key, e.seq, e.actor_id, e.kind, e.params, e.reply, e.order_key, e.attempts, e.run_at, e.deadline';

interface EffectRecord {
  readonly [column: string]: unknown;
  readonly key: string;
  readonly seq: number;
  readonly actor_id: Address;
  readonly kind: ExternalKind;
  readonly params: JsonObject;
  readonly reply: Reply | null;
  readonly order_key: string | null;
  readonly attempts: number;
  readonly run_at: number;
  readonly deadline: number;
}

function inOrder(records: EffectRecord[]): ClaimedEffect[] {
  return records
    .sort((left, right) => left.seq - right.seq)
    .map((record) => ({
      seq: record.seq,
      key: record.key,
      actor: record.actor_id,
      kind: record.kind,
      params: record.params,
      reply: record.reply ?? undefined,
      orderKey: record.order_key ?? undefined,
      attempts: record.attempts,
      runAt: record.run_at,
      deadline: record.deadline,
    }));
}

export const CLAIM_EFFECTS: Statement = {
  name: 'claim_effects',
  text: `
with leader as materialized (
  select term from lease where term = $1 for share
), page as materialized (
  select e.key, e.term from effect e, leader
  where e.status = 'pending' and e.term <= $1 and e.seq > $2 order by e.seq limit $3
), claimed as (
  update effect e set term = $1, attempts = e.attempts + 1
  where e.status = 'pending' and e.key = any (array(select page.key from page where page.term < $1))
  returning ${COLUMNS}
)
select ${COLUMNS} from claimed e
union all
select ${COLUMNS} from effect e
where e.status = 'pending' and e.key = any (array(select page.key from page where page.term = $1))`,
};

const FIRST: Page = { after: 0, limit: 1_000 };

/** Undone effects in the order of asking. What earlier leaders left may have run, so it counts one more attempt. */
export async function claimEffects(
  db: Database,
  term: number,
  { after, limit }: Page = FIRST,
): Promise<ClaimedEffect[]> {
  return inOrder(await run<EffectRecord>(db, CLAIM_EFFECTS, [term, after, limit]));
}

const FINISH_EFFECTS: Statement = {
  name: 'finish_effects',
  text: `
with leader as materialized (
  select term from lease where term = $1 for share
), finished as (
  update effect e
  set status = x.status, attempts = x.attempts, error = x.error, done_at = to_timestamp(x.at / 1000.0)
  from leader, jsonb_to_recordset($2::jsonb) as x(key text, status text, attempts int, error text, at bigint)
  where e.key = x.key and e.status = 'pending' and e.term = $1
  returning e.key
), delivered as (
  insert into inbox (actor_id, dedup_key, event, cause, term)
  select x.actor_id, x.dedup_key, x.event, x.cause, $1
  from jsonb_to_recordset($3::jsonb) as x(
    ord int, effect_key text, actor_id text, dedup_key text, event jsonb, cause text)
  join finished on finished.key = x.effect_key order by x.ord
  on conflict (dedup_key) do nothing
  returning dedup_key, seq
)
select (select count(*) from leader) = 1 as leads,
       (select coalesce(json_agg(json_build_array(dedup_key, seq)), '[]') from delivered) as delivered`,
};

/** The outcome and its reply, together: the chart is told once, and only of what is recorded. */
export async function finishEffects(
  db: Database,
  term: number,
  outcomes: readonly EffectOutcome[],
): Promise<InboxRow[]> {
  const replies: InnerItem[] = [];
  const replyRows = outcomes.flatMap(({ key, reply }, ord) => {
    if (reply === undefined) return [];
    replies.push(reply);
    const { to, dedupKey, event, cause } = reply;
    return [{ ord, effect_key: key, actor_id: to, dedup_key: dedupKey, event, cause }];
  });
  const states = outcomes.map(({ key, status, attempts, error, at }) => ({ key, status, attempts, error, at }));
  const [result] = await run<{ leads: boolean; delivered: [string, number][] }>(db, FINISH_EFFECTS, [
    term,
    JSON.stringify(states),
    JSON.stringify(replyRows),
  ]);
  if (result === undefined || !result.leads) throw new FencedError(`term ${term} does not lead any more`);
  return insertedRows(replies, result.delivered);
}

const RETRY_EFFECT: Statement = {
  name: 'retry_effect',
  text: `
update effect set attempts = $3, run_at = to_timestamp($4::bigint / 1000.0), error = $5
where key = $2 and status = 'pending' and term = $1`,
};

export async function retryEffect(
  db: Database,
  term: number,
  retry: { readonly key: string; readonly attempts: number; readonly runAt: number; readonly error: string },
): Promise<void> {
  await run(db, RETRY_EFFECT, [term, retry.key, retry.attempts, retry.runAt, retry.error]);
}
