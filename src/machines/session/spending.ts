/** What a session may cost: asked while a turn runs, and what is done and said when a cap is reached. */
import type { Effect } from '../effects.ts';
import type { Args } from './args.ts';
import type { SessionContext } from './context.ts';

export function checkSpending({ context, event }: Args): Effect[] {
  if (event.type !== 'SPENT' || context.turn?.id !== event.turnId) return [];
  const { turnId, costUsd } = event;
  return [
    {
      kind: 'spending.check',
      params: { session: context.address, turnId, costUsd, by: context.turn.by ?? context.request.owner },
      reply: { done: 'SPENDING.CHECKED', with: { turnId } },
    },
  ];
}

/** A cap is reached by the turn that runs. */
export function isCapped({ context, event }: Args): boolean {
  return event.type === 'SPENDING.CHECKED' && event.cap !== '' && context.turn?.id === event.turnId;
}

export function sayCapped({ event }: Args): Effect[] {
  if (event.type !== 'SPENDING.CHECKED') return [];
  const text = `The turn was ended. ${event.human}`;
  return [{ kind: 'say', note: `capped-${event.turnId}`, tone: 'warning', text }];
}

// ---- turns that an agent begins by itself

/** It begins one more than it may, and nobody has asked for that. */
export function runsAway({ context: { ownTurns, limits }, event }: Args): boolean {
  return event.type === 'TURN.STARTED' && event.own === true && limits.ownTurns > 0 && ownTurns >= limits.ownTurns;
}

/** Once, though it may begin more before it has ended. Runs when the turn is counted. */
export function sayRunaway({ context, event }: Args): Effect[] {
  const { ownTurns } = context.limits;
  if (context.ownTurns !== ownTurns + 1) return [];
  const turns = ownTurns === 1 ? 'a turn' : `${ownTurns} turns in a row`;
  const text = `Claude has begun ${turns} by itself, without a word from anybody, and was about to go on. Its process and what that had running in the background were ended. Your next message wakes it, with its memory.`;
  return [{ kind: 'say', note: `runaway-${event.at}`, tone: 'warning', text }];
}

// ---- more for a session

export function raised({ context, event }: Args): Partial<SessionContext> {
  return event.type === 'COMMAND.RAISE' ? { raisedUsd: context.raisedUsd + event.usd } : {};
}

/** Runs when it is raised. */
export function sayRaised({ context, event }: Args): Effect[] {
  if (event.type !== 'COMMAND.RAISE') return [];
  const text = `${event.userName} lets this session cost $${event.usd.toFixed(2)} more: $${context.raisedUsd.toFixed(2)} above the cap for one session. The caps for a person and for the day stay as they are.`;
  const { usd, userId, userName: who } = event;
  const params = { action: 'spending.raised', who, subject: context.address, detail: { usd, userId } };
  return [
    { kind: 'say', note: `raised-${event.at}`, tone: 'info', text },
    { kind: 'audit.record', params },
  ];
}
