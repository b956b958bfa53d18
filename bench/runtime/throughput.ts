/** Turns per second and latency of every variant, beside the bare UPDATE loop of the same round. */
import { openDatabase } from '../../src/adapters/postgres/index.ts';
import { type FaultProxy, startFaultProxy } from '../../tests/support/faultProxy.ts';
import type { TestPostgres } from '../../tests/support/postgres.ts';
import { inRounds, quantile, type Spread, spreadOf } from '../statistics.ts';
import { type BareResult, prepareBare, runBare } from './bare.ts';
import { createLoad, type Load, type LoadResult } from './load.ts';
import { FAR_MS, type Profile, type RuntimeReport, VARIANTS, type VariantName, type VariantReport } from './report.ts';
import { commitInRoundTrips, TRIPS } from './roundTrips.ts';
import { idleSession, insertSessions, sessionAt } from './sessions.ts';
import { type SystemOptions, startSystem, until } from './system.ts';

/** Connections of a pool: as many loops as can run at once. */
const CONNECTIONS = 8;
/** Two ways to commit; each system has a database of its own. */
const ONE_STATEMENT = { options: {}, commitNames: ['commit'] };
const ROUND_TRIPS = { options: { commit: commitInRoundTrips }, commitNames: TRIPS };
const ALONE = { options: { limits: { batch: 1 } }, commitNames: ['commit'] };

interface Way {
  readonly options: SystemOptions;
  /** Of the statements that a commit consists of. */
  readonly commitNames: readonly string[];
}

type Round = Record<VariantName, LoadResult> & Record<'bare' | 'bareAll', BareResult>;
type Throughput = Pick<RuntimeReport, 'bare' | 'variants' | 'comparisons'>;

export async function measureThroughput(
  postgres: TestPostgres,
  { rounds, roundMs }: Profile,
  say: (line: string) => void,
): Promise<Throughput> {
  const stops: (() => Promise<void>)[] = [];

  async function loadOn({ options, commitNames }: Way, sessions: number, proxy?: FaultProxy): Promise<Load> {
    const database = await postgres.freshDatabase();
    await insertSessions(database.db, 's', sessions, idleSession());
    const db = proxy === undefined ? database.db : openDatabase({ url: database.urlThrough(proxy) });
    if (proxy !== undefined) stops.unshift(() => db.close());
    const system = await startSystem(db, options);
    stops.unshift(() => system.stop());
    await until('the sessions have their links', () => system.runtime.stats().runningTasks === sessions);
    const addresses = Array.from({ length: sessions }, (_, index) => sessionAt('s', index + 1));
    return createLoad(system, addresses, commitNames);
  }

  try {
    const { pool } = (await postgres.freshDatabase()).db;
    await prepareBare(pool);
    const proxy = await startFaultProxy({ path: postgres.socketPath });
    stops.unshift(() => proxy.close());
    proxy.delay(FAR_MS);
    const loads = {
      one: await loadOn(ONE_STATEMENT, 500),
      trips: await loadOn(ROUND_TRIPS, 50),
      alone: await loadOn(ALONE, 50),
      farOne: await loadOn(ONE_STATEMENT, 50, proxy),
      farTrips: await loadOn(ROUND_TRIPS, 50, proxy),
    };
    const work = (ms: number) => ({
      bare: () => runBare(pool, 1, ms),
      one1: () => loads.one.run(1, ms),
      trips1: () => loads.trips.run(1, ms),
      one50: () => loads.one.run(50, ms),
      trips50: () => loads.trips.run(50, ms),
      alone50: () => loads.alone.run(50, ms),
      one500: () => loads.one.run(500, ms * 3),
      farOne1: () => loads.farOne.run(1, ms),
      farTrips1: () => loads.farTrips.run(1, ms),
      farOne50: () => loads.farOne.run(50, ms),
      farTrips50: () => loads.farTrips.run(50, ms),
      bareAll: () => runBare(pool, CONNECTIONS, ms),
    });
    // Compilers and caches warm up outside the figures.
    await inRounds<keyof Round, LoadResult | BareResult>(1, work(roundMs / 2));
    const results = (await inRounds<keyof Round, LoadResult | BareResult>(rounds, work(roundMs), (round) =>
      say(`round ${round} of ${rounds}`),
    )) as Round[];
    return reportOf(results);
  } finally {
    for (const stop of stops) await stop();
  }
}

function reportOf(rounds: readonly Round[]): Throughput {
  const over = (figure: (round: Round) => number): Spread => spreadOf(rounds.map(figure));
  const faster = (left: VariantName, right: VariantName) =>
    over((round) => round[left].perSecond / round[right].perSecond);
  return {
    bare: {
      perSecond: over(({ bare }) => bare.perSecond),
      p50Ms: over(({ bare }) => quantile(bare.each, 0.5)),
      cpuMs: over(({ bare }) => bare.cpuMs),
      allConnectionsRatio: over(({ bare, bareAll }) => bareAll.perSecond / bare.perSecond),
    },
    variants: Object.fromEntries(
      (Object.keys(VARIANTS) as VariantName[]).map((name) => [name, variantOf(rounds, name)]),
    ) as Record<VariantName, VariantReport>,
    comparisons: {
      oneStatementVersusRoundTrips: {
        near1: faster('one1', 'trips1'),
        near50: faster('one50', 'trips50'),
        far1: faster('farOne1', 'farTrips1'),
        far50: faster('farOne50', 'farTrips50'),
      },
      commitOfRoundTripsVersusOneStatement: {
        near: over(({ one1, trips1 }) => quantile(trips1.commitMs, 0.5) / quantile(one1.commitMs, 0.5)),
        far: over(({ farOne1, farTrips1 }) => quantile(farTrips1.commitMs, 0.5) / quantile(farOne1.commitMs, 0.5)),
      },
      groupCommitVersusAlone: faster('one50', 'alone50'),
    },
  };
}

function variantOf(rounds: readonly Round[], name: VariantName): VariantReport {
  const over = (figure: (load: LoadResult) => number): Spread => spreadOf(rounds.map((round) => figure(round[name])));
  const inUpdates = (times: (load: LoadResult) => readonly number[], at: number): Spread =>
    spreadOf(rounds.map((round) => quantile(times(round[name]), at) / quantile(round.bare.each, 0.5)));
  const sum = (figure: (load: LoadResult) => number) => rounds.reduce((total, round) => total + figure(round[name]), 0);
  const commits = sum((load) => load.commits);
  const turns = sum((load) => load.turns);
  return {
    ...VARIANTS[name],
    ratios: {
      turns: spreadOf(rounds.map((round) => round[name].perSecond / round.bare.perSecond)),
      p50: inUpdates(({ latencies }) => latencies, 0.5),
      p99: inUpdates(({ latencies }) => latencies, 0.99),
      wholeP50: inUpdates(({ wholes }) => wholes, 0.5),
      wholeP99: inUpdates(({ wholes }) => wholes, 0.99),
      commitP50: inUpdates(({ commitMs }) => commitMs, 0.5),
      cpu: spreadOf(rounds.map((round) => round[name].cpuMs / round.bare.cpuMs)),
    },
    absolute: {
      turnsPerSecond: over(({ perSecond }) => perSecond),
      p50Ms: over(({ latencies }) => quantile(latencies, 0.5)),
      p99Ms: over(({ latencies }) => quantile(latencies, 0.99)),
      cpuMsPerTurn: over(({ cpuMs }) => cpuMs),
    },
    turnsPerCommit: turns / commits,
    statementsPerCommit: sum((load) => load.commitStatements) / commits,
    statementsPerTurn: sum((load) => load.statements) / turns,
  };
}
