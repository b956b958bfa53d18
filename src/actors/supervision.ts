/** What becomes of an actor whose chart throws or gives up, and who is told. The numbers are the kind's `supervision`. */
import type { ChartEvent } from '../machines/events.ts';
import { type Ledger, reasonOf } from './ledger.ts';
import type { RegisteredKind } from './register.ts';
import type { JournalRow } from './store.ts';
import type { Trouble } from './types.ts';

/** An event became poison. Too many in a short time park the actor. */
export function noteTrouble(ledger: Ledger, kind: RegisteredKind, error: unknown): void {
  const { now, actor } = ledger;
  const { parkAfter, windowMs } = kind.supervision;
  ledger.troubles = [...ledger.troubles.filter((at) => at > now - windowMs), now];
  if (actor === undefined) return;
  ledger.actor = { ...actor, failures: actor.failures + 1 };
  if (ledger.troubles.length > parkAfter) giveUp(ledger, kind, 'parked', reasonOf(error));
}

/** The actor decides nothing more; whoever counts on it is told in the same commit. */
export function giveUp(
  ledger: Ledger,
  kind: RegisteredKind,
  trouble: Trouble['status'],
  reason: string,
  cause: string = reason,
): void {
  const { address, now, actor } = ledger;
  if (actor === undefined) return;
  const context = (actor.envelope.snapshot.context ?? {}) as JournalRow['context'];
  const effects = kind.onTrouble?.({ address, status: trouble, reason, context, at: now }) ?? [];
  const event: ChartEvent = { type: `runtime.${trouble}`, at: now, reason };
  const over = trouble === 'stopped';
  const envelope = over ? { ...actor.envelope, timers: {}, tasks: {} } : actor.envelope;
  ledger.advance({ envelope, effects, handled: true, status: over ? 'done' : trouble }, event, cause);
}
