/**
 * The commit that the product does not use, for comparison: a plain transaction, one statement after the other, that writes
 * the same rows through the same driver. A statement that would write nothing is left out.
 */
import { FencedError, type TurnCommit } from '../../src/actors/index.ts';
import type { Database } from '../../src/adapters/postgres/index.ts';
import type { Commit } from './system.ts';

const TEXTS = {
  trip_begin: 'begin',
  trip_lease: 'select term from lease where term = $1 for share',
  trip_actor: `
update actor a set version = t.version, rev = t.rev, term = $1, commit_id = $2, status = t.status, parent = t.parent,
  wake_at = to_timestamp(t.wake_at / 1000.0), state = t.state, failures = t.failures, updated_at = now()
from jsonb_to_recordset($3::jsonb) as t(id text, version int, prev_rev bigint, rev bigint, status text, parent text,
  wake_at bigint, failures int, state jsonb)
where a.id = t.id and a.rev = t.prev_rev returning a.id`,
  trip_inbox: 'update inbox set done_at = now() where seq = any($1::bigint[]) and done_at is null',
  trip_effects: `
insert into effect (key, actor_id, kind, params, reply, order_key, attempts, term, run_at, deadline)
select x.key, x.actor_id, x.kind, x.params, x.reply, x.order_key, 0, $1,
  to_timestamp(x.run_at / 1000.0), to_timestamp(x.deadline / 1000.0)
from jsonb_to_recordset($2::jsonb) as x(key text, actor_id text, kind text, params jsonb, reply jsonb, order_key text,
  run_at bigint, deadline bigint)`,
  trip_journal: `
insert into journal (actor_id, rev, at, event, cause, value, context, effects, version)
select x.actor_id, x.rev, to_timestamp(x.at / 1000.0), x.event, x.cause, x.value, x.context, x.effects, x.version
from jsonb_to_recordset($1::jsonb) as x(actor_id text, rev bigint, at bigint, event jsonb, cause text, value jsonb,
  context jsonb, effects jsonb, version int)`,
  trip_threads: `
insert into thread as t (session, dirty) select session, 1 from unnest($1::text[]) session
on conflict (session) do update set dirty = t.dirty + 1`,
  trip_transcript: `
insert into transcript (session, log_id, seq, first_seq, at, kind, body)
select x.session, x.log_id, x.seq, x.first_seq, to_timestamp(x.at / 1000.0), x.kind, x.body
from jsonb_to_recordset($1::jsonb) as x(session text, log_id text, seq bigint, first_seq bigint, at bigint, kind text,
  body jsonb) on conflict do nothing`,
  trip_commit: 'commit',
  trip_rollback: 'rollback',
} as const;

export const TRIPS = Object.keys(TEXTS);

/** For turns of actors that are there, without tells and dead letters: the benchmark's load has no others. */
export function commitInRoundTrips(db: Database): Commit {
  return (term, commitId, turns) => {
    const actors = JSON.stringify(turns.map(actorFields));
    const seqs = turns.flatMap((turn) => turn.taken);
    const effects = turns.flatMap((turn) => turn.effects.map((effect) => effectFields(turn.address, effect)));
    const journal = turns.flatMap((turn) => turn.journal.map((row) => ({ ...row, actor_id: turn.address })));
    const lines = turns.flatMap((turn) =>
      turn.transcript.map(({ logId, firstSeq, ...row }) => ({ ...row, log_id: logId, first_seq: firstSeq })),
    );
    const sessions = [...new Set(lines.map(({ session }) => session))];
    return db.lend({ name: 'round trips', reads: false }, async (client) => {
      const trip = (name: keyof typeof TEXTS, values: unknown[] = []) =>
        client.query<{ id: TurnCommit['address'] }>({ name, text: TEXTS[name], values });
      await trip('trip_begin');
      try {
        if ((await trip('trip_lease', [term])).rowCount !== 1) throw new FencedError(`term ${term} does not lead`);
        const { rows } = await trip('trip_actor', [term, commitId, actors]);
        if (rows.length < turns.length) throw new Error('an actor is not at the revision its turn started from');
        await trip('trip_inbox', [seqs]);
        if (effects.length > 0) await trip('trip_effects', [term, JSON.stringify(effects)]);
        await trip('trip_journal', [JSON.stringify(journal)]);
        if (lines.length > 0) {
          await trip('trip_threads', [sessions]);
          await trip('trip_transcript', [JSON.stringify(lines)]);
        }
        await trip('trip_commit');
        return { committed: rows.map(({ id }) => id), delivered: [] };
      } catch (error) {
        await trip('trip_rollback');
        throw error;
      }
    });
  };
}

function effectFields(address: TurnCommit['address'], effect: TurnCommit['effects'][number]): object {
  const { orderKey, runAt, deadline, key, kind, params, reply } = effect;
  return { key, kind, params, reply, order_key: orderKey, run_at: runAt, deadline, actor_id: address };
}

function actorFields({ address, prevRev, actor, tells, deadLetters }: TurnCommit): object {
  if (actor === undefined || prevRev === 0 || tells.length > 0 || deadLetters.length > 0) {
    throw new Error(`${address}: a turn that the comparison does not know`);
  }
  const { version, rev, status, parent, wakeAt, failures, envelope } = actor;
  return { id: address, prev_rev: prevRev, version, rev, status, parent, wake_at: wakeAt, failures, state: envelope };
}
