/** One run of the harness: a world, a load, a mode that makes things fail, and the verdict. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CHECKS, type Harm } from './checks.ts';
import { keepRecords, loadEvidence } from './evidence.ts';
import type { Trouble } from './fleet.ts';
import { type Load, startLoad } from './load.ts';
import { MODES, type Mode } from './modes.ts';
import type { Sabotage } from './sabotage.ts';
import { settle } from './settle.ts';
import { type CrashWorld, startWorld } from './world.ts';

export interface RunOptions extends Trouble {
  readonly mode: Mode;
  readonly sessions: number;
  /** How long everything may take to come to rest, and people wait for anything. Milliseconds. */
  readonly settleMs?: number;
  readonly patienceMs?: number;
  /** Nothing fails before every session is open: for short runs, which would see nothing else. */
  readonly calmStart?: boolean;
  /** Keeps the logs in this folder, for people who want to know why. */
  readonly keep?: string;
}

export interface Violation {
  readonly harm: Harm;
  readonly promise: string;
  readonly count: number;
  readonly examples: readonly string[];
}

export interface Verdict {
  readonly lost: number;
  readonly duplicated: number;
  readonly inconsistent: number;
  /** What did not come to rest in time. */
  readonly unsettled: readonly string[];
  readonly mode: Mode;
  readonly seed: number;
  readonly sabotage: Sabotage | null;
  readonly totals: Readonly<Record<string, number>>;
  /** What the mode counted. */
  readonly failures: Readonly<Record<string, number>>;
  /** The longest time in which no event was taken, while there was work. */
  readonly longestGapMs: number;
  /** The longest time from a failure (or from its end, where the gateway can do nothing before) to the next event. */
  readonly longestRecoveryMs: number;
  readonly violations: readonly Violation[];
  readonly disappointments: readonly string[];
}

const SETTLE_MS = 120_000;
const START_MS = 60_000;
const EXAMPLES = 5;

export async function run(options: RunOptions): Promise<Verdict> {
  const say = options.onProgress ?? (() => {});
  const world = await startWorld();
  try {
    const fleet = await MODES[options.mode].start(world, options);
    try {
      await untilListening(world);
      const load = startLoad(world, options);
      if (options.calmStart) await load.opened;
      await fleet.trouble();
      say('the load finishes');
      const unsettled = await comeToRest(world, load, options, say);
      const verdict = await judge(world, load, options, unsettled, fleet.moments());
      if (options.keep !== undefined) await keepRecords(world, options.keep);
      return { ...verdict, failures: await fleet.stop() };
    } finally {
      await fleet.stop();
    }
  } finally {
    await world.stop();
  }
}

/** What was said before the bot first listened to a channel is none of its business. */
async function untilListening({ database, lobbyId }: CrashWorld): Promise<void> {
  for (const end = Date.now() + START_MS; Date.now() < end; await sleep(50)) {
    const [lobby] = await database.rows('select from chat_cursor where channel_id = $1', [lobbyId]);
    if (lobby) return;
  }
  throw new Error('no gateway listened in time');
}

async function comeToRest(
  world: CrashWorld,
  load: Load,
  options: RunOptions,
  say: (text: string) => void,
): Promise<string[]> {
  try {
    await load.finish();
    say('everything comes to rest');
    return await settle(world, options.settleMs ?? SETTLE_MS);
  } finally {
    await load.leave();
  }
}

async function judge(
  world: CrashWorld,
  load: Load,
  { mode, seed, sabotage }: RunOptions,
  unsettled: readonly string[],
  moments: readonly number[],
): Promise<Omit<Verdict, 'failures'>> {
  await loadEvidence(world);
  const violations: Violation[] = [];
  for (const { harm, promise, sql } of CHECKS) {
    const rows = await world.database.rows<{ what: string }>(sql);
    if (rows.length === 0) continue;
    violations.push({ harm, promise, count: rows.length, examples: rows.slice(0, EXAMPLES).map(({ what }) => what) });
  }
  const sum = (harm: Harm) =>
    violations.filter((violation) => violation.harm === harm).reduce((total, { count }) => total + count, 0);
  const [totals] = await world.database.rows<Record<string, number>>(TOTALS);
  const [recovery] = await world.database.rows<{ ms: number }>(LONGEST_RECOVERY, [moments]);
  const [gap] = await world.database.rows<{ ms: number }>(LONGEST_GAP);
  return {
    lost: sum('lost'),
    duplicated: sum('duplicated'),
    inconsistent: sum('inconsistent'),
    unsettled,
    mode,
    seed,
    sabotage: sabotage ?? null,
    totals: totals ?? {},
    longestGapMs: gap?.ms ?? 0,
    longestRecoveryMs: recovery?.ms ?? 0,
    violations,
    disappointments: load.disappointments,
  };
}

const TOTALS = `
select (select count(*)::int from inbox) as events,
       (select count(*)::int from journal) as turns,
       (select count(*)::int from effect) as effects,
       (select count(*)::int from actor) as actors,
       (select count(*)::int from evidence.post p, evidence.about a where p.user_id = a.bot_id) as posts,
       (select count(*)::int from evidence.worker where what = 'ran') as prompts,
       (select count(*)::int from evidence.worker where what = 'output') as outputs,
       (select count(*)::int from evidence.worker where what = 'decided') as decisions,
       (select count(*)::int from evidence.word) as words`;

const LONGEST_GAP = `
select coalesce(max(extract(epoch from done_at - before) * 1000), 0)::int as ms
from (select done_at, lag(done_at) over (order by done_at) as before from inbox where done_at is not null) x`;

const LONGEST_RECOVERY = `
select coalesce(max(extract(epoch from next - moment) * 1000), 0)::int as ms
from (select m.moment, (select min(i.done_at) from inbox i where i.done_at > m.moment) as next
      from (select to_timestamp(unnest($1::bigint[]) / 1000.0) as moment) m) x`;
