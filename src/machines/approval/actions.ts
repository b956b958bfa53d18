/** What an approval asks of the outside, and how events change its context. */
import type { Effect, GrantScope } from '../effects.ts';
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

/** Where nobody was asked there is nothing to refresh. */
export function refreshCard({ context }: Args): Effect[] {
  return context.silent ? [] : [{ kind: 'chat.card', params: { approval: context.address } }];
}

export function checkRequest({ context }: Args): Effect {
  const { hosts, session, repo } = context;
  return {
    kind: 'firewall.check',
    params: { hosts, session, repo },
    reply: { done: 'CHECKED', failed: 'CHECK.FAILED' },
  };
}

export function openFirewall({ context }: Args): Effect {
  return {
    kind: 'firewall.allow',
    params: {
      hosts: context.hosts,
      session: context.session,
      repo: context.repo,
      scope: context.verdict?.scope ?? 'session',
      expiresAt: context.closesAt,
      by: context.verdict?.by.name ?? '',
    },
    reply: { done: 'OPENED', failed: 'OPEN.FAILED' },
  };
}

export function closeFirewall({ context }: Args): Effect {
  return {
    kind: 'firewall.revoke',
    params: { approval: context.address },
    reply: { done: 'REVOKED', failed: 'REVOKE.FAILED' },
  };
}

/** What was stored must not open a way later that people were told has failed. */
export function undoOpening({ context }: Args): Effect[] {
  return context.kind === 'network' ? [{ kind: 'firewall.revoke', params: { approval: context.address } }] : [];
}

/** In the thread, because there is no card that would say it. */
export function sayUnasked({ context }: Args): Effect[] {
  const { verdict, requestId } = context;
  if (!context.silent || !verdict) return [];
  const count = context.hosts.length === 1 ? 'a host' : `${context.hosts.length} hosts`;
  const text =
    verdict.outcome === 'approved'
      ? `The agent may reach ${count} without a new approval: ${verdict.words}`
      : `The agent asked for network access; nobody needs to decide: ${verdict.words}`;
  return [{ kind: 'say', note: `network-${requestId}`, tone: 'info', text }];
}

export function recordClosing({ context, event }: Args): Effect {
  return {
    kind: 'audit.record',
    params: {
      action: 'grant.closed',
      who: '',
      subject: context.address,
      detail: { hosts: context.hosts, repo: context.repo, reason: context.closed, at: event.at },
    },
  };
}

export function probe({ context }: Args): Effect {
  return {
    kind: 'worker.probe',
    params: { session: context.session, host: context.hosts[context.probed] ?? '', port: HTTPS_PORT },
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
  const { postId, text } = event.said;
  const { id: authorId, name: author } = event.verdict.by;
  return [
    { kind: 'heard', postId, author, authorId, text: typeof text === 'string' ? text : '', answer: true },
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
        agreed: context.agreed.map(({ by }) => by),
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

export function decided({ context, event }: Args): Change {
  if (event.type !== 'DECIDE') return {};
  const { verdict } = event;
  // Only a grant for a repository ends by its time: the others by their session, or by hand.
  return { verdict, closesAt: verdict.scope === 'repo' ? event.at + context.grantMs : 0 };
}

/** The first yes of two. Only a denial needs no other. */
export function agreed({ context, event }: Args): Change {
  if (event.type !== 'DECIDE') return {};
  const others = context.agreed.filter(({ by }) => by.id !== event.verdict.by.id);
  return { agreed: [...others, event.verdict] };
}

const REACHES: readonly GrantScope[] = ['session', 'repo', 'always'];

/** Whether somebody else must agree, to at least as much, before this yes counts. */
export function needsAnother({ context, event }: Args): boolean {
  if (event.type !== 'DECIDE' || event.verdict.outcome !== 'approved') return false;
  const reach = ({ scope }: Verdict) => REACHES.indexOf(scope ?? 'session');
  const others = context.agreed.filter(
    (verdict) => verdict.by.id !== event.verdict.by.id && reach(verdict) >= reach(event.verdict),
  );
  return others.length + 1 < context.needed;
}

/** What was found before anybody was asked; where nobody needs to be, it is the decision, too. */
export function checked({ event }: Args): Change {
  if (event.type !== 'CHECKED') return {};
  const { standing, hosts, warnings, words } = event;
  const silent = standing !== 'ask';
  if (!silent) return { hosts, warnings, silent };
  return {
    hosts: hosts.length > 0 ? hosts : [],
    warnings,
    silent,
    verdict: unasked(standing !== 'refused', words, event.at),
  };
}

/** What could not be checked is not put before people either. */
export function uncheckable({ event }: Args): Change {
  return { verdict: unasked(false, 'The request could not be checked. Try again later.', event.at) };
}

function unasked(approved: boolean, words: string, at: number): Verdict {
  const outcome = approved ? 'approved' : 'denied';
  return { outcome, by: { id: '', name: '' }, at, words, answers: {}, scope: 'session' };
}

export function closing({ event }: Args): Change {
  return { closed: event.type === 'REVOKE' ? event.reason : 'Its time was over.' };
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
  return event.type === 'OPENED' ? { enforced: event.enforced, opened: event.enforced } : {};
}

export function probed({ context, event }: Args): Change {
  if (event.type !== 'PROBED' || !event.reachable) return { proven: false, probes: context.probes + 1 };
  const count = context.probed + 1;
  return { probed: count, proven: count >= context.hosts.length };
}

export function troubled({ event }: Args): Change {
  if (event.type === 'WITHDRAW' || event.type === 'GIVEN.UP') return { problem: event.reason };
  return { problem: 'human' in event && typeof event.human === 'string' ? event.human : '' };
}
