/**
 * The words of the session's chart: its actions, guards and delays. The states are in ../session.ts, conversation.ts and
 * regions.ts.
 */
import { assign, setup } from 'xstate';
import { task } from '../define.ts';
import * as change from './changes.ts';
import type { LinkInput, SessionContext, SessionInput } from './context.ts';
import type { SessionEvent } from './events.ts';
import * as history from './history.ts';
import * as note from './notes.ts';
import * as request from './requests/index.ts';
import * as spending from './spending.ts';
import { undelivered } from './undelivered.ts';

export const sessionSetup = setup({
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
    giveThread: history.giveThread,
    sayHistoryGiven: history.sayHistoryGiven,
    sayHistoryRefused: history.sayHistoryRefused,
    recordBriefed: assign(history.briefed),
    recordUndelivered: assign(undelivered),
    checkSpending: spending.checkSpending,
    sayCapped: spending.sayCapped,
    sayRunaway: spending.sayRunaway,
    recordRaised: assign(spending.raised),
    sayRaised: spending.sayRaised,
    enqueue: assign(change.enqueue),
    enqueueHeld: assign(change.enqueueHeld),
    recordSteered: assign(change.steered),
    recordSent: assign(change.promptSent),
    recordCompact: assign(change.commandSent('compact')),
    recordClear: assign(change.commandSent('clear')),
    forgetSent: assign({ sent: null }),
    promptTaken: assign(change.promptTaken),
    promptSteered: assign(change.promptSteered),
    dropPrompt: assign(change.dropPrompt),
    dropSent: assign(change.dropSent),
    turnStarted: assign(change.turnStarted),
    turnEnded: assign(change.turnEnded),
    editQueued: assign(change.editQueued),
    dropQueued: assign(change.dropQueued),
    threadOpened: assign(change.threadOpened),
    workspaceReady: assign(change.workspaceReady),
    attached: assign({ attached: true }),
    detached: assign(change.detached),
    turnGone: assign({ turn: null }),
    containerReady: assign(change.containerReady),
    linkUp: assign(change.linkUp),
    becomeReady: assign(({ event }) => ({ readyAt: event.at })),
    approvalOpened: assign(change.approvalOpened),
    approvalClosed: assign(change.approvalClosed),
    noApprovals: assign({ open: [] }),
    compacted: assign(change.compacted),
    recordCleared: assign(change.cleared),
    recordClosed: assign(change.closed),
    modeChanged: assign(change.modeChanged),
    titled: assign(change.titled),
    titleAsked: assign(change.titleAsked),
    modelChanged: assign(change.modelChanged),
    verbosityChanged: assign(change.verbosityChanged),
    audienceChanged: assign(change.audienceChanged),
    reopened: assign(change.reopened),
    stopAsked: assign(change.stopAsked),
    recordFailure: assign(change.failed),
    recordSilence: assign(change.containerSilent),
    forgetFailure: assign({ failure: null }),
    recordQuiet: assign(({ event }) => ({ quietAt: event.at })),
  },
  guards: {
    isCapped: spending.isCapped,
    runsAway: spending.runsAway,
    hasThread: ({ context }) => context.rootId !== '',
    isAttached: ({ context }) => context.attached,
    hasQueued: ({ context }) => context.queue.length > 0,
    turnRuns: ({ context }) => context.turn !== null,
    /** A turn runs, or the worker was handed something that will become one. */
    goesOn: ({ context }) => context.turn !== null || context.sent !== null,
    compacts: ({ context }) => context.sent?.kind === 'compact',
    clears: ({ context }) => context.sent?.kind === 'clear',
    someoneIsAsked: ({ context }) => context.open.length > 0,
    /** The agent has something to do, and nobody is being waited for: it should show signs of life. */
    shouldBeHeard: ({ context }) =>
      (context.turn !== null || context.sent?.taken === true) && context.open.length === 0,
    /** Sent once more and taken, but nothing begins: the worker knew it already, and its news of it was lost. */
    isInDoubt: ({ context: { turn, sent } }) => turn === null && sent?.again === true && sent.taken,
    isWaiting: ({ context, event }) => event.type === 'PROMPT.LOST' && change.isWaiting(context, event.inputId),
    /** The outcome of what was sent last, not of an earlier attempt. */
    isOfSent: ({ context, event }) =>
      'sentAt' in event && context.sent?.inputId === event.postId && context.sent?.at === event.sentAt,
    isNewWorker: ({ context, event }) =>
      event.type === 'CONTAINER.READY' &&
      (event.endpoint !== context.endpoint || event.generation !== context.generation),
    agentSleeps: ({ event }) => event.type === 'LINK.UP' && event.agentState === 'asleep',
    plans: ({ context }) => context.plan,
    turnsPlanOn: ({ event }) => (event.type === 'MODE.CHANGED' || event.type === 'LINK.UP') && event.plan,
    isHandedOver: ({ context, event }) =>
      (event.type === 'PROMPT.TAKEN' || event.type === 'PROMPT.REFUSED') && change.isOfHanded(context, event),
    /** Talk among people, in a session that answers only who mentions it. */
    isAside: ({ context, event }) =>
      event.type === 'PROMPT' && context.audience === 'mentions' && event.addressed === false,
    asksForTitle: ({ event }) => event.type === 'COMMAND.TITLE' && event.text === '',
    namesModel: ({ event }) => event.type === 'COMMAND.MODEL' && event.model !== '',
    listsQueue: ({ event }) => event.type === 'COMMAND.QUEUE' && event.drop === null,
    dropsSomething: ({ context, event }) => change.droppedBy(context, event).length > 0,
    hasWords: ({ event }) => event.type === 'COMMAND.STEER' && (event.text !== '' || event.fileIds.length > 0),
    /** There is a turn, and something to say to it. */
    steers: ({ context, event }) =>
      context.turn !== null &&
      event.type === 'COMMAND.STEER' &&
      (event.text !== '' || change.waitingIn(context).length > 0),
    hasTitle: ({ event }) => event.type === 'COMMAND.TITLE' && event.text !== '',
    isOpenRequest: ({ context, event }) =>
      (event.type === 'APPROVAL.REQUESTED' || event.type === 'APPROVAL.WITHDRAWN') &&
      context.open.includes(event.requestId),
    isTurnGone: ({ event }) => event.type === 'INTERRUPT.REFUSED' && event.code === 'NO_SUCH_TURN',
    wasAskedFor: ({ event }) => event.type === 'SESSION.CLOSED' && event.reason === 'requested',
    isOfThisCheckout: ({ context, event }) => event.type === 'WORKSPACE.TIDIED' && event.checkout === context.checkout,
    reachesFurther: ({ event }) => event.type === 'COMMAND.STOP' && (event.container || event.all),
  },
  delays: {
    livenessMs: ({ context }) => context.limits.livenessMs,
  },
});

/**
 * What the worker did is recorded whatever the state, also when the news comes late: a prompt that has begun must never be
 * sent again, and what the worker has given up is said.
 */
export const RECORDED = {
  'TURN.STARTED': { actions: ['unmarkHeld', 'turnStarted'] },
  'TURN.ENDED': { actions: ['unmarkHeld', 'readTitle', 'turnEnded'] },
  'PROMPT.TAKEN': { actions: 'promptTaken' },
  'PROMPT.STEERED': { actions: ['unmarkHeld', 'promptSteered'] },
  'PROMPT.LOST': [{ guard: 'isWaiting', actions: ['unmarkHeld', 'sayPromptLost', 'dropPrompt'] }, {}],
  'PROMPT.REFUSED': [{ guard: 'isHandedOver', actions: ['unmarkHeld', 'sayRefused', 'dropPrompt'] }, {}],
  COMPACTED: { actions: ['compacted', 'sayCompacted'] },
  CLEARED: { actions: ['recordCleared', 'sayCleared'] },
  'APPROVAL.SETTLED': { actions: 'approvalClosed' },
  'APPROVAL.WITHDRAWN': [{ guard: 'isOpenRequest', actions: ['withdrawApproval', 'approvalClosed'] }, {}],
} as const;

/** What people say to each other ends the agent's post above it, and nothing else. */
export const ASIDE = { guard: 'isAside', actions: 'heard' } as const;

/** Answers while there is no agent and none is coming. */
export const NOT_RUNNING = {
  PROMPT: [ASIDE, { actions: ['heard', 'sayNotRunning'] }],
  'COMMAND.STEER': { actions: ['heard', 'sayNotRunning'] },
  'COMMAND.MODEL': [{ guard: 'namesModel', actions: 'sayNoAgent' }, { actions: 'sayModel' }],
  SLASH: { actions: ['heard', 'sayNotRunning'] },
  'COMMAND.COMPACT': { actions: 'sayNoAgent' },
  'COMMAND.CLEAR': { actions: 'sayNoAgent' },
  'COMMAND.RESTART': { actions: 'sayNoAgent' },
  'COMMAND.PLAN': { actions: 'sayNoAgent' },
} as const;

/** Answers while everything is still being prepared. */
export const PREPARING = {
  PROMPT: [ASIDE, { actions: ['heard', 'enqueue'] }],
  'COMMAND.STEER': [{ guard: 'hasWords', actions: ['heard', 'enqueue'] }, { actions: 'sayPreparingStill' }],
  'COMMAND.TITLE': { guard: 'asksForTitle', actions: 'sayPreparingStill' },
  'COMMAND.MODEL': [{ guard: 'namesModel', actions: 'sayPreparingStill' }, { actions: 'sayModel' }],
  SLASH: { actions: ['heard', 'enqueue'] },
  'COMMAND.COMPACT': { actions: 'sayPreparingStill' },
  'COMMAND.CLEAR': { actions: 'sayPreparingStill' },
  'COMMAND.RESTART': { actions: 'sayPreparingStill' },
  'COMMAND.PLAN': { actions: 'sayPreparingStill' },
  'COMMAND.RETRY': { actions: 'sayPreparingStill' },
  'COMMAND.RESUME': { actions: 'sayPreparingStill' },
} as const;
