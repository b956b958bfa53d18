/**
 * The machine side of a repository's branch: brought up for the first guest, shared up to a limit, taken down when idle,
 * recovered when it breaks. The address outlives every container made under it (`generation`).
 */
import { assign, setup } from 'xstate';
import * as action from './container/actions.ts';
import { type ContainerContext, type ContainerEvent, type ContainerInput, newContainer } from './container/context.ts';

export const CONTAINER_VERSION = 1;
export const CONTAINER_BIRTH_EVENTS = ['ATTACH'] as const;

export const containerMachine = setup({
  types: {
    context: {} as ContainerContext,
    events: {} as ContainerEvent,
    input: {} as ContainerInput,
    tags: {} as 'busy' | 'waiting',
  },
  actions: {
    mirror: action.mirror,
    vet: action.vet,
    reserve: action.reserve,
    build: action.build,
    startWorker: action.startWorker,
    checkWalls: action.checkWalls,
    inspect: action.inspect,
    remove: action.remove,
    tellReady: action.tellReady,
    answerReady: action.answerReady,
    tellFailed: action.tellFailed,
    tellStopped: action.tellStopped,
    refuseFull: action.refuseFull,
    refuseMain: action.refuseMain,
    sayCloning: action.progress('Fetching the repository …'),
    sayBuilding: action.progress('Preparing the workspace …'),
    sayStartingWorker: action.progress('Starting the agent worker …'),
    sayRecovering: action.progress('Looking after the workspace …'),
    attach: assign(action.attached),
    detach: assign(action.detached),
    noGuests: assign({ guests: [] }),
    newGeneration: assign(action.newGeneration),
    recordWorker: assign(action.workerStarted),
    recordFailure: assign(action.failed),
  },
  guards: {
    isFull: action.isFull,
    isMainTaken: action.isMainTaken,
    endsMachine: action.endsMachine,
    isEmpty: ({ context }) => context.guests.length === 0,
    hasGuests: ({ context }) => context.guests.length > 0,
    isOurs: ({ context, event }) => event.type === 'LOST' && event.generation === context.generation,
    stillRuns: ({ context, event }) =>
      event.type === 'INSPECTED' && event.running && event.endpoint === context.endpoint,
  },
  delays: {
    idleMs: ({ context }) => context.limits.idleMs,
  },
}).createMachine({
  id: 'container',
  context: ({ input }) => newContainer(input),
  initial: 'removed',
  on: {
    ATTACH: [
      { guard: 'isFull', actions: 'refuseFull' },
      { guard: 'isMainTaken', actions: 'refuseMain' },
      { actions: 'attach' },
    ],
    DETACH: { actions: 'detach' },
    LOST: {},
  },
  states: {
    removed: {
      tags: 'waiting',
      on: { ATTACH: { target: 'starting', actions: ['newGeneration', 'attach'] } },
    },

    /** A container on its way up. Whoever attaches meanwhile is told when it is ready. */
    starting: {
      tags: 'busy',
      initial: 'cloning',
      on: { 'STEP.FAILED': { target: 'failed', actions: 'recordFailure' } },
      states: {
        cloning: { entry: ['sayCloning', 'mirror'], on: { CLONED: 'vetting' } },
        vetting: { entry: 'vet', on: { VETTED: 'reserving' } },
        reserving: { entry: 'reserve', on: { RESERVED: 'building' } },
        building: { entry: ['sayBuilding', 'build'], on: { BUILT: 'startingWorker' } },
        startingWorker: {
          entry: ['sayStartingWorker', 'startWorker'],
          on: { 'WORKER.STARTED': { target: 'checkingWalls', actions: 'recordWorker' } },
        },
        checkingWalls: {
          entry: 'checkWalls',
          on: { 'WALLS.CHECKED': { target: '#container.running', actions: 'tellReady' } },
        },
      },
    },

    running: {
      initial: 'occupied',
      on: {
        ATTACH: [
          { guard: 'isFull', actions: 'refuseFull' },
          { guard: 'isMainTaken', actions: 'refuseMain' },
          { target: '.occupied', actions: ['attach', 'answerReady'] },
        ],
        LOST: { guard: 'isOurs', target: 'recovering' },
        DETACH: [
          { guard: 'endsMachine', target: 'removing', actions: ['detach', 'tellStopped', 'noGuests'] },
          { actions: 'detach' },
        ],
      },
      states: {
        occupied: {
          tags: 'waiting',
          always: { guard: 'isEmpty', target: 'empty' },
        },
        empty: {
          tags: 'busy',
          always: { guard: 'hasGuests', target: 'occupied' },
          after: { idleMs: { target: '#container.removing' } },
        },
      },
    },

    /** Somebody lost the worker: look, and start again only what is gone. */
    recovering: {
      tags: 'busy',
      entry: ['sayRecovering', 'inspect'],
      on: {
        INSPECTED: [
          { guard: 'stillRuns', target: 'running', actions: 'tellReady' },
          { target: 'starting.startingWorker' },
        ],
        'STEP.FAILED': { target: 'failed', actions: 'recordFailure' },
      },
    },

    removing: {
      tags: 'busy',
      entry: 'remove',
      on: {
        REMOVED: [{ guard: 'hasGuests', target: 'starting', actions: 'newGeneration' }, { target: 'removed' }],
        'REMOVE.FAILED': { target: 'failed', actions: 'recordFailure' },
      },
    },

    failed: {
      tags: 'waiting',
      entry: ['tellFailed', 'noGuests'],
      on: { ATTACH: { target: 'starting', actions: ['newGeneration', 'attach'] } },
    },
  },
});
