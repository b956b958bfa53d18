/** The gateways of a run, and what is common to all ways of troubling them. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultPoint } from '../../src/actors/index.ts';
import { type Pod, startPod } from './pod.ts';
import type { Sabotage } from './sabotage.ts';
import { type CrashWorld, linesOf } from './world.ts';

export interface Trouble {
  /** How often something is made to fail. */
  readonly kills: number;
  readonly seed: number;
  readonly sabotage?: Sabotage;
  /** Only at these fault points, soon after each start. */
  readonly points?: readonly (FaultPoint | 'sabotage')[];
  readonly onProgress?: (text: string) => void;
}

export interface Fleet {
  /** Makes things fail as often as asked. Resolves when that is over and a gateway runs undisturbed. */
  trouble(): Promise<void>;
  /** When something was made to fail, milliseconds since the epoch: how long did it take to go on? */
  moments(): readonly number[];
  /** Ends every gateway; may be called twice. @returns what happened, in numbers. */
  stop(): Promise<Readonly<Record<string, number>>>;
}

const START_MS = 60_000;

export function podOf(
  world: CrashWorld,
  { sabotage = '' }: Pick<Trouble, 'sabotage'> | { readonly sabotage: '' },
  given: { readonly name: string; readonly port: number; readonly env?: Readonly<Record<string, string>> },
): Pod {
  return startPod({
    program: world.gatewayProgram,
    port: given.port,
    env: world.gatewayEnv(given.port, { CSM_CRASH_SABOTAGE: sabotage, ...given.env }),
    logFile: join(world.folder, `${given.name}.log`),
  });
}

/** Waits until the pod answers. @throws when it does not in time. */
export async function untilHealthy(pod: Pod): Promise<void> {
  for (const end = Date.now() + START_MS; !(await pod.healthy()); await sleep(50)) {
    if (Date.now() > end) throw new Error(`the gateway on port ${pod.port} does not answer`);
  }
}

/** The pod whose process took the present term, by its own log; undefined while the lead changes. */
export async function leaderOf(world: CrashWorld, pods: readonly Pod[]): Promise<Pod | undefined> {
  const [lease] = await world.database.rows<{ term: string }>('select term::text as term from lease');
  const leads = `"term":${lease?.term},"msg":"leading"`;
  return pods.find((pod) => linesOf(pod.logFile).some((line) => line.includes(leads)));
}

/** Waits until an event is taken that came after the moment. */
export async function untilProgress(world: CrashWorld, since: number, patienceMs: number): Promise<boolean> {
  for (const end = Date.now() + patienceMs; Date.now() < end; await sleep(100)) {
    const rows = await world.database
      .rows('select from inbox where done_at > to_timestamp($1::bigint / 1000.0) limit 1', [since])
      // The database itself may be what fails.
      .catch(() => []);
    if (rows.length > 0) return true;
  }
  return false;
}

export function sumOf(pods: readonly Pod[]): Record<string, number> {
  const sum = (figure: (pod: Pod) => number) => pods.reduce((total, pod) => total + figure(pod), 0);
  return {
    kills: sum((pod) => pod.kills()),
    deaths: sum((pod) => pod.deaths()),
    starts: sum((pod) => pod.starts()),
  };
}
