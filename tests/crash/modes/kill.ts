/** One gateway, killed again and again: at random moments, and each time it passes a named fault point. */
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../../simulator/src/mattermost/faults.ts';
import type { FaultPoint } from '../../../src/actors/index.ts';
import { type Fleet, podOf, sumOf, type Trouble, untilHealthy } from '../fleet.ts';
import type { Fault } from '../pod.ts';
import type { CrashWorld } from '../world.ts';

/** Every point there is: one that is missing here does not compile. */
const EVERY_POINT: Readonly<Record<FaultPoint, true>> = {
  'after-decide': true,
  'after-commit': true,
  'after-effect': true,
  'before-ack': true,
};
const POINTS = Object.keys(EVERY_POINT) as FaultPoint[];
/** A point that is not passed often enough in this time is given up for a kill at a random moment. */
const FAULT_PATIENCE_MS = 6_000;

export async function killGateway(world: CrashWorld, trouble: Trouble): Promise<Fleet> {
  const { kills, seed, sabotage, onProgress } = trouble;
  const random = seededRandom(seed);
  const pod = podOf(world, sabotage ? { sabotage } : {}, { name: 'gateway', port: world.callbackPort });
  const atPoint = new Map<string, number>(POINTS.map((point) => [point, 0]));
  const moments: number[] = [];
  let stopped: Promise<void> | undefined;

  /** Every other kill is at a fault point; the rest at random moments, some of them while the process is starting. */
  function faultOf(round: number): Fault | undefined {
    const points: readonly Fault['point'][] = trouble.points ?? POINTS;
    const point = trouble.points || round % 2 === 0 ? points[Math.floor(round / 2) % points.length] : undefined;
    return point && { point, nth: 1 + Math.floor(random() * (trouble.points ? 6 : 25)) };
  }

  return {
    moments: () => moments,
    async trouble() {
      for (let round = 0; pod.kills() < kills; round += 1) {
        const fault = faultOf(round);
        await pod.kill(fault);
        if (fault && pod.kills() < kills && (await pod.endsWithin(FAULT_PATIENCE_MS))) {
          atPoint.set(fault.point, (atPoint.get(fault.point) ?? 0) + 1);
        }
        moments.push(Date.now());
        if (random() < 0.75) await untilHealthy(pod);
        await sleep(random() * 2_000);
        onProgress?.(`kill ${pod.kills()} of ${kills}`);
      }
    },
    async stop() {
      stopped ??= pod.retire();
      await stopped;
      return {
        ...sumOf([pod]),
        ...Object.fromEntries([...atPoint].map(([point, count]) => [`killed ${point}`, count])),
      };
    },
  };
}
