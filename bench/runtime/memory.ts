/** Heap per actor that is kept in memory. */
import type { TestPostgres } from '../../tests/support/postgres.ts';
import { heapBytes } from '../machine.ts';
import type { MemoryReport, Profile } from './report.ts';
import { busySession, insertSessions, sessionAt } from './sessions.ts';
import { startSystem, until } from './system.ts';

/** Events that go into one call of `deliver`. */
const TOGETHER = 100;

export async function measureMemory(postgres: TestPostgres, { hotActors }: Profile): Promise<MemoryReport> {
  const template = busySession();
  // A small one first: what is only compiled and cached once must not count.
  await heapOf(postgres, 50);
  const { before, loaded, hot, after } = await heapOf(postgres, hotActors);
  return {
    actors: hotActors,
    storedBytes: Buffer.byteLength(JSON.stringify(template.envelope)),
    loadedBytes: (loaded - before) / hotActors,
    hotBytes: (hot - before) / hotActors,
    afterStopBytes: (after - before) / hotActors,
  };
}

async function heapOf(postgres: TestPostgres, actors: number) {
  const { db } = await postgres.freshDatabase();
  await insertSessions(db, 'h', actors, busySession());
  const before = await heapBytes();
  const system = await startSystem(db, { limits: { cached: actors } });
  const { runtime } = system;
  await until('the sessions are in memory', () => runtime.stats().runningTasks === actors);
  const loaded = await heapBytes();
  for (let from = 0; from < actors; from += TOGETHER) {
    const some = Array.from({ length: Math.min(TOGETHER, actors - from) }, (_, index) => {
      const to = sessionAt('h', from + index + 1);
      return { to, event: { type: 'OUTPUT.SEEN', at: Date.now() }, dedupKey: `${to}/seen` };
    });
    await runtime.deliver(some);
  }
  await until('every session had a turn', () => runtime.stats().turns === actors);
  await until('the last commit returned', () => runtime.stats().pendingEvents === 0);
  if (runtime.stats().cachedActors !== actors) throw new Error(`${runtime.stats().cachedActors} actors are cached`);
  const hot = await heapBytes();
  await system.stop();
  return { before, loaded, hot, after: await heapBytes() };
}
