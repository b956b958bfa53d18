/** How events change a session's context: pure functions for `assign`. */
import type { Failure, QueuedPrompt, SessionContext } from './context.ts';
import type { SessionEvent, TurnEnded } from './events.ts';
import type { Args } from './requests.ts';

type Change = Partial<SessionContext>;

function queued(event: SessionEvent): QueuedPrompt | undefined {
  switch (event.type) {
    case 'PROMPT':
      return { postId: event.postId, author: event.userName, text: event.text, fileIds: event.fileIds, held: false };
    case 'SLASH':
      return { postId: event.postId, author: '', text: event.text, fileIds: [], held: false };
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

/** The worker has begun with these prompts; they leave the queue. */
export function turnStarted({ context, event }: Args): Change {
  if (event.type !== 'TURN.STARTED') return {};
  return {
    turn: { id: event.turnId, startedAt: event.at },
    queue: context.queue.filter((prompt) => !event.inputIds.includes(prompt.postId)),
    activeAt: event.at,
  };
}

/** A prompt that will not be run leaves the queue. */
export function dropPrompt({ context, event }: Args): Change {
  const id = event.type === 'PROMPT.LOST' ? event.inputId : event.type === 'PROMPT.REFUSED' ? event.postId : '';
  return { queue: context.queue.filter((prompt) => prompt.postId !== id) };
}

export function editQueued({ context, event }: Args): Change {
  if (event.type !== 'POST.EDITED') return {};
  return {
    queue: context.queue.map((prompt) => (prompt.postId === event.postId ? { ...prompt, text: event.text } : prompt)),
  };
}

export function dropQueued({ context, event }: Args): Change {
  if (event.type !== 'POST.DELETED') return {};
  return { queue: context.queue.filter((prompt) => prompt.postId !== event.postId) };
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
    turn: context.turn?.id === event.turnId ? null : context.turn,
    usage: addTurn(context, event),
    agentSessionId: event.agentSessionId === '' ? context.agentSessionId : event.agentSessionId,
    activeAt: event.at,
  };
}

export function threadOpened({ event }: Args): Change {
  return event.type === 'THREAD.OPENED' ? { channelId: event.channelId, rootId: event.rootId } : {};
}

export function workspaceReady({ event }: Args): Change {
  return event.type === 'WORKSPACE.READY' ? { checkout: event.path, branch: event.branch } : {};
}

export function containerReady({ event }: Args): Change {
  return event.type === 'CONTAINER.READY'
    ? { endpoint: event.endpoint, generation: event.generation, identity: event.identity }
    : {};
}

export function linkUp({ context, event }: Args): Change {
  if (event.type !== 'LINK.UP') return {};
  const agentSessionId = event.agentSessionId === '' ? context.agentSessionId : event.agentSessionId;
  // With its log the worker replays how turns and questions ended; without it nobody ever will.
  const known = { agentSessionId, plan: event.plan };
  return event.logLost ? { ...known, turn: null, open: [] } : known;
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
  return event.type === 'COMMAND.TITLE' ? { title: event.text } : {};
}

export function reopened({ event }: Args): Change {
  return { openedAt: event.at, activeAt: event.at, failure: null, stopScope: 'session' };
}

export function stopAsked({ event }: Args): Change {
  if (event.type !== 'COMMAND.STOP') return {};
  return { stopScope: event.all ? 'all' : event.container ? 'container' : 'session' };
}

export function failed({ event }: Args): Change {
  return { failure: failureOf(event) };
}

function failureOf(event: SessionEvent): Failure {
  if (event.type === 'CONTAINER.REFUSED') return { reason: event.reason, next: event.next };
  if ('human' in event && typeof event.human === 'string' && event.human !== '') {
    return { reason: event.human, next: '`@claude retry` tries again.' };
  }
  if (event.type === 'SESSION.CLOSED' && event.error !== '') {
    return { reason: `The agent ended: ${event.error}`, next: '`@claude retry` starts it again.' };
  }
  return { reason: 'The connection to the agent failed.', next: '`@claude retry` tries again.' };
}
