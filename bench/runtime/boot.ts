/** How long it takes until the runtime answers, and what it holds then, with many actors in the database. */
import { openDatabase } from '../../src/adapters/postgres/index.ts';
import { GATEWAY } from '../../src/machines/addresses.ts';
import type { TestPostgres } from '../../tests/support/postgres.ts';
import { heapBytes } from '../machine.ts';
import { inRounds, spreadOf } from '../statistics.ts';
import type { BootReport, Profile, RuntimeReport } from './report.ts';
import { idleSession, insertSessions, stoppedSession } from './sessions.ts';
import { startSystem, until } from './system.ts';

interface Boot {
  readonly startMs: number;
  readonly answerMs: number;
  readonly tasksMs: number;
  readonly heapBytes: number;
  readonly statements: number;
  readonly cachedActors: number;
  readonly runningTasks: number;
}

export async function measureBoot(
  postgres: TestPostgres,
  { coldActors, liveActors, bootRounds }: Profile,
  say: (line: string) => void,
): Promise<RuntimeReport['boot']> {
  const [empty, cold, live] = [
    await postgres.freshDatabase(),
    await postgres.freshDatabase(),
    await postgres.freshDatabase(),
  ];
  say(`inserting ${coldActors} stopped and ${liveActors} live sessions`);
  await insertSessions(cold.db, 'c', coldActors, stoppedSession());
  await insertSessions(live.db, 'l', liveActors, idleSession());
  const variants = {
    empty: () => boot(empty.url, 0),
    cold: () => boot(cold.url, 0),
    live: () => boot(live.url, liveActors),
  };
  await inRounds(1, variants);
  const rounds = await inRounds(bootRounds, variants, (round) => say(`boot ${round} of ${bootRounds}`));

  function reportOf(name: keyof typeof variants, actors: number): BootReport {
    const over = (figure: (boot: Boot) => number) => spreadOf(rounds.map((round) => figure(round[name])));
    return {
      actors,
      startRatio: spreadOf(rounds.map((round) => round[name].startMs / round.empty.startMs)),
      startMs: over(({ startMs }) => startMs),
      answerMs: over(({ answerMs }) => answerMs),
      tasksMs: over(({ tasksMs }) => tasksMs),
      heapBytes: over((one) => one.heapBytes),
      statements: over(({ statements }) => statements).median,
      cachedActors: over(({ cachedActors }) => cachedActors).median,
      runningTasks: over(({ runningTasks }) => runningTasks).median,
    };
  }
  return { empty: reportOf('empty', 0), cold: reportOf('cold', coldActors), live: reportOf('live', liveActors) };
}

/** One start of a process' worth of runtime, on connections of its own. @param tasks so many are to run in the end. */
async function boot(url: string, tasks: number): Promise<Boot> {
  const db = openDatabase({ url });
  await db.pool.query('select 1');
  const before = await heapBytes();
  const system = await startSystem(db);
  const statements = system.statements.total();
  const { runtime, startMs } = system;
  const started = performance.now();
  const event = { type: 'BOOT', at: Date.now() };
  const answer = await runtime.deliverAndWait(
    { to: GATEWAY, event, dedupKey: `boot/${performance.now()}/${process.pid}` },
    { timeoutMs: 120_000 },
  );
  if (answer !== 'done') throw new Error(`the root answers ${answer}`);
  const answerMs = startMs + performance.now() - started;
  await until('every task runs', () => runtime.stats().runningTasks === tasks);
  const tasksMs = startMs + performance.now() - started;
  const { cachedActors, runningTasks } = runtime.stats();
  const heap = (await heapBytes()) - before;
  await system.stop();
  await db.close();
  return { startMs, answerMs, tasksMs, heapBytes: heap, statements, cachedActors, runningTasks };
}
