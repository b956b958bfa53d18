/**
 * One question to people: from the agent's request to an answer that the agent has been told. The first valid decision
 * wins; whatever comes later meets a state in which it changes nothing.
 */
import { and, assign, setup } from 'xstate';
import * as action from './approval/actions.ts';
import { type ApprovalContext, type ApprovalEvent, type ApprovalInput, newApproval } from './approval/context.ts';

/** A timer that its guard ignores stands for "never". */
const NEVER_MS = 365 * 86_400_000;
/** How long until a card that could not be posted is tried again. */
const REPOST_MS = 60_000;

export const APPROVAL_VERSION = 1;
export const APPROVAL_BIRTH_EVENTS = ['REQUESTED'] as const;

/** A person's decision, wherever the card is at the moment. */
const DECIDE = [
  { guard: and(['approves', 'isNetwork']), target: 'applying', actions: ['decided', 'markAnswer'] },
  { target: 'telling', actions: ['decided', 'markAnswer'] },
] as const;

/** The agent has stopped waiting, or is gone. */
const WITHDRAW = { target: 'withdrawn', actions: 'troubled' } as const;

export const approvalMachine = setup({
  types: {
    context: {} as ApprovalContext,
    events: {} as ApprovalEvent,
    input: {} as ApprovalInput,
    tags: {} as 'busy' | 'waiting',
  },
  actions: {
    postCard: action.postCard,
    refreshCard: action.refreshCard,
    openFirewall: action.openFirewall,
    probe: action.probe,
    tellAgent: action.tellAgent,
    tellSession: action.tellSession,
    markAnswer: action.markAnswer,
    passOn: action.passOn,
    recordAudit: action.recordAudit,
    sayUntold: action.sayUntold,
    cardPosted: assign(action.cardPosted),
    newCard: assign(action.newCard),
    decided: assign(action.decided),
    expired: assign(action.expired),
    opened: assign(action.opened),
    probed: assign(action.probed),
    troubled: assign(action.troubled),
    end: assign({ over: true }),
  },
  guards: {
    wasSaid: ({ event }) => event.type === 'DECIDE' && event.said !== undefined,
    approves: ({ event }) => event.type === 'DECIDE' && event.verdict.outcome === 'approved',
    isNetwork: ({ context }) => context.kind === 'network',
    wasApproved: ({ context }) => context.verdict?.outcome === 'approved',
    wasDenied: ({ context }) => context.verdict?.outcome === 'denied',
    canExpire: ({ context }) => context.timeoutMs > 0,
    hasNoCard: ({ context }) => context.cardPostId === '',
  },
  delays: {
    /** Counted from the request: a card that is posted anew gets no more time. */
    timeoutMs: ({ context, event }) =>
      context.timeoutMs > 0 ? Math.max(0, context.askedAt + context.timeoutMs - event.at) : NEVER_MS,
    /** After a failure the time to try again begins anew. */
    retryMs: ({ context }) => (context.timeoutMs > 0 ? context.timeoutMs : NEVER_MS),
  },
}).createMachine({
  id: 'approval',
  context: ({ input }) => newApproval(input),
  initial: 'new',
  on: {
    // Once decided or withdrawn, nothing of this changes the outcome.
    DECIDE: [{ guard: 'wasSaid', actions: 'passOn' }, {}],
    WITHDRAW: {},
    RETRY: {},
    // The agent was told that nobody answers before it could be told what was decided.
    'GIVEN.UP': { actions: 'sayUntold' },
    // A card that was still on its way is brought to the state of things as soon as it is there.
    'CARD.POSTED': { actions: ['cardPosted', 'refreshCard'] },
    'CARD.FAILED': {},
    'CARD.DELETED': {},
  },
  states: {
    new: {
      tags: 'waiting',
      on: { REQUESTED: 'posting' },
    },

    posting: {
      tags: 'busy',
      entry: 'postCard',
      on: {
        DECIDE,
        WITHDRAW,
        'GIVEN.UP': WITHDRAW,
        'CARD.POSTED': { target: 'pending', actions: 'cardPosted' },
        'CARD.FAILED': { target: 'unposted', actions: 'troubled' },
      },
    },

    /** The card could not be posted. The request still waits; posting is tried again. */
    unposted: {
      tags: 'busy',
      after: { [REPOST_MS]: 'posting' },
      on: {
        DECIDE,
        WITHDRAW,
        'GIVEN.UP': WITHDRAW,
        'CARD.POSTED': { target: 'pending', actions: 'cardPosted' },
      },
    },

    pending: {
      tags: 'waiting',
      after: { timeoutMs: { guard: 'canExpire', target: 'telling', actions: 'expired' } },
      on: {
        DECIDE,
        WITHDRAW,
        'GIVEN.UP': WITHDRAW,
        'CARD.DELETED': { target: 'posting', actions: 'newCard' },
      },
    },

    /** The firewall is being opened. A decision stands, whatever the turn does meanwhile. */
    applying: {
      tags: 'busy',
      entry: ['openFirewall', 'refreshCard'],
      on: {
        OPENED: { target: 'verifying', actions: 'opened' },
        'OPEN.FAILED': { target: 'failed', actions: 'troubled' },
        // Should the firewall refuse, a new card is needed.
        'CARD.DELETED': { actions: 'newCard' },
      },
    },

    /** Can the container really reach it now? Only the worker inside it can say. */
    verifying: {
      tags: 'busy',
      entry: 'probe',
      on: {
        PROBED: { target: 'telling', actions: 'probed' },
        'PROBE.FAILED': { target: 'telling', actions: 'probed' },
      },
    },

    telling: {
      tags: 'busy',
      entry: ['tellAgent', 'refreshCard', 'recordAudit'],
      on: {
        TOLD: { target: 'settled', actions: ['end', 'tellSession'] },
        // Nobody waits any more: the decision is recorded all the same.
        'TELL.FAILED': { target: 'settled', actions: ['troubled', 'end', 'sayUntold', 'tellSession'] },
      },
    },

    settled: {
      initial: 'deciding',
      states: {
        deciding: {
          always: [
            { guard: 'wasApproved', target: 'granted' },
            { guard: 'wasDenied', target: 'denied' },
            { target: 'expired' },
          ],
        },
        granted: { tags: 'waiting' },
        denied: { tags: 'waiting' },
        expired: { tags: 'waiting' },
      },
    },

    /** The firewall refused. The buttons stay, so the decision can be taken again. */
    failed: {
      tags: 'waiting',
      always: { guard: 'hasNoCard', target: 'posting' },
      entry: 'refreshCard',
      after: { retryMs: { guard: 'canExpire', target: 'telling', actions: 'expired' } },
      on: {
        DECIDE,
        WITHDRAW,
        'GIVEN.UP': WITHDRAW,
        RETRY: 'applying',
        'CARD.DELETED': { target: 'posting', actions: 'newCard' },
      },
    },

    withdrawn: {
      tags: 'waiting',
      entry: ['end', 'refreshCard', 'tellSession'],
    },
  },
});
