/** RT-37. Nothing fails: the same load for a long time, and a heap that has no reason to grow. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Fleet, podOf, sumOf, type Trouble, untilHealthy } from '../fleet.ts';
import { type CrashWorld, linesOf } from '../world.ts';

const EVERY_MS = 10_000;
const ANSWER_MS = 30_000;
/** With fewer looks there is nothing to compare: what is loaded and compiled late is still to come. */
const ENOUGH = 90;
/** The last third may hold this much more than the one before: caches fill, and sessions get longer. */
const GROWTH = 1.1;
const MIB = 1024 * 1024;

export async function watchHeap(world: CrashWorld, { kills: looks, onProgress }: Trouble): Promise<Fleet> {
  const file = join(world.folder, 'heap');
  const pod = podOf(
    world,
    { sabotage: '' },
    { name: 'gateway', port: world.callbackPort, env: { CSM_CRASH_HEAP: file } },
  );
  await untilHealthy(pod);
  const heap: number[] = [];
  let stopped: Promise<void> | undefined;

  async function look(): Promise<number> {
    const before = linesOf(file).length;
    pod.signal('SIGUSR2');
    for (const end = Date.now() + ANSWER_MS; Date.now() < end; await sleep(20)) {
      const line = linesOf(file)[before];
      if (line !== undefined) return Number(line) / MIB;
    }
    throw new Error('the gateway does not tell its heap');
  }

  return {
    moments: () => [],
    async trouble() {
      while (heap.length < looks) {
        await sleep(EVERY_MS);
        heap.push(await look());
        onProgress?.(`look ${heap.length} of ${looks}: ${heap.at(-1)?.toFixed(1)} MiB`);
      }
      const [, middle, last] = thirds(heap);
      if (heap.length >= ENOUGH && last > middle * GROWTH) {
        throw new Error(`the heap grew from ${middle.toFixed(1)} to ${last.toFixed(1)} MiB`);
      }
    },
    async stop() {
      stopped ??= pod.retire();
      await stopped;
      const [first, middle, last] = thirds(heap).map((figure) => Math.round(figure * 10) / 10);
      return { ...sumOf([pod]), 'first MiB': first ?? 0, 'middle MiB': middle ?? 0, 'last MiB': last ?? 0 };
    },
  };
}

/** The medians of the three thirds. */
function thirds(figures: readonly number[]): [number, number, number] {
  const third = Math.ceil(figures.length / 3);
  const median = (from: number) => {
    const part = figures.slice(from, from + third).sort((a, b) => a - b);
    return part[part.length >> 1] ?? 0;
  };
  return [median(0), median(third), median(2 * third)];
}
