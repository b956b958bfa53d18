/** How events change a session's context: pure functions for `assign`. */
import type { JsonObject } from '../json.ts';
import type { Args } from './args.ts';
import { heardWith, joined, turnOf } from './askers.ts';
import type { Failure, QueuedPrompt, SessionContext } from './context.ts';
import type { SessionEvent, TurnEnded } from './events.ts';
import { toldWith, untold } from './undelivered.ts';

type Change = Partial<SessionContext>;

const FRESH = { undelivered: [], held: false, sent: false, taken: false } as const;

const ASK_TITLE =
  'Give our conversation a title: at most eight words that say what it is about. Answer with the title alone, and use no tools.';

function queued(event: SessionEvent): QueuedPrompt | undefined {
  switch (event.type) {
    case 'PROMPT':
    case 'COMMAND.STEER': {
      const { postId, userName: author, userId: authorId, text, fileIds } = event;
      return { ...FRESH, postId, author, authorId, text, fileIds };
    }
    case 'SLASH':
      return { ...FRESH, postId: event.postId, author: '', authorId: event.userId, text: event.text, fileIds: [] };
    case 'COMMAND.TITLE':
      return { ...FRESH, postId: event.postId, author: '', authorId: event.userId, text: ASK_TITLE, fileIds: [] };
    default:
      return undefined;
  }
}

export function enqueue({ context, event }: Args): Change {
  const prompt = queued(event);
  if (!prompt) return {};
  const usage = { ...context.usage, messages: context.usage.messages + 1 };
  return { queue: [...context.queue, prompt], usage, activeAt: event.at };
}

/** As `enqueue`, for a message that has to wait: it is marked as such in the thread. */
export function enqueueHeld(args: Args): Change {
  const change = enqueue(args);
  const queue = change.queue?.map((prompt, at, all) => (at === all.length - 1 ? { ...prompt, held: true } : prompt));
  return queue ? { ...change, queue } : change;
}

// ---- what is handed to the worker

/** The oldest waiting prompt is handed over. It stays in the queue until it begins, or will not. */
export function promptSent({ context, event }: Args): Change {
  const [next, ...later] = context.queue;
  if (!next) return {};
  const { postId: inputId, taken, sent: again } = next;
  const told = toldWith(next, context);
  return {
    sent: { kind: 'prompt', inputId, at: event.at, taken, again },
    queue: [{ ...next, undelivered: told, sent: true }, ...later],
    heard: heardWith(context, [next]),
    ...(next.sent || next.text.startsWith('/') ? {} : { undelivered: [] }),
  };
}

/** A command counts as taken at once: lost with the worker's log, it is not asked for again. */
export function commandSent(kind: 'compact' | 'clear') {
  return ({ event }: Args): Change =>
    event.type === 'COMMAND.COMPACT' || event.type === 'COMMAND.CLEAR'
      ? { sent: { kind, inputId: event.postId, at: event.at, taken: true, again: false } }
      : {};
}

/**
 * Handed over at once, for the running turn: one message, or all that wait. They stand before what waits until it is known
 * what became of them. Should their turn end before they are in it, the worker makes turns of them, and knows them by then.
 */
export function steered({ context, event }: Args): Change {
  if (event.type !== 'COMMAND.STEER') return {};
  if (event.text === '') {
    const queue = context.queue.map((prompt) => ({ ...prompt, sent: true }));
    return { queue, heard: heardWith(context, queue) };
  }
  const before = context.queue.filter((prompt) => prompt.sent);
  const after = context.queue.filter((prompt) => !prompt.sent);
  const own = queued(event);
  if (!own) return {};
  const usage = { ...context.usage, messages: context.usage.messages + 1 };
  const heard = heardWith(context, [own]);
  return { queue: [...before, { ...own, sent: true }, ...after], heard, usage, activeAt: event.at };
}

export function promptTaken({ context, event }: Args): Change {
  const { sent } = context;
  if (event.type !== 'PROMPT.TAKEN' || !isOfHanded(context, event)) return {};
  const queue = context.queue.map((prompt) => (prompt.postId === event.postId ? { ...prompt, taken: true } : prompt));
  return sent?.inputId === event.postId ? { sent: { ...sent, taken: true }, queue } : { queue };
}

/** The outcome of what was handed over last, or of what was handed over for the running turn; not of an earlier attempt. */
export function isOfHanded(
  { sent, queue }: SessionContext,
  { postId, sentAt }: { readonly postId: string; readonly sentAt: number },
): boolean {
  if (sent?.inputId === postId) return sent.at === sentAt;
  return queue.some((prompt) => prompt.postId === postId && prompt.sent);
}

/** What a worker had taken and not begun when its log was lost. */
export function lostInputs({ queue, sent }: SessionContext): readonly string[] {
  const prompts = queue.filter(({ taken }) => taken).map(({ postId }) => postId);
  return sent?.taken && !prompts.includes(sent.inputId) ? [...prompts, sent.inputId] : prompts;
}

/** Nobody will tell any more what became of it. */
export function dropSent({ context }: Args): Change {
  return context.sent ? without(context, [context.sent.inputId]) : {};
}

/** These inputs have begun, or never will: nothing waits for them any more. */
function without(context: SessionContext, inputIds: readonly string[]): Pick<SessionContext, 'queue' | 'sent'> {
  const { queue, sent } = context;
  return {
    queue: queue.filter((prompt) => !inputIds.includes(prompt.postId)),
    sent: sent && inputIds.includes(sent.inputId) ? null : sent,
  };
}

/** Whether somebody still expects something of this input. */
export function isWaiting(context: SessionContext, inputId: string): boolean {
  return context.sent?.inputId === inputId || context.queue.some((prompt) => prompt.postId === inputId);
}

/** The inputs that an event settles one way or the other. */
export function settledBy(event: SessionEvent): readonly string[] {
  switch (event.type) {
    case 'TURN.STARTED':
    case 'TURN.ENDED':
      return event.inputIds;
    case 'PROMPT.STEERED':
    case 'PROMPT.LOST':
      return [event.inputId];
    case 'PROMPT.REFUSED':
      return [event.postId];
    default:
      return [];
  }
}

export function turnStarted({ context, event }: Args): Change {
  if (event.type !== 'TURN.STARTED') return {};
  const turn = turnOf(context, event.turnId, event.at, event.inputIds);
  const ownTurns = event.own ? context.ownTurns + 1 : 0;
  return { ...without(context, settledBy(event)), turn, ownTurns, activeAt: event.at };
}

export function promptSteered({ context, event }: Args): Change {
  const inputIds = settledBy(event);
  return { ...without(context, inputIds), ...joined(context, inputIds), activeAt: event.at };
}

/** A prompt that will not be run leaves the queue. */
export function dropPrompt({ context, event }: Args): Change {
  const inputIds = settledBy(event);
  return { ...without(context, inputIds), undelivered: untold(context, inputIds) };
}

export function editQueued({ context, event }: Args): Change {
  if (event.type !== 'POST.EDITED') return {};
  return {
    queue: context.queue.map((prompt) => (prompt.postId === event.postId ? { ...prompt, text: event.text } : prompt)),
  };
}

export function dropQueued({ context, event }: Args): Change {
  const dropped = droppedBy(context, event).map(({ postId }) => postId);
  return { queue: context.queue.filter(({ postId }) => !dropped.includes(postId)) };
}

/** What waits and was not handed over yet: only that can still be taken back. */
export function waitingIn({ queue }: SessionContext): readonly QueuedPrompt[] {
  return queue.filter((prompt) => !prompt.sent);
}

/** What a person takes back of what waits. */
export function droppedBy(context: SessionContext, event: SessionEvent): readonly QueuedPrompt[] {
  if (event.type === 'POST.DELETED') return context.queue.filter(({ postId }) => postId === event.postId);
  if (event.type !== 'COMMAND.QUEUE' || event.drop === null) return [];
  const waiting = waitingIn(context);
  return event.drop === 'all' ? waiting : waiting.slice(event.drop - 1, event.drop);
}

function addTurn(context: SessionContext, event: TurnEnded): SessionContext['usage'] {
  const { usage } = context;
  return {
    ...usage,
    turns: usage.turns + 1,
    inputTokens: usage.inputTokens + event.inputTokens,
    outputTokens: usage.outputTokens + event.outputTokens,
    costUsd: usage.costUsd + event.costUsd,
    contextTokens: event.contextTokens > 0 ? event.contextTokens : usage.contextTokens,
    contextWindow: event.contextWindow > 0 ? event.contextWindow : usage.contextWindow,
  };
}

export function turnEnded({ context, event }: Args): Change {
  if (event.type !== 'TURN.ENDED') return {};
  return {
    ...without(context, settledBy(event)),
    turn: context.turn?.id === event.turnId ? null : context.turn,
    titleFor: event.inputIds.includes(context.titleFor) ? '' : context.titleFor,
    usage: addTurn(context, event),
    agentSessionId: event.agentSessionId === '' ? context.agentSessionId : event.agentSessionId,
    activeAt: event.at,
  };
}

export function threadOpened({ event }: Args): Change {
  return event.type === 'THREAD.OPENED' ? { channelId: event.channelId, rootId: event.rootId } : {};
}

export function workspaceReady({ event }: Args): Change {
  if (event.type !== 'WORKSPACE.READY') return {};
  return { checkout: event.path, branch: event.branch, cwd: event.inside ?? event.path };
}

/** Where the main checkout is in a container is known when there is one. */
export function containerReady({ context, event }: Args): Change {
  if (event.type !== 'CONTAINER.READY') return {};
  const { endpoint, generation, identity, workspaceFolder = '' } = event;
  const isMain = context.request.worktree === null && workspaceFolder !== '';
  return { endpoint, generation, identity, ...(isMain ? { cwd: workspaceFolder } : {}) };
}

/** Whether the worker began a new log since it was last heard: what was not told by then will never be. */
export function isLogLost(context: SessionContext, event: Extract<SessionEvent, { type: 'LINK.UP' }>): boolean {
  return context.logId !== '' && context.logId !== event.logId;
}

/** The turn that runs at the worker is all that is left of what was known; the rest nobody will ever tell of. */
function afterLogLoss(context: SessionContext, event: Extract<SessionEvent, { type: 'LINK.UP' }>): Change {
  const { turn, open } = context;
  const running = event.turnId === '' ? null : turnOf(context, event.turnId, event.at, []);
  return {
    ...without(context, lostInputs(context)),
    turn: turn && turn.id === event.turnId ? turn : running,
    sent: null,
    open: open.filter((id) => event.openRequestIds.includes(id)),
  };
}

/**
 * With its log the worker replays how turns and questions ended. A prompt that it does not work on is sent again: either the
 * replay tells that it has begun, or it was never taken. The worker takes it once.
 */
export function linkUp({ context, event }: Args): Change {
  if (event.type !== 'LINK.UP') return {};
  const agentSessionId = event.agentSessionId === '' ? context.agentSessionId : event.agentSessionId;
  const known = { agentSessionId, plan: event.plan, logId: event.logId };
  if (isLogLost(context, event)) return { ...known, ...afterLogLoss(context, event) };
  const again = event.agentState !== 'running' && context.sent?.kind === 'prompt';
  return again ? { ...known, sent: null } : known;
}

export function modeChanged({ event }: Args): Change {
  return event.type === 'MODE.CHANGED' ? { plan: event.plan } : {};
}

export function approvalOpened({ context, event }: Args): Change {
  if (event.type !== 'APPROVAL.REQUESTED' || context.open.includes(event.requestId)) return {};
  return { open: [...context.open, event.requestId] };
}

export function approvalClosed({ context, event }: Args): Change {
  if (event.type !== 'APPROVAL.WITHDRAWN' && event.type !== 'APPROVAL.SETTLED') return {};
  return { open: context.open.filter((id) => id !== event.requestId) };
}

export function compacted({ context, event }: Args): Change {
  if (event.type !== 'COMPACTED' || !event.ok) return {};
  return { usage: { ...context.usage, compactions: context.usage.compactions + 1 } };
}

export function cleared({ event }: Args): Change {
  return event.type === 'CLEARED' ? { agentSessionId: event.agentSessionId } : {};
}

export function closed({ context, event }: Args): Change {
  if (event.type !== 'SESSION.CLOSED') return { turn: null };
  return { turn: null, agentSessionId: event.agentSessionId === '' ? context.agentSessionId : event.agentSessionId };
}

export function titled({ event }: Args): Change {
  if (event.type === 'TITLE.FOUND') return { title: event.title, titleFor: '' };
  return event.type === 'COMMAND.TITLE' ? { title: event.text, titleFor: '' } : {};
}

export function titleAsked({ event }: Args): Change {
  return event.type === 'COMMAND.TITLE' ? { titleFor: event.postId } : {};
}

export function modelChanged({ event }: Args): Change {
  return event.type === 'MODEL.CHANGED' ? { model: event.model } : {};
}

export function audienceChanged({ event }: Args): Change {
  return event.type === 'COMMAND.MODE' && event.audience !== null ? { audience: event.audience } : {};
}

export function verbosityChanged({ event }: Args): Change {
  return event.type === 'COMMAND.VERBOSITY' && event.verbosity !== null ? { verbosity: event.verbosity } : {};
}

export function reopened({ event }: Args): Change {
  return { openedAt: event.at, readyAt: 0, activeAt: event.at, failure: null, stopScope: 'session' };
}

/** A container that failed may stand there still: what stops it is told to it, as to one that was ready. */
export function detached({ event }: Args): Change {
  const made = event.type === 'CONTAINER.REFUSED' ? event.generation : undefined;
  return { attached: false, ...(made === undefined ? {} : { generation: made }) };
}

/** Asked again, a stop can only reach further. */
export function stopAsked({ context, event }: Args): Change {
  if (event.type !== 'COMMAND.STOP') return {};
  if (event.all || context.stopScope === 'all') return { stopScope: 'all' };
  return event.container ? { stopScope: 'container' } : {};
}

/** The container owes an answer and gives none: it is set aside, or was stopped for good. */
export function containerSilent(): Change {
  return {
    failure: {
      reason: 'The workspace does not answer.',
      next: '`@claude retry` tries again; if that does not help, an operator has to look at the workspace.',
    },
  };
}

export function failed({ event }: Args): Change {
  return { failure: failureOf(event) };
}

function failureOf(event: SessionEvent): Failure {
  const next = '`@claude retry` tries again.';
  if (event.type === 'CONTAINER.REFUSED') return { reason: event.reason, next: event.next };
  if (event.type === 'CONTAINER.STOPPED') {
    return { reason: 'The workspace was stopped before the session could begin.', next };
  }
  const human = humanOf(event.type === 'xstate.error.actor.link' ? event.error : event);
  if (human !== '') return { reason: human, next };
  if (event.type === 'SESSION.CLOSED' && event.error !== '') {
    return { reason: `The agent ended: ${event.error}`, next: '`@claude retry` starts it again.' };
  }
  return { reason: 'The connection to the agent failed.', next };
}

/** The words for people that come with a failure, if any do. */
function humanOf(failure: JsonObject | null): string {
  return typeof failure?.human === 'string' ? failure.human : '';
}
