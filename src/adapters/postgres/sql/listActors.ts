/** Actors as others see them, found by what they are and where they stand. */
import type { ActorCount, ActorFilter, ActorSummary } from '../../../actors/store.ts';
import type { ActorStatus } from '../../../actors/types.ts';
import type { ActorKind, Address } from '../../../machines/addresses.ts';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { type Database, run, type Statement } from '../database.ts';

const LIST_ACTORS: Statement = {
  name: 'list_actors',
  text: `
select id, kind, status, version, rev, parent, wake_at, updated_at,
       state->'snapshot'->'value' as value, state->'snapshot'->'context' as context
from actor
where ($1::text is null or kind = $1) and ($2::text is null or status = $2)
  and ($3::text[] is null or state_name = any($3)) and ($4::text is null or starts_with(key, $4))
order by updated_at desc, id`,
};

interface SummaryRecord {
  readonly [column: string]: unknown;
  readonly id: Address;
  readonly kind: ActorKind;
  readonly status: ActorStatus;
  readonly version: number;
  readonly rev: number;
  readonly parent: Address | null;
  readonly wake_at: number | null;
  readonly updated_at: number;
  readonly value: Json;
  readonly context: JsonObject;
}

export async function listActors(db: Database, filter: ActorFilter = {}): Promise<ActorSummary[]> {
  const { kind, status, states, keyPrefix } = filter;
  const values = [kind ?? null, status ?? null, states ?? null, keyPrefix ?? null];
  return (await run<SummaryRecord>(db, LIST_ACTORS, values)).map((row) => ({
    address: row.id,
    kind: row.kind,
    status: row.status,
    version: row.version,
    rev: row.rev,
    parent: row.parent ?? undefined,
    value: row.value,
    context: row.context,
    wakeAt: row.wake_at ?? undefined,
    updatedAt: row.updated_at,
  }));
}

const COUNT_ACTORS: Statement = {
  name: 'count_actors',
  text: `
select kind, status, coalesce(state_name, '') as state, count(*) as count
from actor group by 1, 2, 3 order by 1, 2, 3`,
};

/** Reads an index only, however many actors there are and however large they have become. */
export async function countActors(db: Database): Promise<ActorCount[]> {
  return run<ActorCount & Record<string, unknown>>(db, COUNT_ACTORS);
}
