/** Statements about the lead: who has it, whether it is alive, and taking it. */
import { LEADER_LOCK, LOCK_CLASS } from '../locks.ts';

/** True of a lease `l` if a chart has led in a version above what `$1` (jsonb, null: not checked) names. */
const LED_BY_NEWER = `exists (
  select from jsonb_each_text(l.charts) led where led.value::int > coalesce(($1::jsonb ->> led.key)::int, 0)
    and $1::jsonb is not null)`;

export interface TryRow {
  readonly mine: boolean;
  readonly newer: boolean;
  readonly holder: string | null;
  readonly program: string | null;
  readonly charts: Readonly<Record<string, number>> | null;
}

/** Takes the lock if it is free and no newer chart has led; never waits. */
export const TRY_LEAD = `
with last as materialized (
  select l.holder, l.program, l.charts, ${LED_BY_NEWER} as newer from lease l where l.id = 1
), judged as materialized (
  select coalesce((select newer from last), false) as newer
)
select newer, case when newer then false else pg_try_advisory_lock(${LOCK_CLASS}, ${LEADER_LOCK}) end as mine,
       (select holder from last) as holder, (select program from last) as program, (select charts from last) as charts
from judged`;

export const UNLOCK = `select pg_advisory_unlock(${LOCK_CLASS}, ${LEADER_LOCK})`;

/**
 * The next term: one more than the last, and at least the server's time in seconds. The time keeps terms rising also when
 * the database is restored from a backup or fails over to a server that lost the newest commits: the lease is then older
 * than the terms that workers have already seen, and they refuse lower ones. It fails to only if the server's clock is set
 * back to before the lost terms, or if the lead changed more than once a second ever since.
 *
 * No row: a newer chart has led meanwhile.
 */
export const RAISE_TERM = `
insert into lease as l (id, term, holder, program, charts)
values (1, floor(extract(epoch from clock_timestamp()))::bigint, $2, $3, coalesce($1::jsonb, '{}'))
on conflict (id) do update
set term = greatest(l.term + 1, excluded.term), taken_at = now(), holder = excluded.holder, program = excluded.program,
    charts = l.charts || excluded.charts
where not ${LED_BY_NEWER}
returning l.term::text as term`;

/** The backend that holds the lead. A heartbeat is a statement, so the last change of its state is its pulse. */
const HOLDER = `
from pg_locks k join pg_stat_activity a on a.pid = k.pid
where k.locktype = 'advisory' and k.granted
  and k.database = (select oid from pg_database where datname = current_database())
  and k.classid = ${LOCK_CLASS}::oid and k.objid = ${LEADER_LOCK}::oid and k.objsubid = 2`;
const PULSE = `concat(a.backend_start, ' ', a.state_change)`;

export interface PulseRow {
  readonly pid: number;
  readonly pulse: string;
  /** Milliseconds by the server's clock; null if this role may not see it. */
  readonly silent_ms: number | null;
}

export const READ_PULSE = `
select a.pid, ${PULSE} as pulse, (extract(epoch from clock_timestamp() - a.state_change) * 1000)::float8 as silent_ms
${HOLDER}`;

/** Ends the connection of a holder whose pulse is still what was read. */
export const EVICT = `select pg_terminate_backend(a.pid) as ended ${HOLDER} and a.pid = $1 and ${PULSE} = $2`;

/**
 * What the server does about a connection whose other end is silent: probes when nothing is under way, and a limit on
 * what is sent and not acknowledged, because probes stop then. Without effect on a Unix socket.
 */
export const WATCH_CONNECTION = `
select set_config('tcp_keepalives_idle', '2', false), set_config('tcp_keepalives_interval', '2', false),
       set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '6000', false),
       set_config('statement_timeout', '2500', false)`;
