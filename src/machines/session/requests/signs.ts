/** What is noted about a message: that it was heard, waits, or went into the running turn. */
import type { Effect } from '../../effects.ts';
import type { Args } from '../args.ts';
import { droppedBy, settledBy } from '../changes.ts';
import type { QueuedPrompt } from '../context.ts';

export function heard({ event }: Args): Effect[] {
  if (!('postId' in event) || typeof event.postId !== 'string') return [];
  const { postId } = event;
  const word = (value: unknown): string => (typeof value === 'string' ? value : '');
  return [
    { kind: 'heard', postId, author: word(event.userName), authorId: word(event.userId), text: word(event.text) },
  ];
}

const STEERED_SIGN = 'arrow_right';

export function markSteered({ event }: Args): Effect[] {
  if (event.type !== 'COMMAND.STEER') return [];
  return [{ kind: 'chat.react', params: { postId: event.postId, emoji: STEERED_SIGN, remove: false } }];
}

const WAITING_SIGN = 'hourglass_flowing_sand';

export function markHeld({ event }: Args): Effect[] {
  if (!('postId' in event) || typeof event.postId !== 'string') return [];
  return [{ kind: 'chat.react', params: { postId: event.postId, emoji: WAITING_SIGN, remove: false } }];
}

export function unmark(prompts: readonly QueuedPrompt[], inputIds: readonly string[]): Effect[] {
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
