/** What an approval asks of the outside, and how events change its context. */
import type { Effect, GrantScope } from '../effects.ts';
import { assertNever, type JsonObject } from '../json.ts';
import { type ApprovalContext, type ApprovalEvent, type Verdict, WRITTEN } from './context.ts';

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

export function remind({ context }: Args): Effect {
  return { kind: 'chat.remind', params: { approval: context.address, time: context.reminded } };
}

export function checkRequest({ context }: Args): Effect {
  const { hosts, session, repo } = context;
  return {
    kind: 'firewall.check',
    params: { hosts, session, repo, written: isWritten(context) },
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

/** Closed before the agent was told. One that is told in words waits for nothing, and is closed as it always is. */
export function closeAtOnce(args: Args): Effect[] {
  const { opened, closed } = args.context;
  return opened && closed !== '' && !isWritten(args.context) ? [closeFirewall(args)] : [];
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

/** Nobody there may decide: a card that nobody can answer must not wait in silence. */
export function sayMissing({ context, event }: Args): Effect[] {
  if (event.type !== 'CARD.POSTED' || !event.missing) return [];
  return [
    { kind: 'say', note: `missing-${context.requestId}`, tone: 'warning', text: event.missing },
    { kind: 'chat.tellOperator', params: { message: `A session of ${context.repo} waits. ${event.missing}` } },
  ];
}

export function recordClosing({ context, event }: Args): Effect {
  return {
    kind: 'audit.record',
    params: {
      action: 'grant.closed',
      who: context.closedBy?.name ?? '',
      subject: context.address,
      detail: {
        userId: context.closedBy?.id ?? '',
        hosts: context.hosts,
        repo: context.repo,
        reason: context.closed,
        at: event.at,
      },
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
export function tellAgent({ context, event }: Args): Effect[] {
  const { verdict } = context;
  if (!verdict) return [];
  if (isWritten(context)) return [tellInWords(context, verdict, event.at)];
  return [tellOutcome(context, verdict)];
}

/** It was closed while the agent was to be told that it is open: the worker takes the one that comes first. */
export function tellOtherwise({ context }: Args): Effect[] {
  const { verdict } = context;
  return verdict ? [tellOutcome(context, verdict)] : [];
}

function tellOutcome(context: ApprovalContext, verdict: Verdict): Effect {
  const { session, requestId, digest, proven, closed, retold = false } = context;
  const isClosed = closed !== '' && verdict.outcome === 'approved';
  return {
    kind: 'worker.decide',
    params: {
      session,
      inputId: `decision-${requestId}`,
      requestId,
      digest,
      outcome: isClosed ? 'denied' : verdict.outcome,
      message: isClosed ? closedWords(closed) : verdict.words,
      answers: verdict.answers,
      proven: proven && !isClosed,
    },
    reply: { done: 'TOLD', failed: 'TELL.FAILED', ...(retold ? { with: { retold } } : {}) },
  };
}

function closedWords(closed: string): string {
  return `It was approved, and closed again before it could be used: ${closed}`;
}

export function isWritten({ toolName }: ApprovalContext): boolean {
  return toolName === WRITTEN;
}

/** As a message below the card. It carries the card's id: so it is run once, and its signs stand on the card. */
function tellInWords(
  { session, requestId, cardPostId, channelId, rootId, ...context }: ApprovalContext,
  verdict: Verdict,
  at: number,
): Effect {
  const postId = cardPostId === '' ? requestId : cardPostId;
  const text = outcomeInWords(context, verdict);
  const person = { userId: '', userName: '' };
  const event = { type: 'PROMPT', at, postId, channelId, rootId, ...person, text, fileIds: [], addressed: true };
  return { kind: 'tell', to: session, event };
}

function outcomeInWords(
  { hosts, proven, closed }: Pick<ApprovalContext, 'hosts' | 'proven' | 'closed'>,
  { outcome, words }: Verdict,
): string {
  const named = (sign: string) =>
    hosts.length === 0 ? `[${sign}]` : hosts.map((host) => `[${sign}: ${host}]`).join('\n');
  switch (outcome) {
    case 'approved': {
      if (closed !== '')
        return `${named('NETWORK_DENIED')}\n${closedWords(closed)} Do not ask for it again now; go on without it.`;
      const seen = proven
        ? 'A connection from here was seen to work: try again now.'
        : 'The way is open as far as the firewall says, but no connection was seen to work yet: try again, and report it if it still fails.';
      return [named('NETWORK_APPROVED'), seen, words].filter((part) => part !== '').join('\n');
    }
    case 'denied':
      return `${named('NETWORK_DENIED')}\n${words} Do not ask for it again now; go on without it.`;
    case 'expired':
      return `${named('NETWORK_UNANSWERED')}\nNobody answered in time; it stays closed. Go on without it, or say what you need and stop.`;
    default:
      return assertNever(outcome);
  }
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

/** Asked for, and by whose agent. The arguments themselves are on the card; their digest names them. */
export function recordRequest({ context }: Args): Effect {
  const { askedFor, askedBy = askedFor, askers = [] } = context;
  return audit('approval.requested', askedBy.name, context, { userId: askedBy.id, askers, owner: askedFor });
}

/** What was opened, or why it could not be. */
export function recordOpening({ context, event }: Args): Effect {
  const { verdict, closesAt } = context;
  const isOpen = event.type === 'OPENED';
  return audit(isOpen ? 'grant.opened' : 'grant.failed', verdict?.by.name ?? '', context, {
    userId: verdict?.by.id ?? '',
    scope: verdict?.scope ?? 'session',
    closesAt,
    ...(event.type === 'OPENED' ? { enforced: event.enforced } : { reason: 'human' in event ? event.human : '' }),
  });
}

function audit(action: string, who: string, context: ApprovalContext, more: JsonObject): Effect {
  const { address: subject, kind, toolName: tool, repo, digest, hosts } = context;
  return {
    kind: 'audit.record',
    params: { action, who, subject, detail: { kind, tool, repo, digest, hosts, ...more } },
  };
}

/** Whatever was decided before came to nothing. */
export function recordWithdrawal({ context }: Args): Effect {
  return audit('approval.withdrawn', '', context, { problem: context.problem });
}

/** How it ended: approved, denied or expired. */
export function recordAudit({ context }: Args): Effect {
  const { verdict, agreed, problem } = context;
  return audit(`approval.${verdict?.outcome ?? 'expired'}`, verdict?.by.name ?? '', context, {
    userId: verdict?.by.id ?? '',
    scope: verdict?.scope ?? '',
    words: verdict?.words ?? '',
    agreed: agreed.map(({ by }) => by),
    proven: context.proven,
    problem,
  });
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
  return { verdict, closesAt: verdict.scope === 'repo' ? event.at + context.grantMs : 0, ...reopened() };
}

/** Who closed what was opened by an earlier decision has not closed what this one opens. */
export function reopened(): Change {
  return { closed: '', closedBy: null };
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
  if (event.type !== 'REVOKE') return { closed: 'Its time was over.' };
  return { closed: event.reason, closedBy: event.by ?? null };
}

/** As `closing`, after the agent was to be told something else. */
export function closedEarly(args: Args): Change {
  return { ...closing(args), retold: true };
}

export function isShut({ closed, opened, verdict }: ApprovalContext): boolean {
  return closed !== '' && !opened && verdict?.outcome === 'approved';
}

export function isOutdated({ retold = false }: ApprovalContext, event: ApprovalEvent): boolean {
  return retold && (event.type === 'TOLD' || event.type === 'TELL.FAILED') && event.retold !== true;
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

/** The other card answers for it. */
export function askedAlready(): Change {
  return { problem: 'Another card asks for this already.' };
}

export function troubled({ event }: Args): Change {
  if (event.type === 'WITHDRAW' || event.type === 'GIVEN.UP') return { problem: event.reason };
  return { problem: 'human' in event && typeof event.human === 'string' ? event.human : '' };
}
