/** One gateway, killed again and again: at random moments, and each time it passes a named fault point. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../../simulator/src/mattermost/faults.ts';
import type { FaultPoint } from '../../../src/actors/index.ts';
import type { Fleet } from '../modes.ts';
import { type Fault, type Pod, startPod } from '../pod.ts';
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
const START_MS = 20_000;

async function listening(pod: Pod): Promise<void> {
  for (const end = Date.now() + START_MS; Date.now() < end && !(await pod.healthy()); ) await sleep(50);
}

export function killGateway(world: CrashWorld, options: RunOptions): Fleet {
  const random = seededRandom(options.seed);
  const pod = startPod({
    program: world.gatewayProgram,
    port: world.callbackPort,
    env: world.gatewayEnv(world.callbackPort, { CSM_CRASH_SABOTAGE: options.sabotage ?? '' }),
    logFile: join(world.folder, 'gateway.log'),
  });
  const atPoint = new Map<FaultPoint, number>(POINTS.map((point) => [point, 0]));
  let stopped: Promise<void> | undefined;

  return {
    async trouble() {
      for (let round = 0; round < options.kills; round += 1) {
        // Every other one at a fault point; the rest at random moments, some of them while the process is starting.
        const point = round % 2 === 0 ? POINTS[(round / 2) % POINTS.length] : undefined;
        const fault: Fault | undefined = point && { point, nth: 1 + Math.floor(random() * 25) };
        await pod.kill(fault);
        if (fault && (await pod.endsWithin(FAULT_PATIENCE_MS))) {
          atPoint.set(fault.point, (atPoint.get(fault.point) ?? 0) + 1);
          round += 1;
        }
        if (random() < 0.75) await listening(pod);
        await sleep(random() * 2_000);
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
