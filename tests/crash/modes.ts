/** What is made to fail. */
import { killGateway } from './modes/kill.ts';
import type { RunOptions } from './run.ts';
import type { CrashWorld } from './world.ts';

export type Mode = 'kill';

/** The gateways of a run, and what happens to them. */
export interface Fleet {
  /** Makes things fail as often as asked. Resolves when that is over and a gateway runs undisturbed. */
  trouble(): Promise<void>;
  /** Ends every gateway; may be called twice. @returns what happened, in numbers. */
  stop(): Promise<Readonly<Record<string, number>>>;
}

interface ModeDefinition {
  readonly help: string;
  start(world: CrashWorld, options: RunOptions): Fleet;
}

export const MODES: Readonly<Record<Mode, ModeDefinition>> = {
  kill: { help: 'the gateway is killed at random moments and at every fault point', start: killGateway },
};
