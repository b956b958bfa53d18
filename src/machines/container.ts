/**
 * The machine side of a repository's branch: brought up for the first guest, shared up to a limit, taken down when idle,
 * recovered when it breaks. The address outlives every container made under it (`generation`).
 */
import { and, assign, not, setup } from 'xstate';
import * as action from './container/actions.ts';
import { type ContainerContext, type ContainerEvent, type ContainerInput, newContainer } from './container/context.ts';

export const CONTAINER_VERSION = 2;
/** Between two looks at a machine that cannot be asked. */
const LOOK_AGAIN_MS = 30_000;

export const CONTAINER_BIRTH_EVENTS = ['ATTACH'] as const;

export const containerMachine = setup({
  types: {
    context: {} as ContainerContext,
    events: {} as ContainerEvent,
    input: {} as ContainerInput,
    tags: {} as 'busy' | 'waiting',
  },
  actions: {
    admit: action.admit,
    mirror: action.mirror,
    reserve: action.reserve,
    vet: action.vet,
    build: action.build,
    startWorker: action.startWorker,
    checkWalls: action.checkWalls,
    inspect: action.inspect,
    inspectMeanwhile: action.inspectMeanwhile,
    compare: action.compare,
    remove: action.remove,
    tellReady: action.tellReady,
    answerReady: action.answerReady,
    tellFailed: action.tellFailed,
    tellStopped: action.tellStopped,
    tellNotice: action.tellNotice,
    tellChanged: action.tellChanged,
    refuseFull: action.refuseFull,
    refuseMain: action.refuseMain,
    refuseGone: action.refuseGone,
    tellComing: action.tellComing,
    passProgress: action.passProgress,
    sayFound: action.sayFound,
    sayCloning: action.progress('Fetching the repository …'),
    sayVetting: action.progress('Looking at the devcontainer configuration …'),
    sayBuilding: action.progress('Preparing the workspace …'),
    sayStartingWorker: action.progress('Starting the agent worker …'),
    sayRebuilding: action.progress('That did not work. Making a new container …'),
    sayPortTaken: action.progress('Another program on the VM has the port. Taking another one …'),
    attach: assign(action.attached),
    detach: assign(action.detached),
    noGuests: assign({ guests: [] }),
    newGeneration: assign(action.newGeneration),
    recordPort: assign(action.reserved),
    recordPortTaken: assign(action.portTaken),
    recordConfig: assign(action.vetted),
    recordContainer: assign(action.built),
    recordWorker: assign(action.workerStarted),
    recordLook: assign(action.looked),
    recordFailure: assign(action.failed),
  },
  guards: {
    isFull: action.isFull,
    isMainTaken: action.isMainTaken,
    isGuest: action.isGuest,
    endsMachine: action.endsMachine,
    isCurrent: action.isThisGeneration,
    isPortTaken: action.isPortTaken,
    isEmpty: ({ context }) => context.guests.length === 0,
    hasGuests: ({ context }) => context.guests.length > 0,
    stillRuns: action.stillRuns,
    isWorkerGone: action.isWorkerGone,
    isStopped: action.isStopped,
    isGone: action.isGone,
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
    'STEP.PROGRESS': {},
    ADMITTED: {},
    CLONED: {},
    VETTED: {},
    RESERVED: {},
    BUILT: {},
    'WORKER.STARTED': {},
    'WALLS.CHECKED': {},
    INSPECTED: {},
    'LOOK.FAILED': {},
    COMPARED: {},
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
      initial: 'queued',
      on: {
        'STEP.PROGRESS': { guard: 'isCurrent', actions: 'passProgress' },
        'STEP.FAILED': { guard: 'isCurrent', target: 'failed', actions: 'recordFailure' },
      },
      states: {
        /** Only so many come up at the same time. */
        queued: { entry: 'admit', on: { ADMITTED: { guard: 'isCurrent', target: 'cloning' } } },
        cloning: { entry: ['sayCloning', 'mirror'], on: { CLONED: { guard: 'isCurrent', target: 'reserving' } } },
        /** Containers of earlier generations go here: from now on nobody changes the checkout. */
        reserving: {
          entry: 'reserve',
          on: { RESERVED: { guard: 'isCurrent', target: 'vetting', actions: 'recordPort' } },
        },
        vetting: {
          entry: ['sayVetting', 'vet'],
          on: { VETTED: { guard: 'isCurrent', target: 'building', actions: ['recordConfig', 'tellNotice'] } },
        },
        building: {
          entry: ['sayBuilding', 'build'],
          on: {
            BUILT: { guard: 'isCurrent', target: 'startingWorker', actions: 'recordContainer' },
            'STEP.FAILED': [
              {
                guard: and(['isCurrent', 'isPortTaken']),
                target: 'reserving',
                actions: ['sayPortTaken', 'recordPortTaken'],
              },
              { guard: 'isCurrent', target: '#container.failed', actions: 'recordFailure' },
            ],
          },
        },
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
      type: 'parallel',
      on: {
        ATTACH: [
          { guard: 'isFull', actions: 'refuseFull' },
          { guard: 'isMainTaken', actions: 'refuseMain' },
          { actions: ['attach', 'answerReady', 'compare', 'inspectMeanwhile'] },
        ],
        KEEP: [
          { guard: 'isGuest' },
          { guard: not('isCurrent'), actions: 'refuseGone' },
          { guard: 'isFull', actions: 'refuseFull' },
          { guard: 'isMainTaken', actions: 'refuseMain' },
          { actions: 'attach' },
        ],
        COMPARED: { guard: 'isCurrent', actions: 'tellChanged' },
      },
      states: {
        guests: {
          initial: 'occupied',
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
        /** The guests' links tell when something is wrong; then it is looked at, as it is when somebody comes. */
        health: {
          initial: 'healthy',
          states: {
            healthy: {
              tags: 'waiting',
              on: {
                // Who lost an earlier worker is told of the one that runs now.
                LOST: [
                  { guard: not('isGuest'), actions: 'refuseGone' },
                  { guard: 'isCurrent', target: 'suspect' },
                  { actions: 'answerReady' },
                ],
                INSPECTED: [
                  {
                    guard: and(['isCurrent', 'isGone']),
                    target: '#container.starting',
                    actions: ['sayFound', 'newGeneration'],
                  },
                  { guard: and(['isCurrent', 'isStopped']), target: '#container.recovering', actions: 'sayFound' },
                  {
                    guard: and(['isCurrent', 'isWorkerGone']),
                    target: '#container.recovering.restartingWorker',
                    actions: 'sayFound',
                  },
                ],
              },
            },
            suspect: {
              tags: 'busy',
              initial: 'looking',
              on: {
                LOST: [
                  { guard: not('isGuest'), actions: 'refuseGone' },
                  { guard: 'isCurrent' },
                  { actions: 'answerReady' },
                ],
              },
              states: {
                looking: {
                  entry: ['recordLook', 'inspect'],
                  on: {
                    INSPECTED: [
                      {
                        guard: and(['isCurrent', 'stillRuns']),
                        target: '#container.running.health.healthy',
                        actions: 'tellReady',
                      },
                      {
                        guard: and(['isCurrent', 'isGone']),
                        target: '#container.starting',
                        actions: ['sayFound', 'newGeneration'],
                      },
                      { guard: and(['isCurrent', 'isStopped']), target: '#container.recovering', actions: 'sayFound' },
                      { guard: 'isCurrent', target: '#container.recovering.restartingWorker', actions: 'sayFound' },
                    ],
                    'LOOK.FAILED': { guard: 'isCurrent', target: 'waiting' },
                  },
                },
                /** The machine cannot be asked. It is asked again, as long as somebody is here. */
                waiting: { after: { [LOOK_AGAIN_MS]: { target: 'looking' } } },
              },
            },
          },
        },
      },
    },

    /** Something is gone: only that is started again, and all is made anew if that does not work. */
    recovering: {
      tags: 'busy',
      initial: 'queued',
      on: { 'STEP.PROGRESS': { guard: 'isCurrent', actions: 'passProgress' } },
      states: {
        /** When the machine was restarted, all of them come at once. */
        queued: {
          entry: 'admit',
          on: {
            ADMITTED: { guard: 'isCurrent', target: 'vettingAgain' },
            'STEP.FAILED': { guard: 'isCurrent', target: '#container.failed', actions: 'recordFailure' },
          },
        },
        /** Starting a stopped container mounts its folders anew, and their content may be of an agent's making. */
        vettingAgain: {
          entry: 'vet',
          on: {
            VETTED: { guard: 'isCurrent', target: 'startingContainer', actions: 'recordConfig' },
            'STEP.FAILED': { guard: 'isCurrent', target: '#container.failed', actions: 'recordFailure' },
          },
        },
        startingContainer: {
          entry: 'build',
          on: {
            BUILT: { guard: 'isCurrent', target: 'restartingWorker', actions: 'recordContainer' },
            'STEP.FAILED': {
              guard: 'isCurrent',
              target: '#container.starting',
              actions: ['sayRebuilding', 'newGeneration'],
            },
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
            'STEP.FAILED': {
              guard: 'isCurrent',
              target: '#container.starting',
              actions: ['sayRebuilding', 'newGeneration'],
            },
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

    /** What was made is kept for a while, for people to look at. */
    failed: {
      tags: 'waiting',
      entry: ['tellFailed', 'noGuests'],
      after: { idleMs: { target: 'removing' } },
      on: {
        ATTACH: { target: 'starting', actions: ['newGeneration', 'attach'] },
        DETACH: [{ guard: 'endsMachine', target: 'removing', actions: 'detach' }, { actions: 'detach' }],
      },
    },
  },
});
