/**
 * A session: one conversation in one thread, from the post that asked for it to its end and, if somebody resumes it,
 * on from there. The queue of prompts is here; the worker runs one turn at a time.
 */
import { and } from 'xstate';
import { newSession } from './session/context.ts';
import { CLOSE_PATIENCE_MS, conversation } from './session/conversation.ts';
import { GIVE_UP_MS, link, liveness, mode } from './session/regions.ts';
import { NOT_RUNNING, PREPARING, RECORDED, sessionSetup } from './session/setup.ts';

/** A worker that has just started is there within moments; then the container is asked to look after it. */
const FIRST_LINK_PATIENCE_MS = 30_000;
/** A container that can decide acknowledges a guest at once; this is for a busy machine. */
const ACKNOWLEDGE_PATIENCE_MS = 5 * 60_000;

export const SESSION_VERSION = 3;
export const SESSION_BIRTH_EVENTS = ['START'] as const;

export const sessionMachine = sessionSetup.createMachine({
  id: 'session',
  context: ({ input }) => newSession(input),
  initial: 'new',
  on: {
    ...RECORDED,
    'POST.EDITED': { actions: 'editQueued' },
    'POST.DELETED': { actions: ['unmarkDropped', 'dropQueued'] },
    'COMMAND.QUEUE': [
      { guard: 'listsQueue', actions: 'sayQueue' },
      { guard: 'dropsSomething', actions: ['unmarkDropped', 'sayDropped', 'dropQueued'] },
      { actions: 'sayNothingToDrop' },
    ],
    'COMMAND.MODE': { actions: ['audienceChanged', 'sayAudience'] },
    'COMMAND.VERBOSITY': { actions: ['verbosityChanged', 'tellVerbosity'] },
    'COMMAND.CONTEXT': { actions: 'tellContext' },
    'COMMAND.RAISE': { actions: ['recordRaised', 'sayRaised'] },
    'COMMAND.COST': { actions: 'tellCost' },
    'COMMAND.EXPORT': { actions: 'tellTranscript' },
    'COMMAND.DIFF': { actions: 'tellDiff' },
    'COMMAND.NETWORK': { actions: 'tellNetwork' },
    'COMMAND.LOGS': { actions: 'tellLogs' },
    'COMMAND.INVITE': { actions: 'changeMember' },
    'COMMAND.KICK': { actions: 'changeMember' },
    'COMMAND.TITLE': [
      { guard: and(['hasTitle', 'hasThread']), actions: ['titled', 'setTitle'] },
      { actions: 'sayAskTitle' },
    ],
    'COMMAND.INTERRUPT': { actions: 'sayNothingRuns' },
    'COMMAND.RETRY': { actions: 'sayRunsAlready' },
    'COMMAND.RESUME': { actions: 'sayRunsAlready' },
    'POST.UNDELIVERED': { actions: 'recordUndelivered' },
    SPENT: { actions: 'checkSpending' },
    'SPENDING.CHECKED': {},
    'HISTORY.GIVEN': { actions: ['recordBriefed', 'sayHistoryGiven'] },
    'HISTORY.REFUSED': { actions: 'sayHistoryRefused' },
    'TITLE.FOUND': { actions: ['titled', 'setTitle'] },
    'TITLE.REFUSED': { actions: 'sayTitleRefused' },
    'MODEL.CHANGED': { actions: ['modelChanged', 'sayModel'] },
    'MODEL.REFUSED': { actions: 'sayRefused' },
    // Late answers: the request was made in a state that has passed. What they found out is kept.
    'THREAD.OPENED': { actions: ['threadOpened', 'bindThread'] },
    'THREAD.FAILED': {},
    'WORKSPACE.READY': { actions: 'workspaceReady' },
    'WORKSPACE.FAILED': {},
    'WORKSPACE.TIDIED': {},
    'WORKSPACE.UNTIDY': {},
    'INTERRUPT.REFUSED': {},
    'COMPACT.REFUSED': {},
    'CLEAR.REFUSED': {},
    'CLOSE.REFUSED': {},
    'MODE.REFUSED': {},
    // A place in a container that is not wanted any more is given back.
    'CONTAINER.READY': [{ guard: 'isAttached' }, { actions: 'declineContainer' }],
    'CONTAINER.PROGRESS': {},
    'CONTAINER.NOTICE': { actions: 'sayNotice' },
    'CONTAINER.REFUSED': { actions: 'detached' },
    'CONTAINER.STOPPED': { actions: 'detached' },
    'LINK.UP': { actions: ['reportLoss', 'linkUp'] },
    'LINK.DOWN': {},
    'APPROVAL.REQUESTED': {},
    'MODE.CHANGED': { actions: 'modeChanged' },
    'SESSION.CLOSED': { actions: 'recordClosed' },
    'OUTPUT.SEEN': {},
  },
  states: {
    new: {
      tags: 'waiting',
      on: { START: { target: 'opening' } },
    },

    opening: {
      tags: 'busy',
      initial: 'beginning',
      on: {
        ...PREPARING,
        'COMMAND.STOP': { target: 'stopping', actions: 'stopAsked' },
        'CONTAINER.PROGRESS': { actions: 'sayProgress' },
      },
      states: {
        /** Opened again, it keeps its thread. */
        beginning: { always: [{ guard: 'hasThread', target: 'workspace' }, { target: 'thread' }] },
        thread: {
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
          initial: 'asking',
          entry: ['sayAttaching', 'attachToContainer', 'attached'],
          after: { [GIVE_UP_MS]: { target: '#session.failed', actions: 'recordSilence' } },
          on: {
            'CONTAINER.READY': { target: '#session.active', actions: 'containerReady' },
            'CONTAINER.REFUSED': { target: '#session.failed', actions: ['detached', 'recordFailure'] },
            'CONTAINER.STOPPED': { target: '#session.failed', actions: ['detached', 'recordFailure'] },
          },
          states: {
            asking: {
              after: { [ACKNOWLEDGE_PATIENCE_MS]: { target: '#session.failed', actions: 'recordSilence' } },
              on: { 'CONTAINER.PROGRESS': { target: 'promised', actions: 'sayProgress' } },
            },
            /** It comes up, however long that takes; it says so if it cannot. */
            promised: {},
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
          cwd: context.cwd,
          resumeId: context.agentSessionId,
          model: context.model,
          plan: context.plan,
          review: context.request.review,
        }),
        onError: { target: 'failed', actions: 'recordFailure' },
      },
      on: {
        'CONTAINER.READY': [
          { guard: 'isNewWorker', target: 'active', reenter: true, actions: 'containerReady' },
          // The worker that is known is still the one; the link finds it again by itself.
          {},
        ],
        'CONTAINER.REFUSED': { target: 'failed', actions: ['detached', 'recordFailure'] },
        'CONTAINER.STOPPED': { target: 'stopping', actions: ['loseTurn', 'turnGone', 'sayTakenDown', 'detached'] },
        'APPROVAL.REQUESTED': [{ guard: 'isOpenRequest' }, { actions: ['approvalOpened', 'openApproval'] }],
        'MODE.REFUSED': { actions: 'sayRefused' },
        'COMMAND.MODEL': [{ guard: 'namesModel', actions: 'setModel' }, { actions: 'sayModel' }],
        // Closed on request, if an old one: the next message wakes the agent.
        'SESSION.CLOSED': [
          { guard: 'wasAskedFor', actions: 'recordClosed' },
          { target: 'failed', actions: ['recordClosed', 'recordFailure'] },
        ],
      },
      states: {
        agent: {
          tags: 'busy',
          initial: 'connecting',
          entry: 'sayStartingAgent',
          after: { [GIVE_UP_MS]: { target: '#session.failed', actions: 'recordSilence' } },
          on: {
            ...PREPARING,
            'LINK.UP': {
              target: 'open',
              actions: [
                'reportLoss',
                'rejoinTurn',
                'endOrphanedTurn',
                'linkUp',
                'becomeReady',
                'giveThread',
                'sayReady',
              ],
            },
            'COMMAND.STOP': { target: 'closing', actions: 'stopAsked' },
          },
          states: {
            connecting: {
              after: {
                [FIRST_LINK_PATIENCE_MS]: { target: 'connecting', reenter: true, actions: 'askContainerForHelp' },
              },
            },
          },
        },

        open: {
          type: 'parallel',
          on: {
            'COMMAND.STOP': { target: 'closing', actions: 'stopAsked' },
          },
          states: { conversation, link, mode, liveness },
        },

        /** The agent is asked to end while its link still stands. Nothing but the end of it leads on. */
        closing: {
          tags: 'busy',
          entry: ['withdrawAllApprovals', 'noApprovals', 'closeAgent'],
          after: { [CLOSE_PATIENCE_MS]: { target: '#session.stopping' } },
          on: {
            ...NOT_RUNNING,
            'COMMAND.STOP': { actions: 'stopAsked' },
            'COMMAND.RETRY': { actions: 'sayStopping' },
            'COMMAND.RESUME': { actions: 'sayStopping' },
            'APPROVAL.REQUESTED': {},
            'CONTAINER.READY': {},
            'CONTAINER.REFUSED': { target: '#session.stopping', actions: 'detached' },
            'SESSION.CLOSED': { target: '#session.stopping', actions: 'recordClosed' },
            'CLOSE.REFUSED': { target: '#session.stopping' },
            'xstate.error.actor.link': { target: '#session.stopping' },
          },
        },
      },
    },

    stopping: {
      tags: 'busy',
      entry: ['withdrawAllApprovals', 'noApprovals', 'endGrants', 'tidyWorkspace'],
      on: {
        ...NOT_RUNNING,
        'COMMAND.STOP': { actions: 'stopAsked' },
        'COMMAND.RETRY': { actions: 'sayStopping' },
        'COMMAND.RESUME': { actions: 'sayStopping' },
        // The checkout was still being made when the stop came: now there is something to tidy.
        'WORKSPACE.READY': { target: 'stopping', reenter: true, actions: 'workspaceReady' },
        'WORKSPACE.TIDIED': [
          { guard: 'isOfThisCheckout', target: 'stopped', actions: ['leaveContainer', 'detached', 'sayKept'] },
          {},
        ],
        'WORKSPACE.UNTIDY': { target: 'stopped', actions: ['leaveContainer', 'detached', 'sayRefused'] },
      },
    },

    stopped: {
      tags: 'waiting',
      entry: ['sayStopped', 'leaveTurn'],
      on: {
        ...NOT_RUNNING,
        'COMMAND.RESUME': { target: 'opening', actions: 'reopened' },
        'COMMAND.RETRY': { target: 'opening', actions: 'reopened' },
        'COMMAND.STOP': [
          { guard: 'reachesFurther', actions: ['stopAsked', 'leaveContainer', 'sayStoppedAlready'] },
          { actions: 'sayStoppedAlready' },
        ],
      },
    },

    failed: {
      tags: 'waiting',
      entry: ['withdrawAllApprovals', 'noApprovals', 'sayFailure', 'leaveTurn', 'leaveContainer', 'detached'],
      exit: 'forgetFailure',
      on: {
        ...NOT_RUNNING,
        'COMMAND.RETRY': { target: 'opening', actions: 'reopened' },
        'COMMAND.RESUME': { target: 'opening', actions: 'reopened' },
        'COMMAND.STOP': { target: 'stopping', actions: 'stopAsked' },
      },
    },
  },
});
