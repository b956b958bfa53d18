/**
 * Actors for the inspector. The list has no index of its own on purpose: one on `updated_at` would have to be written with
 * every turn. A page costs one pass over the table (about 50 ms for 100,000 actors), and only while somebody looks.
 */
import type { ActorStatus, Envelope } from '../../../actors/types.ts';
import type { ActorDetail, ActorLine, ActorQuery, Overview } from '../../../inspector/ports.ts';
import type { ActorKind, Address } from '../../../machines/addresses.ts';
import type { Json } from '../../../machines/json.ts';
import { type Database, run, type Statement } from '../database.ts';

const INSPECT_OVERVIEW: Statement = {
  name: 'inspect_overview',
  text: `
select clock_timestamp() as now, l.term, l.holder, l.taken_at,
       (select count(*) from dead_letter where settled_at is null) as letters,
       (select coalesce(jsonb_agg(c), '[]') from (
          select kind, status, count(*) as count from actor group by kind, status order by kind, status) c) as counts
from (select 1) one left join lease l on true`,
};

export async function inspectOverview(db: Database): Promise<Overview> {
  const [row] = await run<{
    now: number;
    term: number | null;
    holder: string | null;
    taken_at: number | null;
    letters: number;
    counts: Overview['counts'];
  }>(db, INSPECT_OVERVIEW);
  return {
    now: row?.now ?? 0,
    term: row?.term ?? 0,
    holder: row?.holder ?? '',
    leaderSince: row?.taken_at ?? 0,
    counts: row?.counts ?? [],
    letters: row?.letters ?? 0,
  };
}

const COUNTS = `
  (select count(*) from inbox i where i.actor_id = a.id and i.done_at is null) as inbox,
  (select count(*) from dead_letter d where d.actor_id = a.id and d.settled_at is null) as letters`;

const INSPECT_ACTORS: Statement = {
  name: 'inspect_actors',
  text: `
select a.id, a.kind, a.status, a.rev, a.failures, a.wake_at, a.updated_at,
       a.state->'snapshot'->'value' as value,
       a.status = 'active' and exists (select from jsonb_each(a.state->'tasks') t where not t.value ? 'ended') as busy,
       ${COUNTS}
from (
  select id from actor
  where ($1::text is null or kind = $1)
    and ($2::text is null or status = $2)
    and ($3 = '' or position(lower($3) in lower(id)) > 0)
    and ($4::float8 is null or (updated_at, id) < (to_timestamp($4::float8 / 1000), $5))
  order by updated_at desc, id desc
  limit $6) page
join actor a on a.id = page.id
order by a.updated_at desc, a.id desc`,
};

interface LineRecord {
  readonly [column: string]: unknown;
  readonly id: Address;
  readonly kind: ActorKind;
  readonly status: ActorStatus;
  readonly rev: number;
  readonly failures: number;
  readonly wake_at: number | null;
  readonly updated_at: number;
  readonly value: Json;
  readonly busy: boolean;
  readonly inbox: number;
  readonly letters: number;
}

export async function inspectActors(db: Database, query: ActorQuery): Promise<ActorLine[]> {
  const rows = await run<LineRecord>(db, INSPECT_ACTORS, [
    query.kind ?? null,
    query.status ?? null,
    query.search,
    query.before?.updatedAt ?? null,
    query.before?.address ?? '',
    query.limit,
  ]);
  return rows.map((row) => ({
    address: row.id,
    kind: row.kind,
    status: row.status,
    rev: row.rev,
    value: row.value,
    failures: row.failures,
    wakeAt: row.wake_at ?? undefined,
    updatedAt: row.updated_at,
    inbox: row.inbox,
    letters: row.letters,
    busy: row.busy,
  }));
}

const INSPECT_ACTOR: Statement = {
  name: 'inspect_actor',
  text: `select a.*, ${COUNTS} from actor a where a.id = $1`,
};

interface DetailRecord extends LineRecord {
  readonly version: number;
  readonly term: number;
  readonly parent: Address | null;
  readonly created_at: number;
  readonly state: Envelope;
}

export async function inspectActor(db: Database, address: Address): Promise<ActorDetail | undefined> {
  const [row] = await run<DetailRecord>(db, INSPECT_ACTOR, [address]);
  if (row === undefined) return undefined;
  return {
    address: row.id,
    kind: row.kind,
    status: row.status,
    version: row.version,
    rev: row.rev,
    term: row.term,
    parent: row.parent ?? undefined,
    wakeAt: row.wake_at ?? undefined,
    failures: row.failures,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    envelope: row.state,
    inbox: row.inbox,
    letters: row.letters,
  };
}
