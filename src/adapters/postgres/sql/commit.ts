/**
 * The commit: everything a batch of turns implies, in one statement.
 *
 * Guaranteed: an actor's part is written if and only if its row is at the revision the turn started from (or is not there,
 * for a birth), all events it takes are still undone, and the term still leads. The revision alone is not enough: a process
 * that reloads an actor may still hold in memory an event that was taken meanwhile. Every other write selects from what the actor writes returned; a sibling CTE
 * would insert even if the update hit nothing. Events are locked in order of arrival, then actors in order of their ids, so
 * two batches cannot deadlock.
 */
import { FencedError } from '../../../actors/errors.ts';
import type { CommitOutcome, InnerItem, TurnCommit } from '../../../actors/store.ts';
import { keyOf } from '../../../machines/addresses.ts';
import { type Database, run, type Statement } from '../database.ts';
import { insertedRows } from './deliver.ts';

const COMMIT: Statement = {
  name: 'commit',
  text: `
with leader as materialized (
  select term from lease where term = $1 for share
), wanted as materialized (
  select x.actor_id, x.seq from jsonb_to_recordset($4::jsonb) as x(actor_id text, seq bigint)
  union all
  select x.actor_id, x.seq from jsonb_to_recordset($5::jsonb) as x(actor_id text, seq bigint)
), held as materialized (
  select i.seq from inbox i join wanted on wanted.seq = i.seq
  where i.done_at is null order by i.seq for update of i
), outdated as materialized (
  select wanted.actor_id from wanted left join held on held.seq = wanted.seq where held.seq is null
), turn as materialized (
  select t.* from leader, jsonb_to_recordset($3::jsonb) as t(
    id text, kind text, key text, version int, prev_rev bigint, rev bigint, status text, parent text,
    wake_at bigint, failures int, state jsonb)
  where t.id not in (select actor_id from outdated)
), locked as materialized (
  select a.id from actor a join turn t on t.id = a.id
  where t.prev_rev > 0 and a.rev = t.prev_rev
  order by a.id for update of a
), updated as (
  update actor a
  set version = t.version, rev = t.rev, term = $1, commit_id = $2, status = t.status, parent = t.parent,
      wake_at = to_timestamp(t.wake_at / 1000.0), state = t.state, failures = t.failures, updated_at = now()
  from turn t join locked on locked.id = t.id
  where a.id = t.id
  returning a.id
), created as (
  insert into actor (id, kind, key, version, rev, term, commit_id, status, parent, wake_at, state, failures)
  select t.id, t.kind, t.key, t.version, t.rev, $1, $2, t.status, t.parent,
         to_timestamp(t.wake_at / 1000.0), t.state, t.failures
  from turn t where t.prev_rev = 0 and t.kind is not null order by t.id
  on conflict (id) do nothing
  returning id
), nobody as (
  select t.id from turn t where t.kind is null and not exists (select from actor a where a.id = t.id)
), ok as materialized (
  select id from updated union all select id from created union all select id from nobody
), taken as (
  update inbox i set done_at = now()
  from jsonb_to_recordset($4::jsonb) as x(actor_id text, seq bigint) join ok on ok.id = x.actor_id
  where i.seq = x.seq and i.done_at is null
), tried as (
  update inbox i set attempts = i.attempts + 1
  from jsonb_to_recordset($5::jsonb) as x(actor_id text, seq bigint) join ok on ok.id = x.actor_id
  where i.seq = x.seq
), delivered as (
  insert into inbox (actor_id, dedup_key, event, cause, task_key, term)
  select x.to_id, x.dedup_key, x.event, x.cause, x.task_key, $1
  from jsonb_to_recordset($6::jsonb) as x(
    ord int, actor_id text, to_id text, dedup_key text, event jsonb, cause text, task_key text)
  join ok on ok.id = x.actor_id order by x.ord
  on conflict (dedup_key) do nothing
  returning seq, dedup_key
), asked as (
  insert into effect (key, actor_id, kind, params, reply, order_key, attempts, term, run_at, deadline)
  select x.key, x.actor_id, x.kind, x.params, x.reply, x.order_key, 0, $1,
         to_timestamp(x.run_at / 1000.0), to_timestamp(x.deadline / 1000.0)
  from jsonb_to_recordset($7::jsonb) as x(
    ord int, actor_id text, key text, kind text, params jsonb, reply jsonb, order_key text, run_at bigint, deadline bigint)
  join ok on ok.id = x.actor_id order by x.ord
), journaled as (
  insert into journal (actor_id, rev, at, event, cause, value, context, effects, version)
  select x.actor_id, x.rev, to_timestamp(x.at / 1000.0), x.event, x.cause, x.value, x.context, x.effects, x.version
  from jsonb_to_recordset($8::jsonb) as x(
    actor_id text, rev bigint, at bigint, event jsonb, cause text, value jsonb, context jsonb, effects jsonb, version int)
  join ok on ok.id = x.actor_id
), buried as (
  insert into dead_letter (actor_id, reason, event, dedup_key, cause, error, at)
  select x.actor_id, x.reason, x.event, x.dedup_key, x.cause, x.error, to_timestamp(x.at / 1000.0)
  from jsonb_to_recordset($9::jsonb) as x(
    actor_id text, reason text, event jsonb, dedup_key text, cause text, error text, at bigint)
  join ok on ok.id = x.actor_id
), settled as (
  update dead_letter d set settled_at = now(), settled_how = x.how
  from jsonb_to_recordset($12::jsonb) as x(actor_id text, id bigint, how text) join ok on ok.id = x.actor_id
  where d.id = x.id and d.actor_id = x.actor_id and d.settled_at is null
), marked as (
  insert into thread as t (session, root_id, channel_id, dirty, bound_at)
  select x.session, max(x.root_id), max(x.channel_id), 1, case when max(x.root_id) is not null then now() end
  from jsonb_to_recordset($10::jsonb) as x(actor_id text, session text, root_id text, channel_id text)
  join ok on ok.id = x.actor_id
  group by x.session order by x.session
  on conflict (session) do update
  set dirty = t.dirty + 1, root_id = coalesce(excluded.root_id, t.root_id),
      channel_id = coalesce(excluded.channel_id, t.channel_id), bound_at = coalesce(excluded.bound_at, t.bound_at)
  returning t.session
), said as (
  insert into transcript (session, log_id, seq, first_seq, at, kind, body)
  select x.session, x.log_id, x.seq, x.first_seq, to_timestamp(x.at / 1000.0), x.kind, x.body
  from jsonb_to_recordset($11::jsonb) as x(
    ord int, actor_id text, session text, log_id text, seq bigint, first_seq bigint, at bigint, kind text, body jsonb)
  join ok on ok.id = x.actor_id
  join marked on marked.session = x.session
  order by x.ord
  on conflict do nothing
)
select (select count(*) from leader) = 1 as leads,
       (select coalesce(json_agg(id), '[]') from ok) as committed,
       (select coalesce(json_agg(json_build_array(dedup_key, seq)), '[]') from delivered) as delivered`,
};

interface Result {
  readonly leads: boolean;
  readonly committed: TurnCommit['address'][];
  readonly delivered: [dedupKey: string, seq: number][];
}

export async function commit(
  db: Database,
  term: number,
  commitId: string,
  turns: readonly TurnCommit[],
): Promise<CommitOutcome> {
  const rows = await run<Result & Record<string, unknown>>(db, COMMIT, [
    term,
    commitId,
    JSON.stringify(turns.map(actorRow)),
    each(turns, (turn) => turn.taken.map((seq) => ({ seq }))),
    each(turns, (turn) => turn.tried.map((seq) => ({ seq }))),
    each(turns, (turn) => turn.tells.map(inboxFields)),
    each(turns, (turn) => turn.effects.map(effectFields)),
    each(turns, (turn) => turn.journal),
    each(turns, (turn) => turn.deadLetters.map(({ dedupKey, ...dead }) => ({ ...dead, dedup_key: dedupKey }))),
    each(turns, threadFields),
    each(turns, (turn) => turn.transcript.map(transcriptFields)),
    each(turns, (turn) => turn.settled),
  ]);
  const result = rows[0];
  if (result === undefined || !result.leads) throw new FencedError(`term ${term} does not lead any more`);
  return {
    committed: result.committed,
    delivered: insertedRows(
      turns.flatMap((turn) => turn.tells),
      result.delivered,
    ),
  };
}

function actorRow({ address, prevRev, actor }: TurnCommit): object {
  if (actor === undefined) return { id: address, prev_rev: prevRev };
  return {
    id: address,
    kind: actor.kind,
    key: keyOf(address),
    version: actor.version,
    prev_rev: prevRev,
    rev: actor.rev,
    status: actor.status,
    parent: actor.parent,
    wake_at: actor.wakeAt,
    failures: actor.failures,
    state: actor.envelope,
  };
}

/** The rows of all turns, each with its actor and its place in the whole. */
function each(turns: readonly TurnCommit[], rowsOf: (turn: TurnCommit) => readonly object[]): string {
  let ord = 0;
  return JSON.stringify(
    turns.flatMap((turn) =>
      rowsOf(turn).map((row) => {
        ord += 1;
        return { ...row, ord, actor_id: turn.address };
      }),
    ),
  );
}

function inboxFields(item: InnerItem): object {
  return { to_id: item.to, dedup_key: item.dedupKey, event: item.event, cause: item.cause, task_key: item.taskKey };
}

function effectFields(effect: TurnCommit['effects'][number]): object {
  const { key, kind, params, reply, orderKey, runAt, deadline } = effect;
  return { key, kind, params, reply, order_key: orderKey, run_at: runAt, deadline };
}

function transcriptFields(row: TurnCommit['transcript'][number]): object {
  const { session, logId, seq, firstSeq, at, kind, body } = row;
  return { session, log_id: logId, seq, first_seq: firstSeq, at, kind, body };
}

/** Every session that gets a binding or a row is marked dirty, once. */
function threadFields(turn: TurnCommit): object[] {
  return [
    ...turn.threads.map(({ session, rootId, channelId }) => ({ session, root_id: rootId, channel_id: channelId })),
    ...turn.transcript.map(({ session }) => ({ session })),
  ];
}
