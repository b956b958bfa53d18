/**
 * One question to people: from the agent's request to an answer that the agent has been told. The first valid decision
 * wins; whatever comes later meets a state in which it changes nothing.
 */
import { and, assign, setup } from 'xstate';
import * as action from './approval/actions.ts';
import { type ApprovalContext, type ApprovalEvent, type ApprovalInput, newApproval } from './approval/context.ts';

export const APPROVAL_VERSION = 1;
export const APPROVAL_BIRTH_EVENTS = ['REQUESTED'] as const;

const LATE = {
  DECIDE: {},
  WITHDRAW: {},
  'CARD.DELETED': {},
} as const;

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
    recordAudit: action.recordAudit,
    cardPosted: assign(action.cardPosted),
    newCard: assign(action.newCard),
    decided: assign(action.decided),
    expired: assign(action.expired),
    opened: assign(action.opened),
    probed: assign(action.probed),
    troubled: assign(action.troubled),
  },
  guards: {
    approves: ({ event }) => event.type === 'DECIDE' && event.verdict.outcome === 'approved',
    isNetwork: ({ context }) => context.kind === 'network',
    wasApproved: ({ context }) => context.verdict?.outcome === 'approved',
    wasDenied: ({ context }) => context.verdict?.outcome === 'denied',
    canExpire: ({ context }) => context.timeoutMs > 0,
  },
  delays: {
    // A timer that its guard ignores stands for "never".
    timeoutMs: ({ context }) => (context.timeoutMs > 0 ? context.timeoutMs : 365 * 86_400_000),
  },
}).createMachine({
  id: 'approval',
  context: ({ input }) => newApproval(input),
  initial: 'new',
  states: {
    new: {
      tags: 'waiting',
      on: { REQUESTED: 'posting' },
    },

    posting: {
      tags: 'busy',
      entry: 'postCard',
      on: {
        'CARD.POSTED': { target: 'pending', actions: 'cardPosted' },
        'CARD.FAILED': { target: 'unposted', actions: 'troubled' },
        WITHDRAW: { target: 'withdrawn', actions: 'troubled' },
      },
    },

    /** The card could not be posted. The request still waits; posting is tried again. */
    unposted: {
      tags: 'busy',
      after: { 60000: 'posting' },
      on: { WITHDRAW: { target: 'withdrawn', actions: 'troubled' } },
    },

    pending: {
      tags: 'waiting',
      after: { timeoutMs: { guard: 'canExpire', target: 'telling', actions: 'expired' } },
      on: {
        DECIDE: [
          { guard: and(['approves', 'isNetwork']), target: 'applying', actions: 'decided' },
          { target: 'telling', actions: 'decided' },
        ],
        'CARD.DELETED': { target: 'posting', actions: 'newCard' },
        WITHDRAW: { target: 'withdrawn', actions: 'troubled' },
      },
    },

    /** The firewall is being opened. A decision stands, whatever the turn does meanwhile. */
    applying: {
      tags: 'busy',
      entry: ['openFirewall', 'refreshCard'],
      on: {
        ...LATE,
        OPENED: { target: 'verifying', actions: 'opened' },
        'OPEN.FAILED': { target: 'failed', actions: 'troubled' },
      },
    },

    /** Can the container really reach it now? Only the worker inside it can say. */
    verifying: {
      tags: 'busy',
      entry: 'probe',
      on: {
        ...LATE,
        PROBED: { target: 'telling', actions: 'probed' },
        'PROBE.FAILED': { target: 'telling', actions: 'probed' },
      },
    },

    telling: {
      tags: 'busy',
      entry: ['tellAgent', 'refreshCard', 'recordAudit'],
      on: {
        ...LATE,
        TOLD: { target: 'settled', actions: 'tellSession' },
        // Nobody waits any more: the decision is recorded all the same.
        'TELL.FAILED': { target: 'settled', actions: ['troubled', 'tellSession'] },
      },
    },

    settled: {
      initial: 'deciding',
      on: LATE,
      states: {
        deciding: {
          tags: 'busy',
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
      entry: 'refreshCard',
      on: {
        DECIDE: [
          { guard: and(['approves', 'isNetwork']), target: 'applying', actions: 'decided' },
          { target: 'telling', actions: 'decided' },
        ],
        RETRY: 'applying',
        'CARD.DELETED': {},
        WITHDRAW: { target: 'withdrawn', actions: 'troubled' },
      },
    },

    withdrawn: {
      tags: 'waiting',
      entry: ['refreshCard', 'tellSession'],
      on: LATE,
    },
  },
});
