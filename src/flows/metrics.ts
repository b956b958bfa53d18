/** Figures about what is committed, for Prometheus. */
import type { CommitNotice, Runtime, StorePorts } from '../actors/index.ts';
import type { Metrics, Reading } from '../adapters/http/index.ts';
import type { Json } from '../machines/json.ts';

/** Counts from now on, and answers for what is looked up. To be called once. */
export function observe(
  { runtime, metrics }: { readonly runtime: Runtime; readonly metrics: Metrics },
  store: StorePorts,
  chatIsUp: () => boolean,
): void {
  const startedAt = new Map<string, number>();
  runtime.onCommit((notice) => {
    count(metrics, notice);
    timeStart(metrics, startedAt, notice);
  });
  metrics.read({
    activeSessions: async () => {
      const sessions = await store.listActors({ kind: 'session', status: 'active' });
      return [{ value: sessions.filter(({ value }) => isLive(value)).length }];
    },
    actors: async () => tally((await store.listActors()).map(({ kind, value }) => ({ kind, state: topOf(value) }))),
    containers: async () =>
      tally((await store.listActors({ kind: 'container' })).map(({ value }) => ({ state: topOf(value) }))),
    queueDepth: () => {
      const { pendingEvents, pendingEffects, runningEffects } = runtime.stats();
      return [
        { labels: { queue: 'inbox' }, value: pendingEvents },
        { labels: { queue: 'effects' }, value: pendingEffects },
        { labels: { queue: 'running_effects' }, value: runningEffects },
      ];
    },
    linkUp: () => [{ labels: { link: 'chat' }, value: chatIsUp() ? 1 : 0 }],
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

function tally(labels: readonly Readonly<Record<string, string>>[]): Reading[] {
  const counts = new Map<string, { labels: Readonly<Record<string, string>>; value: number }>();
  for (const each of labels) {
    const key = JSON.stringify(each);
    const known = counts.get(key) ?? { labels: each, value: 0 };
    counts.set(key, { ...known, value: known.value + 1 });
  }
  return [...counts.values()];
}

function isLive(value: Json): boolean {
  return topOf(value) === 'active' || topOf(value) === 'opening';
}

function topOf(value: Json | undefined): string {
  if (typeof value === 'string') return value;
  return typeof value === 'object' && value !== null ? (Object.keys(value)[0] ?? '') : '';
}

function numberOf(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0;
}
