/** Two gateways on one database. The leader is killed, or can no longer reach the database; the other one takes over. */
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../../simulator/src/dev/gateway.ts';
import { seededRandom } from '../../../simulator/src/mattermost/faults.ts';
import { type FaultProxy, startFaultProxy } from '../../support/faultProxy.ts';
import { startBalancer } from '../balancer.ts';
import { type Fleet, leaderOf, podOf, sumOf, type Trouble, untilHealthy, untilProgress } from '../fleet.ts';
import type { Pod } from '../pod.ts';
import type { CrashWorld } from '../world.ts';

const TAKEOVER_MS = 60_000;
/** Longer than the others wait before they end a leader that shows no sign of life. */
const CUT_OFF_MS = 15_000;

export async function killLeader(world: CrashWorld, { kills, seed, sabotage, onProgress }: Trouble): Promise<Fleet> {
  const random = seededRandom(seed);
  const proxies = new Map<Pod, FaultProxy>();
  for (const name of ['left', 'right']) {
    const proxy = await startFaultProxy({ path: world.postgres.socketPath });
    const env = { SM_DATABASE_URL: world.database.urlThrough(proxy) };
    proxies.set(podOf(world, sabotage ? { sabotage } : {}, { name, port: await freePort(), env }), proxy);
  }
  const pods = [...proxies.keys()];
  const balancer = await startBalancer(world.callbackPort, () => pods.map(({ port }) => port));
  await Promise.all(pods.map(untilHealthy));
  const moments: number[] = [];
  let cutOff = 0;
  let stopped: Promise<unknown> | undefined;

  async function leader(): Promise<Pod> {
    for (const end = Date.now() + TAKEOVER_MS; Date.now() < end; await sleep(100)) {
      const found = await leaderOf(world, pods);
      if (found) return found;
    }
    throw new Error('nobody leads');
  }

  return {
    moments: () => moments,
    async trouble() {
      for (let round = 0; round < kills; round += 1) {
        const first = await leader();
        const [second] = pods.filter((pod) => pod !== first);
        if (second) await untilHealthy(second);
        await sleep(500 + random() * 2_500);
        const at = Date.now();
        moments.push(at);
        const proxy = proxies.get(first);
        if (round % 5 === 4 && proxy) {
          cutOff += 1;
          proxy.blackhole();
          await sleep(CUT_OFF_MS);
          await proxy.heal();
        } else await first.kill();
        if (!(await untilProgress(world, at + 1, TAKEOVER_MS))) throw new Error('nobody took over');
        onProgress?.(`leader ${round % 5 === 4 ? 'cut off' : 'killed'} (${round + 1} of ${kills})`);
      }
    },
    async stop() {
      stopped ??= Promise.all(pods.map((pod) => pod.retire())).then(async () => {
        await balancer.close();
        for (const proxy of proxies.values()) await proxy.close();
      });
      await stopped;
      return { 'leaders cut off': cutOff, ...sumOf(pods) };
    },
  };
}
