/** What the actions of the chart work with. */
import type { SessionContext } from './context.ts';
import type { SessionEvent } from './events.ts';

export interface Args {
  readonly context: SessionContext;
  readonly event: SessionEvent;
}

export function only<Type extends SessionEvent['type']>(
  event: SessionEvent,
  type: Type,
): Extract<SessionEvent, { type: Type }> {
  if (event.type !== type) throw new Error(`Expected ${type}, got ${event.type}`);
  return event as Extract<SessionEvent, { type: Type }>;
}

/** The id of the post a command came in: what it asks of the worker happens once per post. */
export function inputOf(event: SessionEvent): string {
  return 'postId' in event && typeof event.postId === 'string' ? event.postId : `${event.type}/${event.at}`;
}
