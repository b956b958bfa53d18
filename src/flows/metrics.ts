/** Figures about what is committed, for Prometheus. */
import type { CommitNotice, Runtime, StorePorts } from '../actors/index.ts';
import type { Metrics, Reading } from '../adapters/http/index.ts';
import type { Database } from '../adapters/postgres/index.ts';
import type { Json } from '../machines/json.ts';
import { LIVE_STATES } from './reports.ts';

/** Counts from now on, and answers for what is looked up. To be called once. */
export function observe(
  { runtime, metrics }: { readonly runtime: Runtime; readonly metrics: Metrics },
  store: StorePorts,
  database: Pick<Database, 'pressure' | 'state'>,
  links: Readonly<Record<string, () => boolean>>,
): void {
  const startedAt = new Map<string, number>();
  runtime.onCommit((notice) => {
    count(metrics, notice);
    timeStart(metrics, startedAt, notice);
  });
  metrics.read({
    activeSessions: async () => {
      const sessions = (await store.countActors()).filter(
        ({ kind, status, state }) => kind === 'session' && status === 'active' && isLive(state),
      );
      return [{ value: sessions.reduce((sum, { count }) => sum + count, 0) }];
    },
    actors: async () =>
      summed(
        (await store.countActors()).map(({ kind, status, state, count: value }) => ({
          labels: { kind, state: status === 'active' ? state : status },
          value,
        })),
      ),
    containers: async () =>
      (await store.countActors())
        .filter(({ kind, status }) => kind === 'container' && status === 'active')
        .map(({ state, count: value }) => ({ labels: { state }, value })),
    queueDepth: () => {
      const { pendingEvents, pendingEffects, runningEffects } = runtime.stats();
      return [
        { labels: { queue: 'inbox' }, value: pendingEvents },
        { labels: { queue: 'effects' }, value: pendingEffects },
        { labels: { queue: 'running_effects' }, value: runningEffects },
      ];
    },
    unreadableActors: () => [{ value: runtime.stats().unreadable }],
    outboxAge: async () => [{ value: (await store.backlog()).oldestEffectMs / 1000 }],
    deadLetters: async () =>
      (await store.backlog()).deadLetters.map(({ reason, count: value }) => ({ labels: { reason }, value })),
    databasePool: () => {
      const { inUse, waiting } = database.pressure();
      return [
        { labels: { state: 'busy' }, value: inUse },
        { labels: { state: 'waiting' }, value: waiting },
      ];
    },
    linkUp: () => [
      ...Object.entries(links).map(([link, isUp]) => ({ labels: { link }, value: isUp() ? 1 : 0 })),
      { labels: { link: 'database' }, value: database.state().name === 'up' ? 1 : 0 },
    ],
    leading: () => [{ value: runtime.stats().leading ? 1 : 0 }],
  });
}

function count(metrics: Metrics, { event, effects, address }: CommitNotice): void {
  switch (event.type) {
    case 'START':
      metrics.sessionsStarted.inc();
      return;
    case 'TURN.ENDED':
      metrics.tokensInput.inc(numberOf(event.inputTokens));
      metrics.tokensOutput.inc(numberOf(event.outputTokens));
      return;
    case 'REQUESTED':
      if (event.kind === 'network') metrics.networkRequests.inc();
      return;
    default:
  }
  if (!address.startsWith('approval/')) return;
  for (const effect of effects) {
    if (effect.kind === 'worker.decide') metrics.approvals.inc({ action: effect.params.outcome });
  }
}

/** From the command to a session people can write to. */
function timeStart(metrics: Metrics, startedAt: Map<string, number>, { address, event, from, to }: CommitNotice): void {
  if (event.type === 'START') startedAt.set(address, event.at);
  const started = startedAt.get(address);
  if (started === undefined || topOf(to) === 'opening' || topOf(to) === topOf(from)) return;
  if (topOf(to) === 'active') metrics.sessionStartDuration.observe((event.at - started) / 1000);
  startedAt.delete(address);
}

/** Of several readings with the same labels, the sum. */
function summed(readings: readonly Reading[]): Reading[] {
  const sums = new Map<string, Reading>();
  for (const { labels, value } of readings) {
    const key = JSON.stringify(labels);
    sums.set(key, { ...(labels === undefined ? {} : { labels }), value: (sums.get(key)?.value ?? 0) + value });
  }
  return [...sums.values()];
}

function isLive(state: string): boolean {
  return LIVE_STATES.some((live) => live === state);
}

function topOf(value: Json | undefined): string {
  if (typeof value === 'string') return value;
  return typeof value === 'object' && value !== null ? (Object.keys(value)[0] ?? '') : '';
}

function numberOf(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0;
}
