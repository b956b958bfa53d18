/** The VM is kept in order as long as this process leads: at once when it begins to, and then again and again. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Runtime } from '../../actors/index.ts';
import { GATEWAY } from '../../machines/addresses.ts';
import type { ContainerContext } from '../../machines/container/context.ts';
import type { RepoRef } from '../../machines/effects.ts';
import { type DiskState, isNearlyFull, pruneDisk } from './disk.ts';
import { isLive, type SweepPorts, sweep } from './sweep.ts';
import { pruneCheckouts, type UnusedPorts } from './unusedCheckouts.ts';

export interface UpkeepPorts extends SweepPorts, UnusedPorts {
  readonly runtime: Pick<Runtime, 'deliver'>;
  /** Days that sessions are kept for. */
  readonly keepDays: number;
  readonly now: () => number;
  /** Milliseconds from the end of one round to the next; for tests. */
  readonly everyMs?: number;
}

/** What a gateway that was killed, or a VM that was away, has left must not lie around for long; to look is cheap. */
const SWEEP_EVERY_MS = 60_000;
const PRUNE_EVERY_MS = 15 * 60_000;
/** After a round that failed, most likely because the VM was not there. */
const AGAIN_MS = 30_000;
const DAY_MS = 24 * 60 * 60_000;

/** Resolves when `over` is aborted and nothing is under way. */
export async function keepVmInOrder(ports: UpkeepPorts, over: AbortSignal): Promise<void> {
  const { everyMs } = ports;
  await Promise.all([
    again(ports, [sweep], everyMs ?? SWEEP_EVERY_MS, over),
    again(ports, [pruneUnused, watchDisk], everyMs ?? PRUNE_EVERY_MS, over),
  ]);
}

type Step = (ports: UpkeepPorts, over: AbortSignal) => Promise<void>;

async function again(ports: UpkeepPorts, steps: readonly Step[], everyMs: number, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    let pause = everyMs;
    // Each by itself: on a full disk much fails, and that is when room must be made and people told.
    for (const step of steps) {
      if (over.aborted) break;
      await step(ports, over).catch((error: unknown) => {
        if (!over.aborted) ports.log.warn({ err: error, step: step.name }, 'the VM is not in order; it is tried again');
        pause = Math.min(AGAIN_MS, everyMs);
      });
    }
    await sleep(pause, undefined, { signal: over }).catch(() => undefined);
  }
}

async function pruneUnused(ports: UpkeepPorts, over: AbortSignal): Promise<void> {
  const isUsed = async ({ repo, branch }: RepoRef) => {
    const live = (await ports.known()).filter(isLive).map(({ context }) => (context as ContainerContext).repo);
    return live.some((other) => other.repo === repo && other.branch === branch);
  };
  await pruneCheckouts(ports, ports.keepDays, isUsed, over);
}

async function watchDisk(ports: UpkeepPorts, over: AbortSignal): Promise<void> {
  const state = await pruneDisk(ports, ports.keepDays, over);
  if (!isNearlyFull(state)) return;
  ports.log.warn({ ...state }, "the VM's disk is nearly full");
  const at = ports.now();
  // Once a day, whoever leads.
  const dedupKey = `vm/disk/${Math.floor(at / DAY_MS)}`;
  await ports.runtime.deliver([
    { to: GATEWAY, event: { type: 'SYSTEM.WARNING', at, text: diskWords(state) }, dedupKey },
  ]);
}

function diskWords({ percent, freeBytes }: DiskState): string {
  const gigabytes = (freeBytes / 1024 ** 3).toFixed(1);
  return `The disk of the VM is ${percent} % full (${gigabytes} GiB are free). Old images of ours are removed by themselves; checkouts with work in them are not. Make room there before sessions fail.`;
}
