// What the metrics say of sessions.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ActorCount, Runtime, StorePorts } from '../../src/actors/index.ts';
import { createMetrics } from '../../src/adapters/http/index.ts';
import { observe } from '../../src/flows/metrics.ts';

test('a session that was set aside or has ended in an error is not counted as one that runs', async () => {
  const session = { kind: 'session', state: 'active' } as const;
  const counts: ActorCount[] = [
    { ...session, status: 'active', count: 3 },
    { ...session, status: 'parked', count: 5 },
    { ...session, status: 'error', count: 7 },
    { ...session, status: 'active', state: 'stopped', count: 11 },
  ];
  const runtime: Partial<Runtime> = {
    onCommit: () => () => undefined,
    stats: () => ({
      leading: true,
      pendingEvents: 0,
      pendingEffects: 0,
      runningEffects: 0,
      runningTasks: 0,
      commits: 0,
      turns: 0,
      deadLetters: 0,
      cachedActors: 0,
      unreadable: 0,
      alarms: 0,
      degraded: undefined,
    }),
  };
  const store: Partial<StorePorts> = {
    countActors: async () => counts,
    backlog: async () => ({ oldestEffectMs: 0, deadLetters: [] }),
  };
  const database = {
    pressure: () => ({ waiting: 0, inUse: 0 }),
    state: () => ({ name: 'up', since: 0 }) as const,
  };
  const metrics = createMetrics();
  observe({ runtime: runtime as Runtime, metrics }, store as StorePorts, database, {});
  assert.match(await metrics.registry.metrics(), /^csm_active_sessions 3$/m);
});

test.run();
