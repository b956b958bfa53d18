import type { Address } from '../addresses.ts';
import type { RepoRef } from '../effects.ts';
import type { ChartEvent } from '../events.ts';
import type { JsonObject } from '../json.ts';

/** Systems the gateway depends on. */
export type System = 'chat' | 'vm' | 'firewall';

/** A system that does not answer. */
export interface Outage extends JsonObject {
  readonly system: System;
  readonly since: number;
  readonly reason: string;
}

/** An actor that cannot go on. */
export interface ChildTrouble extends JsonObject {
  readonly address: Address;
  readonly status: 'parked' | 'error' | 'stopped';
  readonly reason: string;
}

export interface GatewayContext extends JsonObject {
  readonly bootedAt: number;
  readonly boots: number;
  /** As far as it was told since the last start. */
  readonly down: readonly Outage[];
  /** What operators have not been told yet: the first few, and how many more there are. */
  readonly troubles: readonly ChildTrouble[];
  readonly moreTroubles: number;
  /** They were told a moment ago; what comes now is gathered. */
  readonly gathering: boolean;
}

export function newGateway(): GatewayContext {
  return { bootedAt: 0, boots: 0, down: [], troubles: [], moreTroubles: 0, gathering: false };
}

interface Event<Type extends string> extends ChartEvent {
  readonly type: Type;
}

export interface Command<Type extends string> extends Event<Type> {
  readonly postId: string;
  readonly channelId: string;
  readonly rootId: string;
  readonly userId: string;
  readonly userName: string;
}

export interface StartCommand extends Command<'COMMAND.START'> {
  readonly repo: RepoRef;
  /** Null: the main checkout. Empty: an own checkout with an automatic name. */
  readonly worktree: string | null;
  readonly plan: boolean;
  readonly review: boolean;
  readonly model: string;
}

export type GatewayEvent =
  | Event<'BOOT'>
  | Event<'RECOVERED'>
  | Event<'DRAIN'>
  | Event<'DRAINED'>
  | (Event<'SYSTEM.UP'> & { readonly system: System })
  | (Event<'SYSTEM.DOWN'> & { readonly system: System; readonly reason: string })
  /** Something that an operator should see to before it becomes an outage. */
  | (Event<'SYSTEM.WARNING'> & { readonly text: string })
  | (Event<'CHILD.TROUBLED'> & ChildTrouble)
  /** Time to tell operators what was gathered. */
  | Event<'TROUBLES.DUE'>
  | StartCommand
  | Command<'COMMAND.STATUS'>
  | Command<'COMMAND.COSTS'>
  | (Command<'COMMAND.CHANNEL_VERBOSITY'> & { readonly verbosity: 'full' | 'normal' | 'quiet' | '' | null })
  | (Command<'COMMAND.NOTIFY'> & { readonly on: boolean | null })
  | (Command<'COMMAND.HELP'> & { readonly place: 'top' | 'thread'; readonly about?: string })
  | (Command<'COMMAND.STOP_PREFIX'> & {
      readonly prefix: string;
      readonly container: boolean;
      readonly all: boolean;
    })
  | Command<'POST.DELETED'>
  | (Command<'COMMAND.REFUSED'> & { readonly message: string });
