/**
 * The root: takes commands and the first words of unknown threads, creates sessions, and knows which of the outside
 * systems answer. It knows kinds and limits, never instances, so its context stays small.
 */
import { assign, setup } from 'xstate';
import { sessionAddress } from './addresses.ts';
import type { Effect, Place, RepoRef } from './effects.ts';
import type { ChartEvent } from './events.ts';
import type { JsonObject } from './json.ts';
import type { SessionRequest } from './session/context.ts';

export const GATEWAY_VERSION = 1;
export const GATEWAY_BIRTH_EVENTS = ['BOOT'] as const;

/** Systems the gateway depends on. */
export type System = 'chat' | 'vm' | 'firewall';

export interface GatewayContext extends JsonObject {
  readonly bootedAt: number;
  readonly boots: number;
  /** Systems that do not answer, as far as it was told since the last start. */
  readonly down: readonly System[];
}

interface Event<Type extends string> extends ChartEvent {
  readonly type: Type;
}

interface Command<Type extends string> extends Event<Type> {
  readonly postId: string;
  readonly channelId: string;
  readonly rootId: string;
  readonly userId: string;
  readonly userName: string;
}

interface StartCommand extends Command<'COMMAND.START'> {
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
  | StartCommand
  | Command<'COMMAND.STATUS'>
  | (Command<'COMMAND.HELP'> & { readonly place: 'top' | 'thread' })
  | (Command<'COMMAND.STOP_PREFIX'> & {
      readonly prefix: string;
      readonly container: boolean;
      readonly all: boolean;
    })
  | (Command<'COMMAND.REFUSED'> & { readonly message: string });

interface About {
  readonly system: System;
}

interface Args {
  readonly event: GatewayEvent;
}

function placeOf(event: Command<string>): { place: Place; replyTo: string } {
  return { place: { channelId: event.channelId, rootId: event.rootId }, replyTo: event.postId };
}

function createSession({ event }: Args): Effect[] {
  if (event.type !== 'COMMAND.START') return [];
  const { at, postId } = event;
  return [{ kind: 'tell', to: sessionAddress(postId), event: { type: 'START', at, request: requestOf(event) } }];
}

function requestOf(event: StartCommand): SessionRequest {
  const { repo, plan, review, model, postId, channelId, rootId, userId, userName } = event;
  return {
    repo,
    worktree: event.worktree === '' ? automaticName(repo.repo, postId) : event.worktree,
    plan,
    review,
    model,
    owner: { id: userId, name: userName },
    askedIn: { channelId, rootId },
    askedBy: postId,
  };
}

/** `<repository>-<first 8 of the session's id>` */
function automaticName(repo: string, postId: string): string {
  return `${repo.slice(repo.lastIndexOf('/') + 1)}-${postId.slice(0, 8)}`;
}

function tellStatus({ event }: Args): Effect[] {
  return event.type === 'COMMAND.STATUS' ? [{ kind: 'chat.status', params: placeOf(event) }] : [];
}

function tellHelp({ event }: Args): Effect[] {
  if (event.type !== 'COMMAND.HELP') return [];
  return [{ kind: 'chat.help', params: { ...placeOf(event), inThread: event.place === 'thread' } }];
}

function tellRefusal({ event }: Args): Effect[] {
  if (event.type !== 'COMMAND.REFUSED') return [];
  return [{ kind: 'chat.reply', params: { ...placeOf(event), message: event.message } }];
}

function stopByPrefix({ event }: Args): Effect[] {
  if (event.type !== 'COMMAND.STOP_PREFIX') return [];
  const { prefix, container, all, userId, userName } = event;
  return [{ kind: 'chat.stopByPrefix', params: { ...placeOf(event), prefix, container, all, userId, userName } }];
}

/** Recorded in every state: what goes down while the process comes up is down when it serves. */
function recordSystem({ context, event }: Args & { readonly context: GatewayContext }): Partial<GatewayContext> {
  if (event.type !== 'SYSTEM.UP' && event.type !== 'SYSTEM.DOWN') return {};
  const others = context.down.filter((system) => system !== event.system);
  return { down: event.type === 'SYSTEM.DOWN' ? [...others, event.system] : others };
}

export const gatewayMachine = setup({
  types: {
    context: {} as GatewayContext,
    events: {} as GatewayEvent,
    tags: {} as 'busy' | 'waiting',
  },
  actions: {
    createSession,
    tellStatus,
    tellHelp,
    tellRefusal,
    stopByPrefix,
    recordBoot: assign(({ context, event }) => ({ bootedAt: event.at, boots: context.boots + 1, down: [] })),
    recordSystem: assign(recordSystem),
  },
  guards: {
    isDown: ({ context }, { system }: About) => context.down.includes(system),
    isUp: ({ context }, { system }: About) => !context.down.includes(system),
  },
}).createMachine({
  id: 'gateway',
  context: { bootedAt: 0, boots: 0, down: [] },
  initial: 'stopped',
  on: {
    // The inbox is durable: what arrives while the process comes or goes is taken up all the same.
    BOOT: { target: '.recovering', actions: 'recordBoot' },
    'COMMAND.START': { actions: 'createSession' },
    'COMMAND.STATUS': { actions: 'tellStatus' },
    'COMMAND.HELP': { actions: 'tellHelp' },
    'COMMAND.STOP_PREFIX': { actions: 'stopByPrefix' },
    'COMMAND.REFUSED': { actions: 'tellRefusal' },
    RECOVERED: {},
    DRAIN: {},
    DRAINED: {},
    'SYSTEM.UP': { actions: 'recordSystem' },
    'SYSTEM.DOWN': { actions: 'recordSystem' },
  },
  states: {
    stopped: { tags: 'waiting' },
    // The process itself tells when it has recovered or is gone; until then the root waits for it.
    recovering: {
      tags: 'waiting',
      on: { RECOVERED: 'serving', DRAIN: 'draining' },
    },
    serving: {
      type: 'parallel',
      on: { DRAIN: 'draining' },
      states: {
        chat: systemRegion('chat'),
        vm: systemRegion('vm'),
        firewall: systemRegion('firewall'),
      },
    },
    draining: {
      tags: 'waiting',
      on: { DRAINED: 'stopped' },
    },
  },
});

function systemRegion(system: System) {
  return {
    initial: 'up',
    states: {
      up: { tags: 'waiting', always: { guard: { type: 'isDown', params: { system } }, target: 'down' } },
      down: { tags: 'waiting', always: { guard: { type: 'isUp', params: { system } }, target: 'up' } },
    },
  } as const;
}
