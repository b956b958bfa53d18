/** PostgreSQL ends at once, as if its machine had failed, and comes back. Nobody helps the gateway. */
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../../simulator/src/mattermost/faults.ts';
import { type Fleet, podOf, sumOf, type Trouble, untilHealthy, untilProgress } from '../fleet.ts';
import type { CrashWorld } from '../world.ts';

/** How long the gateway may take until it goes on. */
const RECOVERY_MS = 60_000;

export async function crashPostgres(world: CrashWorld, { kills, seed, sabotage, onProgress }: Trouble): Promise<Fleet> {
  const random = seededRandom(seed);
  const pod = podOf(world, sabotage ? { sabotage } : {}, { name: 'gateway', port: world.callbackPort });
  const moments: number[] = [];
  let crashes = 0;
  let stopped: Promise<void> | undefined;
  await untilHealthy(pod);

  return {
    moments: () => moments,
    async trouble() {
      for (; crashes < kills; ) {
        await sleep(500 + random() * 3_000);
        await world.postgres.crash();
        crashes += 1;
        // Mostly back in a moment; sometimes away for longer than any single attempt waits.
        await sleep(random() < 0.2 ? 6_000 + random() * 4_000 : random() * 2_000);
        await world.postgres.restart();
        const back = Date.now();
        moments.push(back);
        if (!(await untilProgress(world, back, RECOVERY_MS))) throw new Error('the gateway did not go on by itself');
        onProgress?.(`crash ${crashes} of ${kills}: went on after ${Date.now() - back} ms`);
      }
    },
    async stop() {
      stopped ??= pod.retire();
      await stopped;
      return { 'database crashes': crashes, ...sumOf([pod]) };
    },
  };
}
