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
  | (Command<'COMMAND.STOP_PREFIX'> & { readonly prefix: string })
  | (Command<'COMMAND.REFUSED'> & { readonly message: string });

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
  const { prefix, userId, userName } = event;
  return [{ kind: 'chat.stopByPrefix', params: { ...placeOf(event), prefix, userId, userName } }];
}

function isAbout(system: System) {
  return ({ event }: Args): boolean =>
    (event.type === 'SYSTEM.UP' || event.type === 'SYSTEM.DOWN') && event.system === system;
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
    recordBoot: assign(({ context, event }) => ({ bootedAt: event.at, boots: context.boots + 1 })),
  },
  guards: {
    chat: isAbout('chat'),
    vm: isAbout('vm'),
    firewall: isAbout('firewall'),
  },
}).createMachine({
  id: 'gateway',
  context: { bootedAt: 0, boots: 0 },
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
    'SYSTEM.UP': {},
    'SYSTEM.DOWN': {},
  },
  states: {
    stopped: { tags: 'waiting' },
    recovering: {
      tags: 'busy',
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
      tags: 'busy',
      on: { DRAINED: 'stopped' },
    },
  },
});

function systemRegion<Name extends System>(system: Name) {
  return {
    initial: 'up',
    states: {
      up: { tags: 'waiting', on: { 'SYSTEM.DOWN': { guard: system, target: 'down' } } },
      down: { tags: 'waiting', on: { 'SYSTEM.UP': { guard: system, target: 'up' } } },
    },
  } as const;
}
