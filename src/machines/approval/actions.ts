/** What an approval asks of the outside, and how events change its context. */
import type { Effect } from '../effects.ts';
import type { ApprovalContext, ApprovalEvent, Verdict } from './context.ts';

interface Args {
  readonly context: ApprovalContext;
  readonly event: ApprovalEvent;
}

type Change = Partial<ApprovalContext>;

/** HTTPS: what a granted domain is opened for. */
const HTTPS_PORT = 443;

export function postCard({ context }: Args): Effect {
  return {
    kind: 'chat.card',
    params: { approval: context.address },
    reply: { done: 'CARD.POSTED', failed: 'CARD.FAILED' },
  };
}

export function refreshCard({ context }: Args): Effect {
  return { kind: 'chat.card', params: { approval: context.address } };
}

export function openFirewall({ context }: Args): Effect {
  return {
    kind: 'firewall.allow',
    params: { hosts: context.hosts, session: context.session },
    reply: { done: 'OPENED', failed: 'OPEN.FAILED' },
  };
}

export function probe({ context }: Args): Effect {
  return {
    kind: 'worker.probe',
    params: { session: context.session, host: context.hosts[0] ?? '', port: HTTPS_PORT },
    reply: { done: 'PROBED', failed: 'PROBE.FAILED' },
  };
}

/** Tells the waiting agent. The digest binds the answer to the arguments that were shown. */
export function tellAgent({ context }: Args): Effect[] {
  const { verdict } = context;
  if (!verdict) return [];
  return [
    {
      kind: 'worker.decide',
      params: {
        session: context.session,
        inputId: `decision-${context.requestId}`,
        requestId: context.requestId,
        digest: context.digest,
        outcome: verdict.outcome,
        message: verdict.words,
        answers: verdict.answers,
        proven: context.proven,
      },
      reply: { done: 'TOLD', failed: 'TELL.FAILED' },
    },
  ];
}

const ANSWER_SIGN = 'white_check_mark';

/** The person's post was the answer: marked as such, and what comes next stands below it. */
export function markAnswer({ event }: Args): Effect[] {
  if (event.type !== 'DECIDE' || !event.said) return [];
  const { postId } = event.said;
  return [
    { kind: 'heard', postId },
    { kind: 'chat.react', params: { postId, emoji: ANSWER_SIGN, remove: false } },
  ];
}

/** Decided already: what was said becomes a message to the agent rather than nothing. */
export function passOn({ context, event }: Args): Effect[] {
  if (event.type !== 'DECIDE' || !event.said) return [];
  return [{ kind: 'tell', to: context.session, event: event.said }];
}

export function tellSession({ context, event }: Args): Effect {
  return {
    kind: 'tell',
    to: context.session,
    event: { type: 'APPROVAL.SETTLED', at: event.at, requestId: context.requestId },
  };
}

/** The card shows what was decided; if the agent could not be told, the thread must say so, too. */
export function sayUntold({ context, event }: Args): Effect {
  const why = 'human' in event && typeof event.human === 'string' ? ` ${event.human}` : '';
  const text = `The agent could not be given this decision.${why}`;
  return { kind: 'say', note: `untold-${context.requestId}`, tone: 'warning', text };
}

export function recordAudit({ context }: Args): Effect {
  const verdict = context.verdict;
  return {
    kind: 'audit.record',
    params: {
      action: `approval.${verdict?.outcome ?? 'withdrawn'}`,
      who: verdict?.by.name ?? '',
      subject: context.address,
      detail: {
        kind: context.kind,
        tool: context.toolName,
        repo: context.repo,
        digest: context.digest,
        hosts: context.hosts,
        userId: verdict?.by.id ?? '',
      },
    },
  };
}

// ---- changes

export function cardPosted({ event }: Args): Change {
  return event.type === 'CARD.POSTED' ? { cardPostId: event.postId } : {};
}

/** Buttons of a deleted card leak to every channel member, so a new card has a new generation. */
export function newCard({ context }: Args): Change {
  return { cardGeneration: context.cardGeneration + 1, cardPostId: '' };
}

export function decided({ event }: Args): Change {
  return event.type === 'DECIDE' ? { verdict: event.verdict } : {};
}

export function expired({ event }: Args): Change {
  const verdict: Verdict = {
    outcome: 'expired',
    by: { id: '', name: '' },
    at: event.at,
    words: '',
    answers: {},
  };
  return { verdict };
}

export function opened({ event }: Args): Change {
  return event.type === 'OPENED' ? { enforced: event.enforced } : {};
}

export function probed({ event }: Args): Change {
  return { proven: event.type === 'PROBED' && event.reachable };
}

export function troubled({ event }: Args): Change {
  if (event.type === 'WITHDRAW' || event.type === 'GIVEN.UP') return { problem: event.reason };
  return { problem: 'human' in event && typeof event.human === 'string' ? event.human : '' };
}
