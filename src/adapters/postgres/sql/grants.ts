/** What the firewall was opened for, by whom and until when. */
import type { GrantRow } from '../../../actors/store.ts';
import type { Address } from '../../../machines/addresses.ts';
import type { JsonObject } from '../../../machines/json.ts';
import { type Database, run, type Statement } from '../database.ts';

const PUT_GRANT: Statement = {
  name: 'put_grant',
  text: `
insert into network_grant (id, approval, session, host, scope, opened_at, expires_at, detail)
values ($1, $2, $3, $4, $5, to_timestamp($6::bigint / 1000.0), to_timestamp($7::bigint / 1000.0), $8)
on conflict (id) do nothing`,
};

export async function putGrant(db: Database, grant: GrantRow): Promise<void> {
  const { id, approval, session, host, scope, openedAt, expiresAt, detail } = grant;
  await run(db, PUT_GRANT, [id, approval, session, host, scope, openedAt, expiresAt ?? null, JSON.stringify(detail)]);
}

const REVOKE_GRANT: Statement = {
  name: 'revoke_grant',
  text: `
update network_grant set revoked_at = to_timestamp($2::bigint / 1000.0),
  detail = detail || jsonb_strip_nulls(jsonb_build_object('revokedUnder', $3::text))
where id = $1 and revoked_at is null`,
};

export async function revokeGrant(db: Database, id: string, at: number, under?: string): Promise<void> {
  await run(db, REVOKE_GRANT, [id, at, under ?? null]);
}

const REVOKED_UNDER: Statement = {
  name: 'revoked_under',
  text: `
select id, approval, session, host, scope, opened_at, expires_at, revoked_at, detail from network_grant
where detail->>'revokedUnder' = $1
order by opened_at, id`,
};

export async function grantsRevokedUnder(db: Database, key: string): Promise<GrantRow[]> {
  return (await run<GrantRecord>(db, REVOKED_UNDER, [key])).map(grantOf);
}

const ACTIVE_GRANTS: Statement = {
  name: 'active_grants',
  text: `
select id, approval, session, host, scope, opened_at, expires_at, revoked_at, detail from network_grant
where revoked_at is null and (expires_at is null or expires_at > to_timestamp($1::bigint / 1000.0))
order by opened_at, id`,
};

interface GrantRecord {
  readonly [column: string]: unknown;
  readonly id: string;
  readonly approval: Address;
  readonly session: Address;
  readonly host: string;
  readonly scope: string;
  readonly opened_at: number;
  readonly expires_at: number | null;
  readonly revoked_at: number | null;
  readonly detail: JsonObject;
}

export async function activeGrants(db: Database, at: number): Promise<GrantRow[]> {
  return (await run<GrantRecord>(db, ACTIVE_GRANTS, [at])).map(grantOf);
}

function grantOf({ opened_at, expires_at, revoked_at, ...same }: GrantRecord): GrantRow {
  const { id, approval, session, host, scope, detail } = same;
  const times = { openedAt: opened_at, expiresAt: expires_at ?? undefined, revokedAt: revoked_at ?? undefined };
  return { id, approval, session, host, scope, detail, ...times };
}

const CLAIMED_HOSTS: Statement = {
  name: 'claimed_hosts',
  text: `
select distinct host from network_grant
where detail->'claimed' = 'true'::jsonb and detail->'released' is distinct from 'true'::jsonb
order by host`,
};

export async function claimedHosts(db: Database): Promise<string[]> {
  return (await run<{ readonly host: string; readonly [column: string]: unknown }>(db, CLAIMED_HOSTS, [])).map(
    ({ host }) => host,
  );
}

const CLAIM_HOSTS: Statement = {
  name: 'claim_hosts',
  text: `
update network_grant set detail = detail || '{"claimed": true}'::jsonb where host = any($1) and revoked_at is null`,
};

/** From now on they are this program's to take out. */
export async function claimHosts(db: Database, hosts: readonly string[]): Promise<void> {
  await run(db, CLAIM_HOSTS, [hosts]);
}

const RELEASE_HOSTS: Statement = {
  name: 'release_hosts',
  text: `
update network_grant set detail = detail || '{"released": true}'::jsonb
where host = any($1) and (revoked_at is not null or expires_at <= to_timestamp($2::bigint / 1000.0))`,
};

export async function releaseHosts(db: Database, hosts: readonly string[], at: number): Promise<void> {
  await run(db, RELEASE_HOSTS, [hosts, at]);
}
