/** One gateway, killed again and again: at random moments, and each time it passes a named fault point. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultPoint } from '../../../src/actors/index.ts';
import { seededRandom } from '../../../simulator/src/mattermost/faults.ts';
import type { Fleet } from '../modes.ts';
import { type Fault, startPod } from '../pod.ts';
import type { RunOptions } from '../run.ts';
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

export function killGateway(world: CrashWorld, options: RunOptions): Fleet {
  const random = seededRandom(options.seed);
  const pod = startPod({
    port: world.callbackPort,
    env: world.gatewayEnv(world.callbackPort, { CSM_CRASH_SABOTAGE: options.sabotage ?? '' }),
    logFile: join(world.folder, 'gateway.log'),
  });
  const atPoint = new Map<FaultPoint, number>(POINTS.map((point) => [point, 0]));
  let stopped: Promise<void> | undefined;

  return {
    async trouble() {
      let fault: Fault | undefined;
      for (let round = 0; round < options.kills; round += 1) {
        const died = fault === undefined ? false : await pod.endsWithin(FAULT_PATIENCE_MS);
        if (died && fault) atPoint.set(fault.point, (atPoint.get(fault.point) ?? 0) + 1);
        const point = POINTS[Math.floor(round / 2) % POINTS.length];
        const next: Fault | undefined =
          round % 2 === 0 && point ? { point, nth: 1 + Math.floor(random() * 25) } : undefined;
        if (!died) {
          if (fault === undefined) await sleep(200 + random() * 2_500);
          await pod.kill(next);
        }
        fault = died ? undefined : next;
        options.onProgress?.(`kill ${round + 1} of ${options.kills}`);
      }
    },
    async stop() {
      stopped ??= pod.retire();
      await stopped;
      return {
        kills: pod.kills(),
        deaths: pod.deaths(),
        starts: pod.starts(),
        ...Object.fromEntries([...atPoint].map(([point, count]) => [`killed ${point}`, count])),
      };
    },
  };
}
