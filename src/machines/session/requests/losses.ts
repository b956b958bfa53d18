/** What is asked for when something will never be heard of again. */
import type { Effect } from '../../effects.ts';
import type { Args } from '../args.ts';
import { isLogLost, lostInputs } from '../changes.ts';
import { giveBack } from '../history.ts';
import { sayLogLost, sayOrphaned } from '../notes.ts';
import { withdrawals } from './approvals.ts';
import { unmark } from './signs.ts';

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
  if (context.turn !== null && turnLost) effects.push({ kind: 'turnLost', turnId: context.turn.id });
  return [...effects, ...withdrawals(args, gone, 'The agent that asked is gone.'), ...unmark(context.queue, inputs)];
}

/** The workspace is taken down, so nobody will tell how the running turn ended. Runs before it is forgotten. */
export function loseTurn({ context: { turn } }: Args): Effect[] {
  return turn === null ? [] : [{ kind: 'turnLost', turnId: turn.id, takenDown: true }];
}

/** The turn may go on in its worker, but until the session is opened again nobody hears of it. */
export function leaveTurn({ context: { turn } }: Args): Effect[] {
  return turn === null ? [] : [{ kind: 'turnFollowed', turnId: turn.id, following: false }];
}

/** Opened again, the session finds the turn still running. Runs before the context takes the news up. */
export function rejoinTurn({ context: { turn }, event }: Args): Effect[] {
  if (event.type !== 'LINK.UP' || turn === null || turn.id !== event.turnId) return [];
  return [{ kind: 'turnFollowed', turnId: turn.id, following: true }];
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
