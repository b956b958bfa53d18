/**
 * The machine side of a repository's branch: brought up for the first guest, shared up to a limit, taken down when idle,
 * recovered when it breaks. The address outlives every container made under it (`generation`).
 */
import { and, assign, not, setup } from 'xstate';
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
    refuseGone: action.refuseGone,
    tellComing: action.tellComing,
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
    isGuest: action.isGuest,
    endsMachine: action.endsMachine,
    isCurrent: action.isThisGeneration,
    isEmpty: ({ context }) => context.guests.length === 0,
    hasGuests: ({ context }) => context.guests.length > 0,
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
      { actions: ['attach', 'tellComing'] },
    ],
    // Whoever has no place (any more) learns it, instead of waiting for a worker that nobody brings.
    KEEP: [{ guard: 'isGuest' }, { actions: 'refuseGone' }],
    LOST: [{ guard: 'isGuest' }, { actions: 'refuseGone' }],
    DETACH: [
      { guard: 'endsMachine', target: '.removing', actions: ['detach', 'tellStopped', 'noGuests'] },
      { actions: 'detach' },
    ],
    // Outcomes of steps that were given up: whoever leaves a state early does not wait for them.
    CLONED: {},
    VETTED: {},
    RESERVED: {},
    BUILT: {},
    'WORKER.STARTED': {},
    'WALLS.CHECKED': {},
    INSPECTED: {},
    REMOVED: {},
    'STEP.FAILED': {},
    'REMOVE.FAILED': {},
  },
  states: {
    removed: {
      tags: 'waiting',
      on: {
        ATTACH: { target: 'starting', actions: ['newGeneration', 'attach'] },
        DETACH: { actions: 'detach' },
      },
    },

    /** A container on its way up. Whoever attaches meanwhile is told when it is ready. */
    starting: {
      tags: 'busy',
      initial: 'cloning',
      on: { 'STEP.FAILED': { guard: 'isCurrent', target: 'failed', actions: 'recordFailure' } },
      states: {
        cloning: { entry: ['sayCloning', 'mirror'], on: { CLONED: { guard: 'isCurrent', target: 'vetting' } } },
        vetting: { entry: 'vet', on: { VETTED: { guard: 'isCurrent', target: 'reserving' } } },
        reserving: { entry: 'reserve', on: { RESERVED: { guard: 'isCurrent', target: 'building' } } },
        building: { entry: ['sayBuilding', 'build'], on: { BUILT: { guard: 'isCurrent', target: 'startingWorker' } } },
        startingWorker: {
          entry: ['sayStartingWorker', 'startWorker'],
          on: { 'WORKER.STARTED': { guard: 'isCurrent', target: 'checkingWalls', actions: 'recordWorker' } },
        },
        checkingWalls: {
          entry: 'checkWalls',
          on: { 'WALLS.CHECKED': { guard: 'isCurrent', target: '#container.running', actions: 'tellReady' } },
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
        // Who lost an earlier worker is told of the one that runs now.
        LOST: [
          { guard: not('isGuest'), actions: 'refuseGone' },
          { guard: 'isCurrent', target: 'recovering' },
          { actions: 'answerReady' },
        ],
        KEEP: [
          { guard: 'isGuest' },
          { guard: not('isCurrent'), actions: 'refuseGone' },
          { guard: 'isFull', actions: 'refuseFull' },
          { guard: 'isMainTaken', actions: 'refuseMain' },
          { target: '.occupied', actions: 'attach' },
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

    /** Somebody lost the worker: look, start again only what is gone, and build anew if that does not work. */
    recovering: {
      tags: 'busy',
      initial: 'looking',
      states: {
        looking: {
          entry: ['sayRecovering', 'inspect'],
          on: {
            INSPECTED: [
              { guard: and(['isCurrent', 'stillRuns']), target: '#container.running', actions: 'tellReady' },
              { guard: 'isCurrent', target: 'restartingWorker' },
            ],
            'STEP.FAILED': { guard: 'isCurrent', target: 'restartingWorker' },
          },
        },
        restartingWorker: {
          entry: ['sayStartingWorker', 'startWorker'],
          on: {
            'WORKER.STARTED': {
              guard: 'isCurrent',
              target: '#container.starting.checkingWalls',
              actions: 'recordWorker',
            },
            'STEP.FAILED': { guard: 'isCurrent', target: '#container.starting', actions: 'newGeneration' },
          },
        },
      },
    },

    removing: {
      tags: 'busy',
      entry: 'remove',
      on: {
        DETACH: [{ guard: 'endsMachine', actions: ['detach', 'tellStopped', 'noGuests'] }, { actions: 'detach' }],
        REMOVED: [
          { guard: and(['isCurrent', 'hasGuests']), target: 'starting', actions: 'newGeneration' },
          { guard: 'isCurrent', target: 'removed' },
        ],
        'REMOVE.FAILED': { guard: 'isCurrent', target: 'failed', actions: 'recordFailure' },
      },
    },

    failed: {
      tags: 'waiting',
      entry: ['tellFailed', 'noGuests'],
      on: {
        ATTACH: { target: 'starting', actions: ['newGeneration', 'attach'] },
        DETACH: [{ guard: 'endsMachine', target: 'removing', actions: 'detach' }, { actions: 'detach' }],
      },
    },
  },
});
