/** What a session asks of the outside: each a pure function from context and event to effects. */
import { approvalAddress } from '../addresses.ts';
import type { Requested } from '../approval/context.ts';
import type { Effect, Reply } from '../effects.ts';
import { droppedBy, isLogLost, lostInputs, settledBy, waitingIn } from './changes.ts';
import type { QueuedPrompt, SessionContext } from './context.ts';
import type { SessionEvent } from './events.ts';
import { giveBack } from './history.ts';
import { sayLogLost, sayOrphaned } from './notes.ts';
import { noticeOf, toldWith } from './undelivered.ts';

export interface Args {
  readonly context: SessionContext;
  readonly event: SessionEvent;
}

function only<Type extends SessionEvent['type']>(
  event: SessionEvent,
  type: Type,
): Extract<SessionEvent, { type: Type }> {
  if (event.type !== type) throw new Error(`Expected ${type}, got ${event.type}`);
  return event as Extract<SessionEvent, { type: Type }>;
}

/** The id of the post a command came in: what it asks of the worker happens once per post. */
function inputOf(event: SessionEvent): string {
  return 'postId' in event && typeof event.postId === 'string' ? event.postId : `${event.type}/${event.at}`;
}

// ---- opening

export function openThread({ context }: Args): Effect {
  const { repo, owner, askedIn } = context.request;
  return {
    kind: 'chat.openThread',
    params: {
      session: context.address,
      repo,
      place: askedIn,
      userId: owner.id,
      teamUser: owner.name,
      title: context.request.askedBy,
    },
    reply: { done: 'THREAD.OPENED', failed: 'THREAD.FAILED' },
  };
}

export function bindThread({ context }: Args): Effect {
  return { kind: 'bindThread', rootId: context.rootId, channelId: context.channelId };
}

export function prepareWorkspace({ context }: Args): Effect {
  return {
    kind: 'workspace.checkout',
    params: { repo: context.request.repo, session: context.address, worktree: context.request.worktree ?? '' },
    reply: { done: 'WORKSPACE.READY', failed: 'WORKSPACE.FAILED' },
  };
}

export function attachToContainer({ context, event }: Args): Effect {
  return {
    kind: 'tell',
    to: context.container,
    event: {
      type: 'ATTACH',
      at: event.at,
      session: context.address,
      repo: context.request.repo,
      main: context.request.worktree === null,
    },
  };
}

/**
 * After an interruption the container may have given the place away, for instance when an operator lets a session go on that
 * had been set aside.
 */
export function keepPlace({ context, event }: Args): Effect {
  const { container, address, generation, request } = context;
  const main = request.worktree === null;
  return { kind: 'tell', to: container, event: { type: 'KEEP', at: event.at, session: address, generation, main } };
}

export function askContainerForHelp({ context, event }: Args): Effect {
  return {
    kind: 'tell',
    to: context.container,
    event: { type: 'LOST', at: event.at, session: context.address, generation: context.generation },
  };
}

function detach({ context, event }: Args, scope: SessionContext['stopScope']): Effect {
  return {
    kind: 'tell',
    to: context.container,
    event: { type: 'DETACH', at: event.at, session: context.address, scope },
  };
}

/** Gives the place back, if there is one. A stop that reaches further is told to a container that was once this session's. */
export function leaveContainer(args: Args): Effect[] {
  const { attached, stopScope, generation } = args.context;
  return attached || (stopScope !== 'session' && generation > 0) ? [detach(args, stopScope)] : [];
}

/** A place that came too late. */
export function declineContainer(args: Args): Effect {
  return detach(args, 'session');
}

// ---- conversation

/** Which attempt an outcome is of: the worker does an input once, but it may be sent more than once. */
function ofSent(inputId: string, event: SessionEvent): NonNullable<Reply['with']> {
  return { postId: inputId, sentAt: event.at };
}

/** Sends the oldest waiting prompt. The queue holds it until the worker has begun with it. */
export function sendNext({ context, event }: Args): Effect[] {
  const next = context.queue[0];
  if (!next) return [];
  return [
    {
      kind: 'worker.prompt',
      params: {
        session: context.address,
        inputId: next.postId,
        text: next.text,
        author: next.author,
        authorId: next.authorId,
        notice: noticeOf(toldWith(next, context)),
        files: next.fileIds,
        steer: false,
      },
      reply: { done: 'PROMPT.TAKEN', failed: 'PROMPT.REFUSED', with: ofSent(next.postId, event) },
    },
  ];
}

function handOver(prompt: QueuedPrompt, { context, event }: Args): Effect {
  const { postId, text, author, authorId, fileIds } = prompt;
  return {
    kind: 'worker.prompt',
    params: {
      session: context.address,
      inputId: postId,
      text,
      author,
      authorId,
      notice: '',
      files: fileIds,
      steer: true,
    },
    reply: { done: 'PROMPT.TAKEN', failed: 'PROMPT.REFUSED', with: ofSent(postId, event) },
  };
}

/** Into the running turn: the message, or without one all that waits. Runs before the queue is changed. */
export function steer(args: Args): Effect[] {
  const { context, event } = args;
  if (event.type !== 'COMMAND.STEER') return [];
  const { postId, userName: author, userId: authorId, text, fileIds } = event;
  if (text === '') return waitingIn(context).map((prompt) => handOver(prompt, args));
  return [
    handOver({ postId, author, authorId, text, fileIds, undelivered: [], held: false, sent: true, taken: false }, args),
  ];
}

const STEERED_SIGN = 'arrow_right';

export function markSteered({ event }: Args): Effect[] {
  if (event.type !== 'COMMAND.STEER') return [];
  return [{ kind: 'chat.react', params: { postId: event.postId, emoji: STEERED_SIGN, remove: false } }];
}

export function heard({ event }: Args): Effect[] {
  if (!('postId' in event) || typeof event.postId !== 'string') return [];
  const { postId } = event;
  const word = (value: unknown): string => (typeof value === 'string' ? value : '');
  return [
    { kind: 'heard', postId, author: word(event.userName), authorId: word(event.userId), text: word(event.text) },
  ];
}

const WAITING_SIGN = 'hourglass_flowing_sand';

export function markHeld({ event }: Args): Effect[] {
  if (!('postId' in event) || typeof event.postId !== 'string') return [];
  return [{ kind: 'chat.react', params: { postId: event.postId, emoji: WAITING_SIGN, remove: false } }];
}

function unmark(prompts: readonly QueuedPrompt[], inputIds: readonly string[]): Effect[] {
  return prompts
    .filter((prompt) => prompt.held && inputIds.includes(prompt.postId))
    .map(({ postId }) => ({ kind: 'chat.react', params: { postId, emoji: WAITING_SIGN, remove: true } }));
}

/** What has begun, or never will, waits no more. Runs before the queue is changed. */
export function unmarkHeld({ context, event }: Args): Effect[] {
  return unmark(context.queue, settledBy(event));
}

/** Taken back by a person. Runs before the queue is changed. */
export function unmarkDropped({ context, event }: Args): Effect[] {
  const dropped = droppedBy(context, event);
  return unmark(
    dropped,
    dropped.map(({ postId }) => postId),
  );
}

/** Nobody will tell what became of it, so it does not wait, either. */
export function unmarkSent({ context }: Args): Effect[] {
  return unmark(context.queue, context.sent ? [context.sent.inputId] : []);
}

/**
 * What a new connection cannot bring back, and that it cannot. Only worth a word if something was going on: a session that was
 * closed and opened again has a new log, too. Runs before the context takes the news up.
 */
export function reportLoss(args: Args): Effect[] {
  const { context, event } = args;
  if (event.type !== 'LINK.UP') return [];
  const effects: Effect[] = event.historyLost ? giveBack(args) : [];
  if (!isLogLost(context, event)) return effects;
  const gone = context.open.filter((id) => !event.openRequestIds.includes(id));
  const turnLost = context.turn !== null && context.turn.id !== event.turnId;
  const inputs = lostInputs(context);
  if (gone.length > 0 || turnLost || inputs.length > 0) effects.push(sayLogLost(args));
  if (turnLost) effects.push(...loseTurn(args));
  return [...effects, ...withdrawals(args, gone, 'The agent that asked is gone.'), ...unmark(context.queue, inputs)];
}

/** Nobody will tell how the running turn ended. Runs before it is forgotten. */
export function loseTurn({ context: { turn } }: Args): Effect[] {
  return turn === null ? [] : [{ kind: 'turnLost', turnId: turn.id }];
}

export function interruptTurn({ context, event }: Args): Effect[] {
  if (!context.turn) return [];
  return [
    {
      kind: 'worker.interrupt',
      params: { session: context.address, inputId: inputOf(event), turnId: context.turn.id },
      reply: { failed: 'INTERRUPT.REFUSED' },
    },
  ];
}

/**
 * Opened again, the session finds an agent that still waits for answers to questions whose cards were withdrawn when it
 * stopped. Nobody can give them any more, so the turn that waits is ended, and that is said.
 */
export function endOrphanedTurn(args: Args): Effect[] {
  const { context, event } = args;
  if (event.type !== 'LINK.UP' || context.readyAt > 0 || event.turnId === '') return [];
  if (event.openRequestIds.every((id) => context.open.includes(id))) return [];
  const inputId = `orphaned-${event.turnId}`;
  const params = { session: context.address, inputId, turnId: event.turnId };
  return [{ kind: 'worker.interrupt', params, reply: { failed: 'INTERRUPT.REFUSED' } }, sayOrphaned(args)];
}

export function compact({ context, event }: Args): Effect {
  const { hint, userId: id, userName: name } = only(event, 'COMMAND.COMPACT');
  return {
    kind: 'worker.compact',
    params: { session: context.address, inputId: inputOf(event), hint, author: { id, name } },
    reply: { failed: 'COMPACT.REFUSED', with: ofSent(inputOf(event), event) },
  };
}

export function clear({ context, event }: Args): Effect {
  return {
    kind: 'worker.clear',
    params: { session: context.address, inputId: inputOf(event) },
    reply: { failed: 'CLEAR.REFUSED', with: ofSent(inputOf(event), event) },
  };
}

export function closeAgent({ context, event }: Args): Effect {
  return {
    kind: 'worker.close',
    params: { session: context.address, inputId: inputOf(event) },
    reply: { failed: 'CLOSE.REFUSED' },
  };
}

function setMode(plan: boolean, { context, event }: Args): Effect {
  return {
    kind: 'worker.mode',
    params: { session: context.address, inputId: inputOf(event), plan },
    reply: { failed: 'MODE.REFUSED' },
  };
}

export function setModel({ context, event }: Args): Effect {
  return {
    kind: 'worker.model',
    params: { session: context.address, inputId: inputOf(event), model: only(event, 'COMMAND.MODEL').model },
    reply: { failed: 'MODEL.REFUSED' },
  };
}

/** `plan` alone turns it on here; `plan off` says so. */
export function planOn(args: Args): Effect {
  return setMode(askedMode(args.event) ?? true, args);
}

export function planOff(args: Args): Effect {
  return setMode(askedMode(args.event) ?? false, args);
}

function askedMode(event: SessionEvent): boolean | null {
  return event.type === 'COMMAND.PLAN' ? event.on : null;
}

// ---- approvals

export function openApproval({ context, event }: Args): Effect {
  const asked = only(event, 'APPROVAL.REQUESTED');
  return {
    kind: 'tell',
    to: approvalAddress(context.address, asked.requestId),
    event: {
      type: 'REQUESTED',
      at: event.at,
      session: context.address,
      requestId: asked.requestId,
      kind: asked.kind,
      toolName: asked.toolName,
      inputJson: asked.inputJson,
      digest: asked.digest,
      turnId: asked.turnId,
      repo: context.request.repo.repo,
      askedFor: context.request.owner,
      ...askersOf(context, asked.turnId),
      channelId: context.channelId,
      rootId: context.rootId,
    },
  };
}

/** Whose words led to it, as far as it is known. */
function askersOf({ turn }: Args['context'], turnId: string): Partial<Pick<Requested, 'askedBy' | 'askers'>> {
  if (turn === null || turn.id !== turnId || turn.by.id === '') return {};
  return { askedBy: turn.by, askers: [turn.by, ...(turn.also ?? [])].map(({ id }) => id) };
}

function withdrawals({ context, event }: Args, requestIds: readonly string[], reason: string): Effect[] {
  return requestIds.map((requestId) => ({
    kind: 'tell',
    to: approvalAddress(context.address, requestId),
    event: { type: 'WITHDRAW', at: event.at, reason },
  }));
}

export function withdrawApproval(args: Args): Effect[] {
  return withdrawals(args, [only(args.event, 'APPROVAL.WITHDRAWN').requestId], 'The agent no longer waits for it.');
}

export function withdrawAllApprovals(args: Args): Effect[] {
  return withdrawals(args, args.context.open, 'The session ended.');
}

// ---- the rest

export function tidyWorkspace({ context }: Args): Effect {
  return {
    kind: 'workspace.tidy',
    params: {
      repo: context.request.repo,
      session: context.address,
      worktree: context.request.worktree ?? '',
      path: context.checkout,
    },
    reply: { done: 'WORKSPACE.TIDIED', failed: 'WORKSPACE.UNTIDY', with: { checkout: context.checkout } },
  };
}

/** Runs when the title is known. */
export function setTitle({ context }: Args): Effect {
  return {
    kind: 'chat.setTitle',
    params: { session: context.address, repo: context.request.repo, rootId: context.rootId, title: context.title },
    reply: { failed: 'TITLE.REFUSED' },
  };
}

/** The turn that was asked for a title has answered. Runs before the turn is forgotten. */
export function readTitle({ context, event }: Args): Effect[] {
  if (event.type !== 'TURN.ENDED' || context.titleFor === '' || !event.inputIds.includes(context.titleFor)) return [];
  return [
    {
      kind: 'chat.readTitle',
      params: { session: context.address, turnId: event.turnId },
      reply: { done: 'TITLE.FOUND', failed: 'TITLE.REFUSED' },
    },
  ];
}

/** Where the answer to a command belongs. */
function answerTo({ context, event }: Args) {
  const replyTo = 'postId' in event && typeof event.postId === 'string' ? event.postId : context.rootId;
  const { channelId, rootId } = context;
  return { session: context.address, place: { channelId, rootId }, replyTo };
}

export function tellContext(args: Args): Effect {
  return { kind: 'chat.context', params: answerTo(args) };
}

export function tellVerbosity(args: Args): Effect {
  return { kind: 'chat.verbosity', params: answerTo(args) };
}

export function tellCost(args: Args): Effect {
  return { kind: 'chat.cost', params: answerTo(args) };
}

export function tellTranscript(args: Args): Effect {
  return { kind: 'chat.export', params: { ...answerTo(args), format: only(args.event, 'COMMAND.EXPORT').format } };
}

export function tellDiff(args: Args): Effect {
  return { kind: 'chat.diff', params: answerTo(args) };
}

/** Without a host: lists what is open. */
export function tellNetwork(args: Args): Effect[] {
  const { event } = args;
  if (event.type !== 'COMMAND.NETWORK') return [];
  const { revoke: host, userId, userName } = event;
  if (host === '') return [{ kind: 'chat.network', params: answerTo(args) }];
  return [{ kind: 'chat.revoke', params: { ...answerTo(args), host, userId, userName } }];
}

/** What was opened for this session alone closes with it. */
export function endGrants({ context }: Args): Effect {
  return { kind: 'firewall.endSession', params: { session: context.address } };
}

export function tellLogs(args: Args): Effect {
  return { kind: 'chat.logs', params: { ...answerTo(args), lines: only(args.event, 'COMMAND.LOGS').lines } };
}

export function changeMember(args: Args): Effect[] {
  const { event } = args;
  if (event.type !== 'COMMAND.INVITE' && event.type !== 'COMMAND.KICK') return [];
  const { place, replyTo } = answerTo(args);
  const stay = event.type === 'COMMAND.INVITE';
  return [{ kind: 'chat.member', params: { place, replyTo, repo: args.context.request.repo, who: event.who, stay } }];
}
