/**
 * The root: takes commands and the first words of unknown threads, creates sessions, and knows which of the outside
 * systems answer. It hears of actors that cannot go on, and tells an operator. It knows kinds and limits, never instances,
 * so its context stays small.
 */
import { assign, raise, setup } from 'xstate';
import * as action from './gateway/actions.ts';
import { type GatewayContext, type GatewayEvent, newGateway, type System } from './gateway/context.ts';

/** Between two messages to operators. */
const GATHER_MS = 30_000;

export const GATEWAY_VERSION = 1;
export const GATEWAY_BIRTH_EVENTS = ['BOOT'] as const;

interface About {
  readonly system: System;
}

export const gatewayMachine = setup({
  types: {
    context: {} as GatewayContext,
    events: {} as GatewayEvent,
    tags: {} as 'busy' | 'waiting',
  },
  actions: {
    createSession: action.createSession,
    refuseStart: action.refuseStart,
    tellStatus: action.tellStatus,
    tellHelp: action.tellHelp,
    tellCosts: action.tellCosts,
    changeVerbosity: action.changeVerbosity,
    changeNotices: action.changeNotices,
    tellRefusal: action.tellRefusal,
    stopByPrefix: action.stopByPrefix,
    tellOperators: action.tellOperators,
    passWarning: action.passWarning,
    recordBoot: assign(action.booted),
    recordSystem: assign(action.systemChanged),
    recordTrouble: assign(action.troubleHeard),
    troublesTold: assign(action.troublesTold),
    gatherNoMore: assign({ gathering: false }),
    gather: raise(({ event }) => ({ type: 'TROUBLES.DUE' as const, at: event.at }), {
      id: 'troubles',
      delay: GATHER_MS,
    }),
  },
  guards: {
    isDown: ({ context }, { system }: About) => context.down.some((outage) => outage.system === system),
    isUp: ({ context }, { system }: About) => context.down.every((outage) => outage.system !== system),
    isAnyDown: ({ context }) => context.down.length > 0,
    isNoneDown: ({ context }) => context.down.length === 0,
    isGathering: ({ context }) => context.gathering,
    hasTroubles: ({ context }) => context.troubles.length > 0,
  },
}).createMachine({
  id: 'gateway',
  context: newGateway,
  initial: 'stopped',
  on: {
    // The inbox is durable: what arrives while the process comes or goes is taken up all the same.
    BOOT: { target: '.recovering', actions: 'recordBoot' },
    'COMMAND.START': { actions: 'createSession' },
    'COMMAND.STATUS': { actions: 'tellStatus' },
    'COMMAND.HELP': { actions: 'tellHelp' },
    'COMMAND.COSTS': { actions: 'tellCosts' },
    'COMMAND.CHANNEL_VERBOSITY': { actions: 'changeVerbosity' },
    'COMMAND.NOTIFY': { actions: 'changeNotices' },
    'COMMAND.STOP_PREFIX': { actions: 'stopByPrefix' },
    'COMMAND.REFUSED': { actions: 'tellRefusal' },
    'CHILD.TROUBLED': [
      { guard: 'isGathering', actions: 'recordTrouble' },
      { actions: ['recordTrouble', 'tellOperators', 'troublesTold', 'gather'] },
    ],
    'TROUBLES.DUE': [
      { guard: 'hasTroubles', actions: ['tellOperators', 'troublesTold', 'gather'] },
      { actions: 'gatherNoMore' },
    ],
    // Takes the place of a command that is not to run any more.
    'POST.DELETED': {},
    'SYSTEM.UP': { actions: 'recordSystem' },
    'SYSTEM.DOWN': { actions: 'recordSystem' },
    'SYSTEM.WARNING': { actions: 'passWarning' },
    // Late news of a run that is over.
    RECOVERED: {},
    DRAIN: {},
    DRAINED: {},
  },
  states: {
    /** What arrives now is for the process that comes next, which takes it up. */
    stopped: { tags: 'waiting' },
    // The process itself tells when it has recovered or is gone; until then the root waits for it.
    recovering: {
      tags: 'waiting',
      on: { RECOVERED: 'live', DRAIN: 'draining' },
    },
    live: {
      tags: 'waiting',
      always: { guard: 'isAnyDown', target: 'degraded' },
      on: { DRAIN: 'draining' },
    },
    /** Something outside does not answer. Everything is taken and waits for it. */
    degraded: {
      type: 'parallel',
      always: { guard: 'isNoneDown', target: 'live' },
      on: { DRAIN: 'draining' },
      states: {
        chat: systemRegion('chat'),
        vm: systemRegion('vm'),
        firewall: systemRegion('firewall'),
      },
    },
    /** The process is going: it finishes what it has in hand. Workers keep running. */
    draining: {
      tags: 'waiting',
      on: {
        DRAINED: 'stopped',
        'COMMAND.START': { actions: 'refuseStart' },
      },
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
