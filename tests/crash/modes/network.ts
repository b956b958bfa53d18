/** The way between gateway and database fails in every way a network can, while both are well. */
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../../simulator/src/mattermost/faults.ts';
import { type FaultProxy, startFaultProxy } from '../../support/faultProxy.ts';
import { type Fleet, podOf, sumOf, type Trouble, untilHealthy, untilProgress } from '../fleet.ts';
import type { CrashWorld } from '../world.ts';

const RECOVERY_MS = 90_000;
const FAULTS = ['silence', 'silence of answers', 'delay', 'reset', 'refusal', 'cut answer', 'cut statement'] as const;
type NetworkFault = (typeof FAULTS)[number];

export async function troubleNetwork(
  world: CrashWorld,
  { kills, seed, sabotage, onProgress }: Trouble,
): Promise<Fleet> {
  const random = seededRandom(seed);
  const proxy = await startFaultProxy({ path: world.postgres.socketPath });
  const pod = podOf(world, sabotage ? { sabotage } : {}, {
    name: 'gateway',
    port: world.callbackPort,
    env: { SM_DATABASE_URL: world.database.urlThrough(proxy) },
  });
  const counts = new Map<NetworkFault, number>();
  const moments: number[] = [];
  let stopped: Promise<void> | undefined;
  await untilHealthy(pod);

  return {
    moments: () => moments,
    async trouble() {
      for (let round = 0; round < kills; round += 1) {
        await sleep(500 + random() * 2_000);
        const fault = FAULTS[round % FAULTS.length] ?? 'reset';
        counts.set(fault, (counts.get(fault) ?? 0) + 1);
        await happen(proxy, fault, random);
        await proxy.heal();
        const healed = Date.now();
        moments.push(healed);
        if (!(await untilProgress(world, healed, RECOVERY_MS))) {
          throw new Error(`the gateway did not go on by itself after: ${fault}`);
        }
        onProgress?.(`${fault} (${round + 1} of ${kills}): went on after ${Date.now() - healed} ms`);
      }
    },
    async stop() {
      stopped ??= pod.retire().then(() => proxy.close());
      await stopped;
      return { ...Object.fromEntries(counts), ...sumOf([pod]) };
    },
  };
}

async function happen(proxy: FaultProxy, fault: NetworkFault, random: () => number): Promise<void> {
  switch (fault) {
    case 'silence':
      proxy.blackhole();
      return void (await sleep(500 + random() * 12_000));
    case 'silence of answers':
      proxy.blackhole('toClient');
      return void (await sleep(500 + random() * 8_000));
    case 'delay':
      proxy.delay(50 + random() * 1_000);
      return void (await sleep(1_000 + random() * 5_000));
    case 'reset':
      return proxy.reset();
    case 'refusal':
      await proxy.refuse();
      proxy.reset();
      return void (await sleep(random() * 5_000));
    case 'cut answer':
    case 'cut statement': {
      // Somewhere within what goes over the line in a moment: what became of the statement is then unknown.
      const cut = proxy.cutAfter(Math.floor(random() * 20_000), fault === 'cut answer' ? 'toClient' : 'toServer');
      return void (await Promise.race([cut, sleep(10_000)]));
    }
  }
}
