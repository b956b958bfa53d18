import type { Address } from '../addresses.ts';
import type { Found, Machine, RepoRef } from '../effects.ts';
import type { ChartEvent } from '../events.ts';
import type { JsonObject } from '../json.ts';

export interface Guest extends JsonObject {
  readonly session: Address;
  /** Works in the main checkout; at most one guest does. */
  readonly main: boolean;
}

export interface ContainerLimits extends JsonObject {
  readonly maxSessions: number;
  readonly idleMs: number;
}

export interface ContainerContext extends JsonObject {
  readonly address: Address;
  readonly repo: RepoRef;
  readonly limits: ContainerLimits;
  readonly guests: readonly Guest[];
  readonly endpoint: string;
  readonly identity: string;
  /** Grows with every container made under this address; worker tokens are bound to it. */
  readonly generation: number;
  readonly machine: Machine;
  /** Ports that turned out to be taken by strangers, in this generation. */
  readonly takenPorts: readonly number[];
  /** How often the worker was looked at since it last was beyond doubt. */
  readonly looks: number;
  readonly lookedAt: number;
  /** The generation before this one failed. */
  readonly fresh: boolean;
  readonly failure: { readonly reason: string; readonly next: string } | null;
  readonly startedAt: number;
}

export const NO_MACHINE: Machine = {
  port: 0,
  configFile: '',
  configHash: '',
  containerId: '',
  remoteUser: '',
  workspaceFolder: '',
  bootId: '',
};

export interface ContainerInput extends JsonObject {
  readonly address: Address;
  readonly repo: RepoRef;
  readonly limits: ContainerLimits;
}

export function newContainer(input: ContainerInput): ContainerContext {
  return {
    address: input.address,
    repo: input.repo,
    limits: input.limits,
    guests: [],
    endpoint: '',
    identity: '',
    generation: 0,
    machine: NO_MACHINE,
    takenPorts: [],
    looks: 0,
    lookedAt: 0,
    fresh: false,
    failure: null,
    startedAt: 0,
  };
}

interface Event<Type extends string> extends ChartEvent {
  readonly type: Type;
}

/** The outcome of a step. One of an earlier generation is about a container that nobody waits for. */
interface Step<Type extends string> extends Event<Type> {
  readonly generation: number;
}

export type ContainerEvent =
  | (Event<'ATTACH'> & { readonly session: Address; readonly repo: RepoRef; readonly main: boolean })
  /** From a session that works here as far as it knows. */
  | (Event<'KEEP'> & { readonly session: Address; readonly generation: number; readonly main: boolean })
  | (Event<'DETACH'> & { readonly session: Address; readonly scope: 'session' | 'container' | 'all' })
  | (Event<'LOST'> & { readonly session: Address; readonly generation: number })
  /** A step tells how far it is. */
  | (Step<'STEP.PROGRESS'> & { readonly text: string })
  | Step<'ADMITTED'>
  | Step<'CLONED'>
  | (Step<'RESERVED'> & { readonly port?: number })
  | (Step<'VETTED'> & { readonly configFile?: string; readonly configHash?: string; readonly notice?: string })
  | (Step<'BUILT'> & {
      readonly containerId?: string;
      readonly remoteUser?: string;
      readonly workspaceFolder?: string;
      readonly bootId?: string;
    })
  | (Step<'WORKER.STARTED'> & { readonly endpoint: string; readonly identity: string })
  | Step<'WALLS.CHECKED'>
  | (Step<'INSPECTED'> & { readonly found: Found; readonly endpoint: string })
  | (Step<'LOOK.FAILED'> & { readonly human: string })
  | (Step<'COMPARED'> & { readonly changed: boolean; readonly session: Address })
  | Step<'REMOVED'>
  | (Step<'STEP.FAILED'> & { readonly code: string; readonly human: string })
  | (Step<'REMOVE.FAILED'> & { readonly human: string });
