/** What is made to fail. */
import type { Fleet, Trouble } from './fleet.ts';
import { killGateway } from './modes/kill.ts';
import { troubleNetwork } from './modes/network.ts';
import { crashPostgres } from './modes/postgres.ts';
import { killLeader } from './modes/replicas.ts';
import { rollOver } from './modes/rolling.ts';
import { watchHeap } from './modes/steady.ts';
import type { CrashWorld } from './world.ts';

export type Mode = 'kill' | 'postgres' | 'network' | 'replicas' | 'rolling' | 'steady';

interface ModeDefinition {
  readonly help: string;
  /** How often, if nobody says. */
  readonly usual: number;
  start(world: CrashWorld, trouble: Trouble): Promise<Fleet>;
}

export const MODES: Readonly<Record<Mode, ModeDefinition>> = {
  kill: {
    help: 'the gateway is killed at random moments and at every fault point',
    usual: 200,
    start: killGateway,
  },
  postgres: {
    help: 'PostgreSQL ends without warning and comes back; the gateway lives',
    usual: 20,
    start: crashPostgres,
  },
  network: {
    help: 'the connections to the database fall silent, are slow, are reset, are refused or cut in mid-answer',
    usual: 40,
    start: troubleNetwork,
  },
  replicas: {
    help: 'two gateways; the leader is killed, every fifth time cut off from the database instead',
    usual: 25,
    start: killLeader,
  },
  rolling: {
    help: 'a new gateway is started before the old one is asked to end',
    usual: 6,
    start: rollOver,
  },
  steady: {
    help: 'nothing fails, and the heap of the gateway is looked at every ten seconds: it must not grow',
    usual: 360,
    start: watchHeap,
  },
};
