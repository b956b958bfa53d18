/**
 * The conversation of an open session. Whether it is idle or busy follows from two facts that events change: the turn that
 * runs, and what was handed to the worker and has not begun. So no order of events can leave it waiting for nothing.
 */
import { not } from 'xstate';
import { ASIDE, RECORDED, sessionSetup } from './setup.ts';

/** Closing an agent can take 2 s; the rest is for a slow machine. */
export const CLOSE_PATIENCE_MS = 20_000;
/** An interrupted turn ends within moments, or its agent is in trouble. */
const INTERRUPT_PATIENCE_MS = 30_000;
/** How long the turn of a message that was sent again may take to begin. */
const DOUBT_MS = 60_000;
/** Longer than a request to the worker is tried, so that its refusal comes first. */
const COMMAND_PATIENCE_MS = 35 * 60_000;

const HELD = {
  PROMPT: [ASIDE, { actions: ['heard', 'enqueueHeld', 'markHeld'] }],
  SLASH: { actions: ['heard', 'enqueueHeld', 'markHeld'] },
  'COMMAND.TITLE': { guard: 'asksForTitle', actions: ['heard', 'enqueueHeld', 'titleAsked', 'markHeld'] },
  'COMMAND.STEER': [
    { guard: 'hasWords', actions: ['heard', 'enqueueHeld', 'markHeld'] },
    { actions: 'sayNothingRuns' },
  ],
} as const;

/** Where a turn may run, a message can be handed to it. */
const STEERABLE = {
  'COMMAND.STEER': [
    { guard: 'steers', actions: ['heard', 'steer', 'recordSteered', 'markSteered'] },
    { guard: 'hasWords', actions: ['heard', 'enqueueHeld', 'markHeld'] },
    { actions: 'sayNothingWaits' },
  ],
} as const;

/** With an agent that has nothing to do, asleep or not. The worker wakes it when it needs to. */
const FREE = {
  PROMPT: [ASIDE, { actions: ['heard', 'enqueue'] }],
  SLASH: { actions: ['heard', 'enqueue'] },
  'COMMAND.TITLE': { guard: 'asksForTitle', actions: ['heard', 'enqueue', 'titleAsked'] },
  'COMMAND.STEER': [{ guard: 'hasWords', actions: ['heard', 'enqueue'] }, { actions: 'sayNothingRuns' }],
  'COMMAND.COMPACT': { target: 'compacting', actions: ['compact', 'recordCompact'] },
  'COMMAND.CLEAR': { target: 'clearing', actions: ['clear', 'recordClear'] },
} as const;

/** What goes on decides; then the oldest message that waits is sent. */
const NEXT = [
  { guard: 'compacts', target: 'compacting' },
  { guard: 'clears', target: 'clearing' },
  { guard: 'goesOn', target: 'thinking' },
  { guard: 'hasQueued', target: 'thinking', actions: ['sendNext', 'recordSent'] },
] as const;

const INTERRUPTIBLE = {
  'COMMAND.INTERRUPT': [
    { guard: 'turnRuns', target: 'interrupting', actions: 'interruptTurn' },
    { actions: 'sayNotBegun' },
  ],
} as const;

/** A cap holds for what runs, not only for what is about to. */
const CAPPED = {
  'SPENDING.CHECKED': [{ guard: 'isCapped', target: 'interrupting', actions: ['interruptTurn', 'sayCapped'] }, {}],
} as const;

export const conversation = sessionSetup.createStateConfig({
  initial: 'idle',
  on: {
    ...RECORDED,
    'TURN.STARTED': [
      { guard: 'runsAway', actions: [...RECORDED['TURN.STARTED'].actions, 'sayRunaway', 'closeAgent'] },
      RECORDED['TURN.STARTED'],
    ],
    'COMMAND.COMPACT': { actions: 'sayBusy' },
    'COMMAND.CLEAR': { actions: 'sayBusy' },
    'COMMAND.RESTART': { target: '.restarting', actions: ['sayRestarting', 'closeAgent'] },
  },
  states: {
    idle: {
      tags: 'waiting',
      always: NEXT,
      on: { ...FREE, 'LINK.UP': { guard: 'agentSleeps', target: 'asleep' } },
    },
    /** The agent's process is closed; the next message wakes it, with its memory. */
    asleep: {
      tags: 'waiting',
      always: NEXT,
      on: { ...FREE, 'LINK.UP': { guard: not('agentSleeps'), target: 'idle' } },
    },
    thinking: {
      initial: 'working',
      always: { guard: not('goesOn'), target: 'idle' },
      after: { [DOUBT_MS]: { guard: 'isInDoubt', actions: ['unmarkSent', 'sayInDoubt', 'dropSent'] } },
      on: { ...HELD, ...INTERRUPTIBLE, ...STEERABLE, ...CAPPED },
      states: {
        working: { tags: 'busy', always: { guard: 'someoneIsAsked', target: 'waitingForPerson' } },
        waitingForPerson: { tags: 'waiting', always: { guard: not('someoneIsAsked'), target: 'working' } },
      },
    },
    interrupting: {
      tags: 'busy',
      always: { guard: not('turnRuns'), target: 'idle' },
      after: { [INTERRUPT_PATIENCE_MS]: { target: 'thinking', actions: 'sayInterruptIgnored' } },
      on: {
        ...HELD,
        'COMMAND.INTERRUPT': { target: 'interrupting', reenter: true, actions: 'interruptTurn' },
        'INTERRUPT.REFUSED': [
          { guard: 'isTurnGone', target: 'thinking' },
          { target: 'thinking', actions: 'sayRefused' },
        ],
      },
    },
    compacting: {
      tags: 'busy',
      always: { guard: not('goesOn'), target: 'idle' },
      after: {
        [COMMAND_PATIENCE_MS]: [
          { guard: 'turnRuns', target: 'compacting', reenter: true },
          { target: 'idle', actions: ['forgetSent', 'sayNoAnswer'] },
        ],
      },
      on: {
        ...HELD,
        ...INTERRUPTIBLE,
        'COMPACT.REFUSED': [{ guard: 'isOfSent', actions: ['forgetSent', 'sayRefused'] }, {}],
      },
    },
    clearing: {
      tags: 'busy',
      always: { guard: not('goesOn'), target: 'idle' },
      after: {
        [COMMAND_PATIENCE_MS]: [
          { guard: 'turnRuns', target: 'clearing', reenter: true },
          { target: 'idle', actions: ['forgetSent', 'sayNoAnswer'] },
        ],
      },
      on: {
        ...HELD,
        ...INTERRUPTIBLE,
        'CLEAR.REFUSED': [{ guard: 'isOfSent', actions: ['forgetSent', 'sayRefused'] }, {}],
      },
    },
    /** The agent's process ends; the link is then made anew and the agent resumed. */
    restarting: {
      tags: 'busy',
      after: { [CLOSE_PATIENCE_MS]: { target: '#session.active' } },
      on: {
        ...HELD,
        'COMMAND.RESTART': { actions: 'sayRestarting' },
        'SESSION.CLOSED': { target: '#session.active', actions: 'recordClosed' },
        'CLOSE.REFUSED': { target: '#session.active' },
      },
    },
  },
});
