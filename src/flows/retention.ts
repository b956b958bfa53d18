/** Deletes what is too old, a batch at a time, as long as this process leads. What is pending is never touched. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log, Pruned, Retention, StorePorts } from '../actors/index.ts';

export interface RetentionPorts {
  readonly store: Pick<StorePorts, 'prune'>;
  readonly retention: Retention;
  readonly log: Log;
  /** Milliseconds from the end of one round to the next. */
  readonly everyMs?: number;
  /** Milliseconds between two batches, so that turns are not kept waiting. */
  readonly breathMs?: number;
}

const EVERY_MS = 60 * 60_000;
const BREATH_MS = 50;

/** Resolves when `over` is aborted and no statement is under way. A round that fails is tried again next time. */
export async function keepTidy(ports: RetentionPorts, over: AbortSignal): Promise<void> {
  const { log, everyMs = EVERY_MS } = ports;
  while (!over.aborted) {
    await tidyOnce(ports, over).catch((error: unknown) => {
      if (!over.aborted) log.warn({ err: error }, 'old rows could not be deleted');
    });
    await sleep(everyMs, undefined, { signal: over }).catch(() => undefined);
  }
}

/** One round over everything. */
export async function tidyOnce(
  { store, retention, log, breathMs = BREATH_MS }: RetentionPorts,
  over: AbortSignal,
): Promise<void> {
  const totals: Record<string, number> = {};
  let next: Pruned['next'];
  do {
    const pruned = await store.prune(retention, next);
    for (const [table, count] of Object.entries(pruned.deleted)) totals[table] = (totals[table] ?? 0) + count;
    next = pruned.next;
    if (next !== undefined) await sleep(breathMs, undefined, { signal: over }).catch(() => undefined);
  } while (next !== undefined && !over.aborted);
  if (Object.values(totals).some((count) => count > 0)) log.info(totals, 'old rows deleted');
}
