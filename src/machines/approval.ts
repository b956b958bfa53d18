/**
 * One question to people: from the agent's request to an answer that the agent has been told. The first valid decision
 * wins; whatever comes later meets a state in which it changes nothing.
 */
import { and, assign, not, setup } from 'xstate';
import * as action from './approval/actions.ts';
import { type ApprovalContext, type ApprovalEvent, type ApprovalInput, newApproval } from './approval/context.ts';

/** A timer that its guard ignores stands for "never". */
const NEVER_MS = 365 * 86_400_000;
/** How long until a card that could not be posted is tried again. */
const REPOST_MS = 60_000;

/** So often are people reminded of what they have not answered. */
const REMINDERS = 5;

/** How long until a host that was opened and cannot be reached is tried again, and how often. */
const PROBE_AGAIN_MS = 5_000;
const PROBE_TRIES = 4;

export const APPROVAL_VERSION = 2;
export const APPROVAL_BIRTH_EVENTS = ['REQUESTED'] as const;

/** A person's decision, wherever the card is at the moment. */
const DECIDE = [
  { guard: 'needsAnother', actions: ['agreed', 'markAnswer', 'refreshCard'] },
  { guard: and(['approves', 'isNetwork']), target: 'applying', actions: ['decided', 'markAnswer'] },
  { target: 'telling', actions: ['decided', 'markAnswer'] },
] as const;

/**
 * Closed before the agent was told: the way is closed at once, whether or not the agent can be told, and it is told that. Who
 * closed it first is who closed it.
 */
const CLOSED_EARLY = [
  { guard: and(['opensWay', not('isClosed')]), target: 'telling', actions: 'closing' },
  {},
] as const;

/** The agent has stopped waiting, or is gone. */
const WITHDRAW = { target: 'withdrawn', actions: 'troubled' } as const;

function isReached(event: ApprovalEvent): boolean {
  return event.type === 'PROBED' && event.reachable;
}

function mayRemind({ remindMs, reminded }: ApprovalContext): boolean {
  return remindMs > 0 && reminded < REMINDERS;
}

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
    remind: action.remind,
    openFirewall: action.openFirewall,
    probe: action.probe,
    tellAgent: action.tellAgent,
    tellSession: action.tellSession,
    markAnswer: action.markAnswer,
    passOn: action.passOn,
    recordAudit: action.recordAudit,
    recordWithdrawal: action.recordWithdrawal,
    recordRequest: action.recordRequest,
    recordOpening: action.recordOpening,
    sayUntold: action.sayUntold,
    checkRequest: action.checkRequest,
    closeFirewall: action.closeFirewall,
    closeAtOnce: action.closeAtOnce,
    tellOtherwise: action.tellOtherwise,
    undoOpening: action.undoOpening,
    sayUnasked: action.sayUnasked,
    sayMissing: action.sayMissing,
    recordClosing: action.recordClosing,
    checked: assign(action.checked),
    uncheckable: assign(action.uncheckable),
    closing: assign(action.closing),
    closedEarly: assign(action.closedEarly),
    reopened: assign(action.reopened),
    shut: assign({ opened: false }),
    ask: assign({ silent: false }),
    cardPosted: assign(action.cardPosted),
    reminded: assign(({ context }) => ({ reminded: context.reminded + 1 })),
    newCard: assign(action.newCard),
    agreed: assign(action.agreed),
    decided: assign(action.decided),
    expired: assign(action.expired),
    opened: assign(action.opened),
    probed: assign(action.probed),
    troubled: assign(action.troubled),
    askedAlready: assign(action.askedAlready),
    end: assign({ over: true }),
  },
  guards: {
    wasSaid: ({ event }) => event.type === 'DECIDE' && event.said !== undefined,
    approves: ({ event }) => event.type === 'DECIDE' && event.verdict.outcome === 'approved',
    isNetwork: ({ context }) => context.kind === 'network',
    needsAnother: action.needsAnother,
    wasApproved: ({ context }) => context.verdict?.outcome === 'approved',
    /** In the words of an answer: no tool waits for the outcome. */
    isWritten: ({ context }) => action.isWritten(context),
    wasDenied: ({ context }) => context.verdict?.outcome === 'denied',
    canExpire: ({ context }) => context.timeoutMs > 0,
    mayRemind: ({ context }) => mayRemind(context),
    isGranted: ({ event }) => event.type === 'CHECKED' && event.standing === 'granted',
    isAlways: ({ event }) => event.type === 'CHECKED' && event.standing === 'always',
    isAsked: ({ event }) => event.type === 'CHECKED' && event.standing === 'asked',
    isRefused: ({ event }) => event.type === 'CHECKED' && event.standing === 'refused',
    /** Something was opened for it that must be closed some day. */
    opensWay: ({ context }) => context.opened,
    reachesOneOfMore: ({ context, event }) => isReached(event) && context.probed + 1 < context.hosts.length,
    reachesLast: ({ event }) => isReached(event),
    mayStillCome: ({ context }) => context.probes + 1 < PROBE_TRIES,
    isClosed: ({ context }) => context.closed !== '',
    /** Closed by hand or with its session, and nothing of it is open any more. */
    isShut: ({ context }) => action.isShut(context),
    /** Of what the agent was to be told before it was closed: what it is told since then counts. */
    isOutdated: ({ context, event }) => action.isOutdated(context, event),
    closesByTime: ({ context }) => context.closesAt > 0,
    hasNoCard: ({ context }) => context.cardPostId === '',
  },
  delays: {
    /** Counted from the request: a card that is posted anew gets no more time. */
    timeoutMs: ({ context, event }) =>
      context.timeoutMs > 0 ? Math.max(0, context.askedAt + context.timeoutMs - event.at) : NEVER_MS,
    /** Ever more rarely: who has not answered for hours need not be told every hour. */
    remindMs: ({ context }) => (mayRemind(context) ? context.remindMs * 2 ** context.reminded : NEVER_MS),
    closesMs: ({ context, event }) => (context.closesAt > 0 ? Math.max(0, context.closesAt - event.at) : NEVER_MS),
    /** After a failure the time to try again begins anew. */
    retryMs: ({ context }) => (context.timeoutMs > 0 ? context.timeoutMs : NEVER_MS),
  },
}).createMachine({
  id: 'approval',
  context: ({ input }) => newApproval(input),
  initial: 'new',
  on: {
    // Before there is anything to close, and after it was closed.
    REVOKE: {},
    // Of what was under way when it was closed.
    REVOKED: {},
    'REVOKE.FAILED': {},
    PROBED: {},
    'PROBE.FAILED': {},
    TOLD: {},
    'TELL.FAILED': {},
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
      on: {
        REQUESTED: [
          { guard: 'isNetwork', target: 'checking', actions: 'recordRequest' },
          { target: 'posting', actions: 'recordRequest' },
        ],
      },
    },

    /** Is it a host that may be asked for, and does it need a person at all? */
    checking: {
      tags: 'busy',
      entry: 'checkRequest',
      on: {
        CHECKED: [
          { guard: 'isGranted', target: 'verifying', actions: ['checked', 'sayUnasked'] },
          { guard: 'isAlways', target: 'applying', actions: ['checked', 'sayUnasked'] },
          { guard: 'isAsked', target: 'withdrawn', actions: 'askedAlready' },
          { guard: 'isRefused', target: 'telling', actions: ['checked', 'sayUnasked'] },
          { target: 'posting', actions: 'checked' },
        ],
        'CHECK.FAILED': { target: 'telling', actions: ['uncheckable', 'sayUnasked'] },
        WITHDRAW,
        'GIVEN.UP': WITHDRAW,
      },
    },

    posting: {
      tags: 'busy',
      entry: ['ask', 'postCard'],
      on: {
        DECIDE,
        WITHDRAW,
        'GIVEN.UP': WITHDRAW,
        'CARD.POSTED': { target: 'pending', actions: ['cardPosted', 'sayMissing'] },
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
        'CARD.POSTED': { target: 'pending', actions: ['cardPosted', 'sayMissing'] },
      },
    },

    pending: {
      tags: 'waiting',
      after: {
        timeoutMs: { guard: 'canExpire', target: 'telling', actions: 'expired' },
        remindMs: { guard: 'mayRemind', target: 'pending', reenter: true, actions: ['reminded', 'remind'] },
      },
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
        OPENED: [
          { guard: 'isClosed', target: 'telling', actions: ['opened', 'recordOpening'] },
          { target: 'verifying', actions: ['opened', 'recordOpening'] },
        ],
        'OPEN.FAILED': [
          // Somebody wants it closed by now, so nobody is asked to try again.
          { guard: 'isClosed', target: 'telling', actions: ['troubled', 'recordOpening', 'undoOpening'] },
          { target: 'failed', actions: ['troubled', 'recordOpening'] },
        ],
        // Should the firewall refuse, a new card is needed.
        'CARD.DELETED': { actions: 'newCard' },
        REVOKE: [{ guard: not('isClosed'), actions: ['closing', 'refreshCard'] }, {}],
      },
    },

    /** Can the container really reach it now? Only the worker inside it can say. */
    verifying: {
      tags: 'busy',
      entry: 'probe',
      on: {
        PROBED: [
          { guard: 'reachesOneOfMore', target: 'verifying', reenter: true, actions: 'probed' },
          { guard: 'reachesLast', target: 'telling', actions: 'probed' },
          { guard: 'mayStillCome', target: 'unreached', actions: 'probed' },
          { target: 'telling', actions: 'probed' },
        ],
        'PROBE.FAILED': { target: 'telling', actions: 'probed' },
        REVOKE: CLOSED_EARLY,
      },
    },

    /** The firewall says that it is open, and it is not yet: names take a moment to be resolved there. */
    unreached: {
      tags: 'busy',
      after: { [PROBE_AGAIN_MS]: 'verifying' },
      on: { REVOKE: CLOSED_EARLY },
    },

    telling: {
      tags: 'busy',
      entry: ['closeAtOnce', 'tellAgent', 'refreshCard', 'recordAudit'],
      // Nobody has to take a message that is told in words.
      always: [
        { guard: and(['isWritten', 'opensWay']), target: 'active', actions: ['end', 'tellSession'] },
        { guard: and(['isWritten', 'isShut']), target: 'closed', actions: ['end', 'tellSession'] },
        { guard: 'isWritten', target: 'settled', actions: ['end', 'tellSession'] },
      ],
      on: {
        TOLD: [
          { guard: 'isOutdated' },
          { guard: 'opensWay', target: 'active', actions: ['end', 'tellSession'] },
          { guard: 'isShut', target: 'closed', actions: ['end', 'tellSession'] },
          { target: 'settled', actions: ['end', 'tellSession'] },
        ],
        // Nobody waits any more: the decision is recorded all the same.
        'TELL.FAILED': [
          { guard: 'isOutdated' },
          { guard: 'opensWay', target: 'active', actions: ['troubled', 'end', 'sayUntold', 'tellSession'] },
          { guard: 'isShut', target: 'closed', actions: ['troubled', 'end', 'sayUntold', 'tellSession'] },
          { target: 'settled', actions: ['troubled', 'end', 'sayUntold', 'tellSession'] },
        ],
        // However long it takes until the agent can be told: the way is closed now.
        REVOKE: [
          {
            guard: and(['opensWay', not('isClosed')]),
            actions: ['closedEarly', 'closeFirewall', 'tellOtherwise', 'refreshCard'],
          },
          {},
        ],
        REVOKED: { actions: ['shut', 'recordClosing', 'refreshCard'] },
        // It is tried again as soon as the agent was told, or cannot be.
        'REVOKE.FAILED': { actions: 'troubled' },
      },
    },

    /** What was opened is open. */
    active: {
      tags: 'waiting',
      always: { guard: 'isClosed', target: 'closing' },
      after: { closesMs: { guard: 'closesByTime', target: 'closing', actions: 'closing' } },
      on: {
        REVOKE: { target: 'closing', actions: 'closing' },
        'CARD.DELETED': {},
      },
    },

    closing: {
      tags: 'busy',
      entry: ['closeFirewall', 'refreshCard'],
      on: {
        REVOKED: { target: 'closed', actions: 'recordClosing' },
        'REVOKE.FAILED': { target: 'unclosed', actions: 'troubled' },
      },
    },

    /** The firewall could not be reached for an hour. It is tried for as long as it takes. */
    unclosed: {
      tags: 'busy',
      after: { [REPOST_MS]: 'closing' },
      on: { REVOKED: { target: 'closed', actions: 'recordClosing' } },
    },

    closed: {
      tags: 'waiting',
      entry: 'refreshCard',
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
      entry: ['undoOpening', 'refreshCard'],
      after: { retryMs: { guard: 'canExpire', target: 'telling', actions: 'expired' } },
      on: {
        DECIDE,
        WITHDRAW,
        'GIVEN.UP': WITHDRAW,
        RETRY: { target: 'applying', actions: 'reopened' },
        'CARD.DELETED': { target: 'posting', actions: 'newCard' },
      },
    },

    withdrawn: {
      tags: 'waiting',
      entry: ['end', 'refreshCard', 'recordWithdrawal', 'tellSession'],
      // Of a check that was under way.
      on: { CHECKED: {}, 'CHECK.FAILED': {} },
    },
  },
});
