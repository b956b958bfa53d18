/** How an operator's order (see operator.ts) becomes part of a turn. */
import type { Effect } from '../machines/effects.ts';
import type { ChartEvent } from '../machines/events.ts';
import { assertNever } from '../machines/json.ts';
import type { Ledger } from './ledger.ts';
import { type Order, orderOf } from './operator.ts';
import type { RegisteredKind } from './register.ts';
import { birthStep, step } from './step.ts';
import type { InboxRow } from './store.ts';
import { giveUp, noteTrouble } from './supervision.ts';
import type { ActorStatus } from './types.ts';

/**
 * Carries out the order in `row`. Its journal row and its audit record are written whatever comes of it; an event that is
 * offered again and throws again is buried anew.
 */
export function obey(ledger: Ledger, kind: RegisteredKind, row: InboxRow): void {
  const order = orderOf(row.event);
  if (order === undefined || ledger.actor === undefined) {
    ledger.bury(row, 'absent');
    ledger.take(row, 'dead');
    return;
  }
  ledger.take(row, 'done');
  const { letter } = order;
  if (letter !== undefined) {
    ledger.settle({ id: letter.id, how: order.action === 'retry' ? 'replayed' : 'skipped' });
  }
  switch (order.action) {
    case 'retry':
      goOn(ledger, row, order);
      if (letter !== undefined) offerAgain(ledger, kind, letter);
      return;
    case 'skip':
      goOn(ledger, row, order);
      return;
    case 'restart':
      restart(ledger, kind, row, order);
      return;
    case 'stop':
      note(ledger, row, order, ledger.actor.status);
      giveUp(ledger, kind, 'stopped', `stopped by ${order.by}`, row.dedupKey);
      return;
    default:
      assertNever(order.action);
  }
}

/** A parked actor is taken up again with a clean record; any other stays what it is. */
function goOn(ledger: Ledger, row: InboxRow, order: Order): void {
  const status = ledger.actor?.status;
  if (status === undefined) return;
  if (status === 'parked') ledger.troubles = [];
  note(ledger, row, order, status === 'parked' ? 'active' : status);
}

/** A revision that changes nothing in the chart's state. */
function note(ledger: Ledger, row: InboxRow, order: Order, status: ActorStatus): void {
  const { actor } = ledger;
  if (actor === undefined) return;
  const result = { envelope: actor.envelope, effects: [auditOf(ledger, order)], handled: true, status };
  ledger.advance(result, brief(row.event), row.dedupKey);
}

function offerAgain(ledger: Ledger, kind: RegisteredKind, letter: NonNullable<Order['letter']>): void {
  const { address, actor, now, nextRev: rev } = ledger;
  if (actor === undefined) return;
  const again = { event: letter.event, dedupKey: letter.dedupKey, cause: `replay of ${letter.id}` };
  if (actor.status !== 'active') {
    ledger.bury(again, 'done');
    return;
  }
  try {
    const result = step(kind, address, actor.envelope, letter.event, { rev, now });
    if (result.handled) ledger.advance(result, letter.event, again.cause);
    else ledger.bury(again, 'unhandled');
  } catch (error) {
    ledger.bury(again, 'poison', error);
    noteTrouble(ledger, kind, error);
  }
}

/** From what the actor was made of. Its tasks and timers are replaced by those of the new beginning. */
function restart(ledger: Ledger, kind: RegisteredKind, row: InboxRow, order: Order): void {
  const { address, now, nextRev: rev } = ledger;
  if (order.birth === undefined) return;
  try {
    const reborn = birthStep(kind, address, order.birth, { rev, now });
    ledger.troubles = [];
    ledger.advance({ ...reborn, effects: [...reborn.effects, auditOf(ledger, order)] }, brief(row.event), row.dedupKey);
  } catch (error) {
    ledger.bury({ event: order.birth, dedupKey: `${row.dedupKey}/birth`, cause: row.dedupKey }, 'poison', error);
    noteTrouble(ledger, kind, error);
  }
}

function auditOf({ address, now }: Ledger, { action, by, letter }: Order): Effect {
  const detail = { at: now, ...(letter === undefined ? {} : { letter: letter.id, event: letter.event.type }) };
  return { kind: 'audit.record', params: { action: `operator.${action}`, who: by, subject: address, detail } };
}

/** Without the events it carries, which have rows of their own. */
function brief({ type, at, action, by }: ChartEvent): ChartEvent {
  return { type, at, action: action ?? '', by: by ?? '' };
}
