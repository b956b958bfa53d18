/** The journal for the inspector: what happened to an actor, and what changed anywhere since a moment. */
import type { ChangeMark, Changes, EffectOutcomeLine, JournalLine, Revision } from '../../../inspector/ports.ts';
import type { Address } from '../../../machines/addresses.ts';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { type Database, run, type Statement } from '../database.ts';

/** Without events' and contexts' contents: a page of these is small however big they are. */
const INSPECT_JOURNAL: Statement = {
  name: 'inspect_journal',
  text: `
select rev, at, event->>'type' as event_type, cause, value,
       (select coalesce(jsonb_agg(e->>'kind'), '[]') from jsonb_array_elements(effects) e) as effects
from journal
where actor_id = $1 and ($2::bigint is null or rev < $2)
order by rev desc limit $3`,
};

export async function inspectJournal(
  db: Database,
  address: Address,
  before: number | undefined,
  limit: number,
): Promise<JournalLine[]> {
  const rows = await run<{
    rev: number;
    at: number;
    event_type: string;
    cause: string | null;
    value: Json;
    effects: string[];
  }>(db, INSPECT_JOURNAL, [address, before ?? null, limit]);
  return rows.map(({ event_type, cause, ...row }) => ({ ...row, eventType: event_type, cause: cause ?? undefined }));
}

const INSPECT_REVISION: Statement = {
  name: 'inspect_revision',
  text: `
select j.rev, j.at, j.event, j.cause, j.value, j.context, j.effects, j.version,
       (select p.value from journal p where p.actor_id = j.actor_id and p.rev = j.rev - 1) as before,
       (select coalesce(jsonb_agg(jsonb_build_object(
                 'key', e.key, 'status', e.status, 'attempts', e.attempts, 'error', e.error,
                 'runAt', floor(extract(epoch from e.run_at) * 1000),
                 'doneAt', floor(extract(epoch from e.done_at) * 1000)) order by e.seq), '[]')
          from effect e
         where e.key = any(select j.actor_id || '/' || j.rev || '/' || i
                             from generate_series(0, jsonb_array_length(j.effects)) i)) as outcomes
from journal j
where j.actor_id = $1 and j.rev = $2`,
};

type OutcomeRecord = Omit<EffectOutcomeLine, 'index' | 'doneAt' | 'error'> & {
  readonly key: string;
  readonly doneAt: number | null;
  readonly error: string | null;
};

export async function inspectRevision(db: Database, address: Address, rev: number): Promise<Revision | undefined> {
  const [row] = await run<{
    rev: number;
    at: number;
    event: JsonObject;
    cause: string | null;
    value: Json;
    context: JsonObject;
    effects: JsonObject[];
    version: number;
    before: Json | null;
    outcomes: OutcomeRecord[];
  }>(db, INSPECT_REVISION, [address, rev]);
  if (row === undefined) return undefined;
  return {
    ...row,
    cause: row.cause ?? undefined,
    before: row.before ?? undefined,
    outcomes: row.outcomes.map(({ key, doneAt, error, ...outcome }) => ({
      ...outcome,
      index: Number(key.slice(key.lastIndexOf('/') + 1)),
      doneAt: doneAt ?? undefined,
      error: error ?? undefined,
    })),
  };
}

/**
 * Looks a little further back than the mark: a turn may be committed shortly after a later one. The same change can come
 * twice; its revision tells.
 */
const INSPECT_CHANGES: Statement = {
  name: 'inspect_changes',
  text: `
with rows as (
  select actor_id, rev, at from journal where at > to_timestamp($1::float8 / 1000) - interval '10 s'
  order by at desc limit $3),
letters as (
  select id, actor_id from dead_letter where id > $2 order by id desc limit $3)
select coalesce((select floor(extract(epoch from max(at)) * 1000) from rows), $1) as at,
       coalesce((select max(id) from letters), $2) as letter,
       (select coalesce(jsonb_agg(c), '[]') from (
          select actor_id as address, max(rev) as rev from (
            select actor_id, rev from rows union all select actor_id, 0 from letters) both_kinds
          group by actor_id) c) as actors`,
};

export async function inspectChanges(db: Database, since: ChangeMark, limit: number): Promise<Changes> {
  const [row] = await run<{ at: string | number; letter: number; actors: Changes['actors'] }>(db, INSPECT_CHANGES, [
    since.at,
    since.letter,
    limit,
  ]);
  if (row === undefined) return { mark: since, actors: [] };
  return { mark: { at: Number(row.at), letter: Number(row.letter) }, actors: row.actors };
}
