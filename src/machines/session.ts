/**
 * A session: one conversation in one thread, from the post that asked for it to its end and, if somebody resumes it,
 * on from there. The queue of prompts is here; the worker runs one turn at a time.
 */
import { and, assign, not, setup } from 'xstate';
import { task } from './define.ts';
import * as change from './session/changes.ts';
import { type LinkInput, newSession, type SessionContext, type SessionInput } from './session/context.ts';
import type { SessionEvent } from './session/events.ts';
import * as note from './session/notes.ts';
import * as request from './session/requests.ts';

/** How long a broken link may take to come back before the container is asked to look after the worker. */
const RECONNECT_PATIENCE_MS = 5_000;
/** How long a closing agent is waited for. It can take 2 s to end; the rest is for a slow machine. */
const CLOSE_PATIENCE_MS = 20_000;
/** An interrupted turn ends within moments, or its worker is in trouble. */
const INTERRUPT_PATIENCE_MS = 30_000;

export const SESSION_VERSION = 1;
export const SESSION_BIRTH_EVENTS = ['START'] as const;

export const sessionMachine = setup({
  types: {
    context: {} as SessionContext,
    events: {} as SessionEvent,
    input: {} as SessionInput,
    tags: {} as 'busy' | 'waiting',
  },
  actors: { workerLink: task<LinkInput>() },
  actions: {
    ...request,
    ...note,
    enqueue: assign(change.enqueue),
    enqueueHeld: assign(change.enqueueHeld),
    turnStarted: assign(change.turnStarted),
    turnEnded: assign(change.turnEnded),
    dropPrompt: assign(change.dropPrompt),
    editQueued: assign(change.editQueued),
    dropQueued: assign(change.dropQueued),
    threadOpened: assign(change.threadOpened),
    workspaceReady: assign(change.workspaceReady),
    containerReady: assign(change.containerReady),
    linkUp: assign(change.linkUp),
    approvalOpened: assign(change.approvalOpened),
    approvalClosed: assign(change.approvalClosed),
    noApprovals: assign({ open: [] }),
    compacted: assign(change.compacted),
    recordCleared: assign(change.cleared),
    recordClosed: assign(change.closed),
    titled: assign(change.titled),
    reopened: assign(change.reopened),
    stopAsked: assign(change.stopAsked),
    recordFailure: assign(change.failed),
    forgetFailure: assign({ failure: null }),
    recordQuiet: assign(({ event }) => ({ quietAt: event.at })),
  },
  guards: {
    hasThread: ({ context }) => context.rootId !== '',
    hasQueued: ({ context }) => context.queue.length > 0,
    turnRuns: ({ context }) => context.turn !== null,
    isCurrentTurn: ({ context, event }) => event.type === 'TURN.ENDED' && context.turn?.id === event.turnId,
    someoneIsAsked: ({ context }) => context.open.length > 0,
    isNewWorker: ({ context, event }) =>
      event.type === 'CONTAINER.READY' &&
      (event.endpoint !== context.endpoint || event.generation !== context.generation),
    agentSleeps: ({ event }) => event.type === 'LINK.UP' && event.agentState === 'asleep',
    agentRuns: ({ event }) => event.type === 'LINK.UP' && event.turnId !== '',
    historyLost: ({ event }) => event.type === 'LINK.UP' && event.historyLost,
    /** Only worth a word if something was going on: a session that was closed and reopened has a new log, too. */
    logLost: ({ context, event }) =>
      event.type === 'LINK.UP' && event.logLost && (context.turn !== null || context.open.length > 0),
    startsFresh: ({ event }) => event.type === 'LINK.UP' && event.logLost,
    plansAlready: ({ event }) => event.type === 'LINK.UP' && event.plan,
    plans: ({ context }) => context.plan,
    turnsPlanOn: ({ event }) => event.type === 'MODE.CHANGED' && event.plan,
    hasTitle: ({ event }) => event.type === 'COMMAND.TITLE' && event.text !== '',
    isMissing: ({ context, event }) => event.type === 'APPROVAL.REQUESTED' && !context.open.includes(event.requestId),
  },
  delays: {
    livenessMs: ({ context }) => context.limits.livenessMs,
  },
}).createMachine({
  id: 'session',
  context: ({ input }) => newSession(input),
  initial: 'new',
  on: {
    'POST.EDITED': { actions: 'editQueued' },
    'POST.DELETED': { actions: 'dropQueued' },
    'COMMAND.CONTEXT': { actions: 'tellContext' },
    'COMMAND.TITLE': [
      { guard: and(['hasTitle', 'hasThread']), actions: ['titled', 'setTitle'] },
      { actions: 'sayAskTitle' },
    ],
    // Late answers to requests whose state has passed, and progress nobody waits for.
    'CONTAINER.PROGRESS': {},
    'CONTAINER.READY': {},
    'CONTAINER.STOPPED': {},
    'APPROVAL.SETTLED': { actions: 'approvalClosed' },
    'APPROVAL.WITHDRAWN': { actions: 'approvalClosed' },
    'COMMAND.RETRY': { actions: 'sayBusy' },
    'COMMAND.RESUME': { actions: 'sayBusy' },
    'COMMAND.INTERRUPT': { actions: 'sayNothingRuns' },
    'COMMAND.COMPACT': { actions: 'sayBusy' },
    'COMMAND.CLEAR': { actions: 'sayBusy' },
    'COMMAND.RESTART': { actions: 'sayBusy' },
    'COMMAND.PLAN': { actions: 'sayBusy' },
    'COMMAND.STOP': {},
    'OUTPUT.SEEN': {},
  },
  states: {
    new: {
      tags: 'waiting',
      on: { START: { target: 'opening' } },
    },

    opening: {
      tags: 'busy',
      initial: 'thread',
      on: {
        PROMPT: { actions: ['heard', 'enqueue'] },
        SLASH: { actions: ['heard', 'enqueue'] },
        'COMMAND.STOP': { target: 'stopping', actions: 'stopAsked' },
        'CONTAINER.PROGRESS': { actions: 'sayProgress' },
      },
      states: {
        thread: {
          always: { guard: 'hasThread', target: 'workspace' },
          entry: 'openThread',
          on: {
            'THREAD.OPENED': { target: 'workspace', actions: ['threadOpened', 'bindThread'] },
            'THREAD.FAILED': { target: '#session.failed', actions: 'recordFailure' },
          },
        },
        workspace: {
          entry: ['sayPreparing', 'prepareWorkspace'],
          on: {
            'WORKSPACE.READY': { target: 'container', actions: 'workspaceReady' },
            'WORKSPACE.FAILED': { target: '#session.failed', actions: 'recordFailure' },
          },
        },
        container: {
          entry: ['sayAttaching', 'attachToContainer'],
          on: {
            'CONTAINER.READY': { target: '#session.active', actions: 'containerReady' },
            'CONTAINER.REFUSED': { target: '#session.failed', actions: 'recordFailure' },
            'CONTAINER.STOPPED': { target: '#session.failed', actions: 'recordFailure' },
          },
        },
      },
    },

    active: {
      initial: 'agent',
      invoke: {
        id: 'link',
        src: 'workerLink',
        input: ({ context }) => ({
          session: context.address,
          container: context.container,
          generation: context.generation,
          endpoint: context.endpoint,
          identity: context.identity,
          cwd: context.checkout,
          resumeId: context.agentSessionId,
          model: context.request.model,
          plan: context.request.plan,
          review: context.request.review,
        }),
        onError: { target: 'failed', actions: 'recordFailure' },
      },
      on: {
        'LINK.UP': { actions: 'linkUp' },
        'CONTAINER.READY': { guard: 'isNewWorker', target: 'active', reenter: true, actions: 'containerReady' },
        'CONTAINER.REFUSED': { target: 'failed', actions: 'recordFailure' },
        'CONTAINER.STOPPED': { target: 'stopping' },
        'APPROVAL.REQUESTED': { guard: 'isMissing', actions: ['approvalOpened', 'openApproval'] },
        'APPROVAL.WITHDRAWN': { actions: ['approvalClosed', 'withdrawApproval'] },
        'PROMPT.LOST': { actions: ['dropPrompt', 'sayPromptLost'] },
        'MODE.REFUSED': { actions: 'sayRefused' },
        'SESSION.CLOSED': { target: 'failed', actions: ['recordClosed', 'recordFailure'] },
      },
      states: {
        agent: {
          tags: 'busy',
          entry: 'sayStartingAgent',
          on: {
            PROMPT: { actions: ['heard', 'enqueue'] },
            SLASH: { actions: ['heard', 'enqueue'] },
            'LINK.UP': { target: 'open', actions: ['linkUp', 'sayReady'] },
            'COMMAND.STOP': { target: '#session.stopping', actions: 'stopAsked' },
          },
        },

        open: {
          type: 'parallel',
          on: {
            'COMMAND.STOP': { target: 'closing', actions: 'stopAsked' },
          },
          states: {
            conversation: {
              initial: 'idle',
              states: {
                idle: {
                  tags: 'waiting',
                  always: [
                    { guard: 'turnRuns', target: 'thinking' },
                    { guard: 'hasQueued', target: 'thinking', actions: 'sendNext' },
                  ],
                  on: {
                    PROMPT: { actions: ['heard', 'enqueue'] },
                    SLASH: { actions: ['heard', 'enqueue'] },
                    'TURN.STARTED': { target: 'thinking', actions: 'turnStarted' },
                    'LINK.UP': [
                      { guard: 'agentRuns', target: 'thinking', actions: 'linkUp' },
                      { guard: 'agentSleeps', target: 'asleep', actions: 'linkUp' },
                      { actions: 'linkUp' },
                    ],
                    'COMMAND.COMPACT': { target: 'compacting', actions: 'compact' },
                    'COMMAND.CLEAR': { target: 'clearing', actions: 'clear' },
                    'COMMAND.RESTART': { target: 'restarting', actions: ['sayRestarting', 'closeAgent'] },
                  },
                },
                /** The agent's process is closed; the next message wakes it, with its memory. */
                asleep: {
                  tags: 'waiting',
                  always: { guard: 'hasQueued', target: 'thinking', actions: 'sendNext' },
                  on: {
                    PROMPT: { actions: ['heard', 'enqueue'] },
                    SLASH: { actions: ['heard', 'enqueue'] },
                    'TURN.STARTED': { target: 'thinking', actions: 'turnStarted' },
                  },
                },
                thinking: {
                  tags: 'busy',
                  initial: 'working',
                  on: {
                    PROMPT: { actions: ['heard', 'enqueueHeld', 'markHeld'] },
                    SLASH: { actions: ['heard', 'enqueueHeld', 'markHeld'] },
                    'TURN.STARTED': { actions: ['unmarkHeld', 'turnStarted'] },
                    'TURN.ENDED': { target: 'idle', actions: 'turnEnded' },
                    'LINK.UP': { guard: 'startsFresh', target: 'idle', actions: ['withdrawAllApprovals', 'linkUp'] },
                    'PROMPT.REFUSED': { target: 'idle', actions: ['dropPrompt', 'sayRefused'] },
                    'PROMPT.LOST': { target: 'idle', actions: ['dropPrompt', 'sayPromptLost'] },
                    'COMMAND.INTERRUPT': [
                      { guard: 'turnRuns', target: 'interrupting', actions: 'interruptTurn' },
                      { actions: 'sayNothingRuns' },
                    ],
                    'COMMAND.RESTART': { target: 'restarting', actions: ['sayRestarting', 'closeAgent'] },
                  },
                  states: {
                    working: { always: { guard: 'someoneIsAsked', target: 'waitingForPerson' } },
                    waitingForPerson: { always: { guard: not('someoneIsAsked'), target: 'working' } },
                  },
                },
                interrupting: {
                  tags: 'busy',
                  after: { [INTERRUPT_PATIENCE_MS]: { target: 'thinking' } },
                  on: {
                    PROMPT: { actions: ['heard', 'enqueueHeld', 'markHeld'] },
                    SLASH: { actions: ['heard', 'enqueueHeld', 'markHeld'] },
                    'TURN.ENDED': [
                      { guard: 'isCurrentTurn', target: 'idle', actions: 'turnEnded' },
                      { actions: 'turnEnded' },
                    ],
                    'TURN.STARTED': { actions: 'turnStarted' },
                    'INTERRUPT.REFUSED': { target: 'thinking' },
                  },
                },
                compacting: {
                  tags: 'busy',
                  on: {
                    PROMPT: { actions: ['heard', 'enqueueHeld', 'markHeld'] },
                    SLASH: { actions: ['heard', 'enqueueHeld', 'markHeld'] },
                    'TURN.STARTED': { actions: 'turnStarted' },
                    COMPACTED: { actions: ['compacted', 'sayCompacted'] },
                    'TURN.ENDED': { target: 'idle', actions: 'turnEnded' },
                    'COMPACT.REFUSED': { target: 'idle', actions: 'sayRefused' },
                  },
                },
                clearing: {
                  tags: 'busy',
                  on: {
                    PROMPT: { actions: ['heard', 'enqueueHeld', 'markHeld'] },
                    SLASH: { actions: ['heard', 'enqueueHeld', 'markHeld'] },
                    'TURN.STARTED': { actions: 'turnStarted' },
                    CLEARED: { actions: ['recordCleared', 'sayCleared'] },
                    'TURN.ENDED': { target: 'idle', actions: 'turnEnded' },
                    'CLEAR.REFUSED': { target: 'idle', actions: 'sayRefused' },
                  },
                },
                /** The agent's process ends; the link is then made anew and the agent resumed. */
                restarting: {
                  tags: 'busy',
                  after: { [CLOSE_PATIENCE_MS]: { target: '#session.active' } },
                  on: {
                    PROMPT: { actions: ['heard', 'enqueueHeld', 'markHeld'] },
                    SLASH: { actions: ['heard', 'enqueueHeld', 'markHeld'] },
                    'TURN.ENDED': { actions: 'turnEnded' },
                    'SESSION.CLOSED': { target: '#session.active', actions: 'recordClosed' },
                    'CLOSE.REFUSED': { target: '#session.active' },
                  },
                },
              },
            },

            link: {
              initial: 'connected',
              states: {
                connected: {
                  tags: 'waiting',
                  on: {
                    'LINK.DOWN': { target: 'reconnecting' },
                    'LINK.UP': [
                      { guard: 'historyLost', actions: ['linkUp', 'sayHistoryLost'] },
                      { guard: 'logLost', actions: ['withdrawAllApprovals', 'linkUp', 'sayLogLost'] },
                    ],
                  },
                },
                reconnecting: {
                  tags: 'busy',
                  after: { [RECONNECT_PATIENCE_MS]: { target: 'lost' } },
                  on: {
                    'LINK.UP': [
                      { guard: 'historyLost', target: 'connected', actions: ['linkUp', 'sayHistoryLost'] },
                      {
                        guard: 'logLost',
                        target: 'connected',
                        actions: ['withdrawAllApprovals', 'linkUp', 'sayLogLost'],
                      },
                      { target: 'connected', actions: 'linkUp' },
                    ],
                  },
                },
                /** The container looks after its worker; the link goes on trying meanwhile. */
                lost: {
                  tags: 'busy',
                  entry: ['sayMovedOn', 'askContainerForHelp'],
                  on: {
                    'LINK.UP': [
                      {
                        guard: 'logLost',
                        target: 'connected',
                        actions: ['withdrawAllApprovals', 'linkUp', 'sayLogLost'],
                      },
                      { target: 'connected', actions: 'linkUp' },
                    ],
                  },
                },
              },
            },

            /** What the worker confirmed, not what was asked for. */
            mode: {
              initial: 'asked',
              states: {
                asked: { always: [{ guard: 'plans', target: 'plan' }, { target: 'normal' }] },
                normal: {
                  tags: 'waiting',
                  on: {
                    'COMMAND.PLAN': { actions: 'planOn' },
                    'MODE.CHANGED': { guard: 'turnsPlanOn', target: 'plan', actions: 'sayMode' },
                    'LINK.UP': { guard: 'plansAlready', target: 'plan' },
                  },
                },
                plan: {
                  tags: 'waiting',
                  on: {
                    'COMMAND.PLAN': { actions: 'planOff' },
                    'MODE.CHANGED': { guard: not('turnsPlanOn'), target: 'normal', actions: 'sayMode' },
                  },
                },
              },
            },

            /** Warns once when a turn runs, nobody is waited for, and nothing comes. */
            liveness: {
              initial: 'fresh',
              states: {
                fresh: {
                  tags: 'waiting',
                  after: { livenessMs: { guard: and(['turnRuns', not('someoneIsAsked')]), target: 'quiet' } },
                  on: {
                    'OUTPUT.SEEN': { target: 'fresh', reenter: true },
                    'TURN.STARTED': { target: 'fresh', reenter: true },
                    'APPROVAL.SETTLED': { target: 'fresh', reenter: true, actions: 'approvalClosed' },
                  },
                },
                quiet: {
                  tags: 'waiting',
                  entry: ['recordQuiet', 'sayQuiet'],
                  exit: 'withdrawQuiet',
                  on: {
                    'OUTPUT.SEEN': { target: 'fresh' },
                    'TURN.ENDED': { target: 'fresh' },
                    'APPROVAL.REQUESTED': { target: 'fresh' },
                  },
                },
              },
            },
          },
        },

        /** The agent is asked to end while its link still stands. */
        closing: {
          tags: 'busy',
          entry: ['withdrawAllApprovals', 'noApprovals', 'closeAgent'],
          after: { [CLOSE_PATIENCE_MS]: { target: '#session.stopping' } },
          on: {
            PROMPT: { actions: ['heard', 'sayNotRunning'] },
            SLASH: { actions: ['heard', 'sayNotRunning'] },
            'SESSION.CLOSED': { target: '#session.stopping', actions: 'recordClosed' },
            'CLOSE.REFUSED': { target: '#session.stopping' },
            'TURN.ENDED': { actions: 'turnEnded' },
          },
        },
      },
    },

    stopping: {
      tags: 'busy',
      entry: ['withdrawAllApprovals', 'noApprovals', 'tidyWorkspace'],
      on: {
        PROMPT: { actions: ['heard', 'sayNotRunning'] },
        SLASH: { actions: ['heard', 'sayNotRunning'] },
        'WORKSPACE.TIDIED': { target: 'stopped', actions: 'sayKept' },
        'WORKSPACE.UNTIDY': { target: 'stopped', actions: 'sayRefused' },
      },
      exit: 'leaveContainer',
    },

    stopped: {
      tags: 'waiting',
      entry: 'sayStopped',
      on: {
        PROMPT: { actions: ['heard', 'sayNotRunning'] },
        SLASH: { actions: ['heard', 'sayNotRunning'] },
        'COMMAND.RESUME': { target: 'opening', actions: 'reopened' },
        'COMMAND.RETRY': { target: 'opening', actions: 'reopened' },
      },
    },

    failed: {
      tags: 'waiting',
      entry: ['withdrawAllApprovals', 'noApprovals', 'sayFailure', 'leaveContainer'],
      exit: 'forgetFailure',
      on: {
        PROMPT: { actions: ['heard', 'sayNotRunning'] },
        SLASH: { actions: ['heard', 'sayNotRunning'] },
        'COMMAND.RETRY': { target: 'opening', actions: 'reopened' },
        'COMMAND.RESUME': { target: 'opening', actions: 'reopened' },
        'COMMAND.STOP': { target: 'stopping', actions: 'stopAsked' },
      },
    },
  },
});
