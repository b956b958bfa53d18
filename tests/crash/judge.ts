/** The verdict of a test that makes one thing fail: all that does not hold, in words. */
import { CHECKS } from './checks.ts';
import { loadEvidence } from './evidence.ts';
import { settle } from './settle.ts';
import type { CrashWorld } from './world.ts';

const REST_MS = 90_000;

/** Waits until nothing is left to do, and compares what happened outside with what was promised. @returns each breach. */
export async function breachesOf(world: CrashWorld): Promise<readonly string[]> {
  const unsettled = await settle(world, REST_MS);
  await loadEvidence(world);
  const breaches = unsettled.map((what) => `not at rest: ${what}`);
  for (const { harm, promise, sql } of CHECKS) {
    const rows = await world.database.rows<{ what: string }>(sql);
    breaches.push(...rows.map(({ what }) => `${harm}: ${promise}: ${what}`));
  }
  return breaches;
}

/** The tokens of the tasks that the agent of a thread ran, in the order of running. After `breachesOf`. */
export async function ranIn({ database }: CrashWorld, rootId: string): Promise<readonly string[]> {
  const rows = await database.rows<{ token: string }>(
    `select substring(w.text from 'do (t[0-9]+) ') as token
     from evidence.worker w join thread t on t.session = w.session
     where w.what = 'ran' and t.root_id = $1 order by w.seq`,
    [rootId],
  );
  return rows.map(({ token }) => token);
}

/** How often each word of an answer stands in the thread. After `breachesOf`. */
export async function shownIn({ database }: CrashWorld, rootId: string): Promise<ReadonlyMap<string, number>> {
  const rows = await database.rows<{ word: string; count: number }>(
    'select word, count(*)::int as count from evidence.shown where root_id = $1 group by word',
    [rootId],
  );
  return new Map(rows.map(({ word, count }) => [word, count]));
}
