/** Rolling updates: the new gateway runs before the old one is asked to end, as a cluster does it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../../simulator/src/dev/gateway.ts';
import { seededRandom } from '../../../simulator/src/mattermost/faults.ts';
import { startBalancer } from '../balancer.ts';
import { type Fleet, podOf, sumOf, type Trouble, untilHealthy, untilProgress } from '../fleet.ts';
import type { Pod } from '../pod.ts';
import type { CrashWorld } from '../world.ts';

const TAKEOVER_MS = 60_000;

export async function rollOver(world: CrashWorld, { kills, seed, sabotage, onProgress }: Trouble): Promise<Fleet> {
  const random = seededRandom(seed);
  const all: Pod[] = [];
  const next = async (): Promise<Pod> => {
    const pod = podOf(world, sabotage ? { sabotage } : {}, { name: `gateway-${all.length}`, port: await freePort() });
    all.push(pod);
    await untilHealthy(pod);
    return pod;
  };
  let present = await next();
  let serving: readonly Pod[] = [present];
  const balancer = await startBalancer(world.callbackPort, () => serving.map(({ port }) => port));
  const moments: number[] = [];
  let stopped: Promise<void> | undefined;

  return {
    moments: () => moments,
    async trouble() {
      for (let round = 0; round < kills; round += 1) {
        await sleep(1_000 + random() * 3_000);
        const old = present;
        present = await next();
        serving = [old, present];
        await sleep(random() * 1_000);
        const at = Date.now();
        moments.push(at);
        serving = [present];
        await old.retire();
        if (!(await untilProgress(world, Date.now(), TAKEOVER_MS)))
          throw new Error('the new gateway did not take over');
        onProgress?.(`rolled over ${round + 1} of ${kills}; the old one took ${Date.now() - at} ms to end`);
      }
    },
    async stop() {
      stopped ??= present.retire().then(() => balancer.close());
      await stopped;
      return { updates: all.length - 1, ...sumOf(all) };
    },
  };
}
