/** Actors as they are stored. */
import type { ActorRow } from '../../../actors/store.ts';
import type { ActorStatus, Envelope } from '../../../actors/types.ts';
import type { ActorKind, Address } from '../../../machines/addresses.ts';
import { type Database, run, type Statement } from '../database.ts';

interface ActorRecord {
  readonly [column: string]: unknown;
  readonly id: Address;
  readonly kind: ActorKind;
  readonly version: number;
  readonly rev: number;
  readonly commit_id: string;
  readonly status: ActorStatus;
  readonly parent: Address | null;
  readonly wake_at: number | null;
  readonly failures: number;
  readonly state: Envelope;
}

const LOAD_ACTORS: Statement = {
  name: 'load_actors',
  text: `
select id, kind, version, rev, commit_id, status, parent, wake_at, failures, state
from actor where id = any($1::text[])`,
};

export async function loadActors(db: Database, addresses: readonly Address[]): Promise<ActorRow[]> {
  const rows = await run<ActorRecord>(db, LOAD_ACTORS, [addresses]);
  return rows.map((row) => ({
    address: row.id,
    kind: row.kind,
    version: row.version,
    rev: row.rev,
    commitId: row.commit_id,
    status: row.status,
    parent: row.parent ?? undefined,
    wakeAt: row.wake_at ?? undefined,
    failures: row.failures,
    envelope: row.state,
  }));
}

const LAST_COMMITS: Statement = {
  name: 'last_commits',
  text: 'select id, commit_id from actor where id = any($1::text[])',
};

export async function lastCommits(db: Database, addresses: readonly Address[]): Promise<Map<Address, string>> {
  const rows = await run<{ id: Address; commit_id: string }>(db, LAST_COMMITS, [addresses]);
  return new Map(rows.map((row) => [row.id, row.commit_id]));
}

export const WAKEUPS: Statement = {
  name: 'wakeups',
  text: `select id, wake_at from actor where status = 'active' and wake_at <= to_timestamp($1::bigint / 1000.0)`,
};

export async function wakeups(db: Database, until: number): Promise<{ address: Address; wakeAt: number }[]> {
  const rows = await run<{ id: Address; wake_at: number }>(db, WAKEUPS, [until]);
  return rows.map((row) => ({ address: row.id, wakeAt: row.wake_at }));
}

/**
 * Both halves read an index that holds nothing of cold actors. The second asks for each kind's oldest version first: the
 * planner takes any comparison of versions for a third of the table, and would rather read all of it.
 */
export const ACTORS_TO_RESUME: Statement = {
  name: 'actors_to_resume',
  text: `
with outdated as materialized (
  select current.key as kind, current.value::int as version
  from jsonb_each_text($1::jsonb) current
  where current.value::int > (
    select a.version from actor a where a.kind = current.key and a.status = 'active' order by a.version limit 1)
)
select a.id from actor a where a.status = 'active' and a.has_tasks
union
select older.id from outdated cross join lateral (
  select a.id from actor a
  where a.kind = outdated.kind and a.version < outdated.version and a.status = 'active'
  offset 0
) older
order by id`,
};

export async function actorsToResume(
  db: Database,
  versions: Readonly<Partial<Record<ActorKind, number>>>,
): Promise<Address[]> {
  const rows = await run<{ id: Address }>(db, ACTORS_TO_RESUME, [JSON.stringify(versions)]);
  return rows.map((row) => row.id);
}
