/** What a session asks of the outside: each a pure function from context and event to effects. */
import { approvalAddress } from '../addresses.ts';
import type { Effect } from '../effects.ts';
import type { SessionContext } from './context.ts';
import type { SessionEvent } from './events.ts';

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

export function askContainerForHelp({ context, event }: Args): Effect {
  return {
    kind: 'tell',
    to: context.container,
    event: { type: 'LOST', at: event.at, session: context.address, generation: context.generation },
  };
}

export function leaveContainer({ context, event }: Args): Effect {
  return {
    kind: 'tell',
    to: context.container,
    event: { type: 'DETACH', at: event.at, session: context.address, scope: context.stopScope },
  };
}

// ---- conversation

/** Sends the oldest waiting prompt. The queue still holds it until the worker has it. */
export function sendNext({ context }: Args): Effect[] {
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
        files: next.fileIds,
        steer: false,
      },
      reply: { failed: 'PROMPT.REFUSED', with: { postId: next.postId } },
    },
  ];
}

export function heard({ event }: Args): Effect[] {
  return 'postId' in event && typeof event.postId === 'string' ? [{ kind: 'heard', postId: event.postId }] : [];
}

const WAITING_SIGN = 'hourglass_flowing_sand';

export function markHeld({ event }: Args): Effect[] {
  if (event.type !== 'PROMPT' && event.type !== 'SLASH') return [];
  return [{ kind: 'chat.react', params: { postId: event.postId, emoji: WAITING_SIGN, remove: false } }];
}

/** What the worker has begun with waits no more. Runs before the queue is changed. */
export function unmarkHeld({ context, event }: Args): Effect[] {
  if (event.type !== 'TURN.STARTED') return [];
  return context.queue
    .filter((prompt) => prompt.held && event.inputIds.includes(prompt.postId))
    .map(({ postId }) => ({ kind: 'chat.react', params: { postId, emoji: WAITING_SIGN, remove: true } }));
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

export function compact({ context, event }: Args): Effect {
  return {
    kind: 'worker.compact',
    params: { session: context.address, inputId: inputOf(event), hint: only(event, 'COMMAND.COMPACT').hint },
    reply: { failed: 'COMPACT.REFUSED' },
  };
}

export function clear({ context, event }: Args): Effect {
  return {
    kind: 'worker.clear',
    params: { session: context.address, inputId: inputOf(event) },
    reply: { failed: 'CLEAR.REFUSED' },
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
      channelId: context.channelId,
      rootId: context.rootId,
    },
  };
}

export function withdrawApproval({ context, event }: Args): Effect {
  const { requestId } = only(event, 'APPROVAL.WITHDRAWN');
  return {
    kind: 'tell',
    to: approvalAddress(context.address, requestId),
    event: { type: 'WITHDRAW', at: event.at, reason: 'The agent no longer waits for it.' },
  };
}

export function withdrawAllApprovals({ context, event }: Args): Effect[] {
  return context.open.map((requestId) => ({
    kind: 'tell',
    to: approvalAddress(context.address, requestId),
    event: { type: 'WITHDRAW', at: event.at, reason: 'The session ended.' },
  }));
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
    reply: { done: 'WORKSPACE.TIDIED', failed: 'WORKSPACE.UNTIDY' },
  };
}

export function setTitle({ context, event }: Args): Effect {
  return {
    kind: 'chat.setRoot',
    params: { rootId: context.rootId, message: only(event, 'COMMAND.TITLE').text },
  };
}

export function tellContext({ context, event }: Args): Effect {
  const { postId, channelId } = only(event, 'COMMAND.CONTEXT');
  return {
    kind: 'chat.context',
    params: { session: context.address, place: { channelId, rootId: context.rootId }, replyTo: postId },
  };
}
