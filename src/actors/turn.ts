/**
 * One turn of one actor: which of its events and due timers are taken, what they make of it, and the commit that says so.
 * Nothing is written here; the same actor and rows give the same plan.
 */
import type { Address } from '../machines/addresses.ts';
import { Ledger, reasonOf } from './ledger.ts';
import { upcast } from './migrate.ts';
import { isOrder } from './operator.ts';
import { obey } from './orders.ts';
import type { RegisteredKind } from './register.ts';
import { birthStep, endTask, type StepResult, type StepTime, step, takeDueTimer } from './step.ts';
import type { DeadReason, InboxRow, TurnCommit } from './store.ts';
import { giveUp, noteTrouble } from './supervision.ts';
import type { ActorStatus, CommitNotice, Envelope } from './types.ts';

/** An actor between two turns. */
export interface LoadedActor {
  readonly rev: number;
  readonly status: ActorStatus;
  readonly parent: Address | undefined;
  readonly failures: number;
  readonly envelope: Envelope;
}

export interface TurnInput {
  readonly address: Address;
  /** Undefined for a kind that nobody registered. */
  readonly kind: RegisteredKind | undefined;
  /** Undefined if it is not there. */
  readonly actor: LoadedActor | undefined;
  /** Pending events in order. */
  readonly rows: readonly InboxRow[];
  readonly now: number;
  readonly fireTimers: boolean;
  readonly fold: number;
  /** When events of this actor became poison lately. */
  readonly troubles: readonly number[];
  /** The database refused what the first event makes: bury it. */
  readonly refusal?: string;
}

export interface Turn {
  readonly commit: TurnCommit;
  /** The actor once this is committed. */
  readonly next: LoadedActor | undefined;
  readonly notices: readonly CommitNotice[];
  /** What became of the rows that were taken. */
  readonly fates: readonly { readonly dedupKey: string; readonly fate: 'done' | 'dead' }[];
  /** When events of this actor became poison lately, this turn included. */
  readonly troubles: readonly number[];
}

/** @returns undefined if there is nothing to do now. @throws if the stored envelope cannot be read by this program. */
export function planTurn(input: TurnInput): Turn | undefined {
  const ledger = new Ledger(input);
  migrate(ledger, input.kind);
  // An operator's order must reach an actor that takes nothing else.
  const rows = [...input.rows.filter(isOrder), ...input.rows.filter((row) => !isOrder(row))];
  let taken = 0;
  for (let size = 0; size < input.fold; size += 1) {
    const next = nextOf(ledger, rows[taken], input.fireTimers);
    if (next === undefined) break;
    const refusal = size === 0 ? input.refusal : undefined;
    const ended =
      'timer' in next ? fire(ledger, input, next.timer, refusal) : take(ledger, input, next.row, size, refusal);
    if (ended === 'again') break;
    if ('row' in next) taken += 1;
    if (ended === 'enough') break;
  }
  return ledger.finish(input.kind);
}

/** `again`: nothing was taken, the turn ends before it. `enough`: taken, and the turn ends after it. */
type Ended = 'next' | 'enough' | 'again';
type DueTimer = NonNullable<ReturnType<typeof takeDueTimer>>;

function migrate(ledger: Ledger, kind: RegisteredKind | undefined): void {
  const { address, actor, now, nextRev: rev } = ledger;
  if (kind === undefined || actor === undefined || actor.envelope.version === kind.version) return;
  const envelope = upcast(kind, address, actor.envelope, { rev, now });
  const event = { type: 'runtime.migrated', at: now };
  ledger.advance({ envelope, effects: [], handled: true, status: actor.status }, event, event.type);
}

/** Events in order of arrival; a timer that was due before the next event goes first. */
function nextOf(
  { actor, now }: Ledger,
  row: InboxRow | undefined,
  fireTimers: boolean,
): { readonly row: InboxRow } | { readonly timer: DueTimer } | undefined {
  if (row !== undefined && isOrder(row)) return { row };
  if (actor?.status === 'parked') return undefined;
  const timer = fireTimers && actor?.status === 'active' ? takeDueTimer(actor.envelope, now) : undefined;
  if (timer !== undefined && (row === undefined || timer.due < row.event.at)) return { timer };
  return row === undefined ? undefined : { row };
}

function fire(ledger: Ledger, { kind }: TurnInput, timer: DueTimer, refusal: string | undefined): Ended {
  const { address, actor, now, nextRev: rev } = ledger;
  if (kind === undefined || actor === undefined) return 'again';
  const cause = `timer ${timer.id}`;
  try {
    if (refusal !== undefined) throw new Error(refusal);
    ledger.advance(step(kind, address, timer.rest, timer.event, { rev, now }), timer.event, cause);
    return 'next';
  } catch (error) {
    // A timer is not tried again: its chart is pure, it would throw again.
    const without = { envelope: timer.rest, effects: [], handled: true, status: actor.status };
    ledger.advance(without, timer.event, cause);
    ledger.bury({ event: timer.event, dedupKey: `${address}/${rev}/timer`, cause }, 'poison', error);
    noteTrouble(ledger, kind, error);
    return 'enough';
  }
}

function take(ledger: Ledger, input: TurnInput, row: InboxRow, size: number, refusal: string | undefined): Ended {
  const { kind } = input;
  const { actor } = ledger;
  if (kind === undefined) return dead(ledger, row, 'absent');
  if (isOrder(row)) {
    obey(ledger, kind, row);
    return 'enough';
  }
  if (actor !== undefined && actor.status !== 'active') return dead(ledger, row, 'done');
  if (actor === undefined && !kind.birthEvents.includes(row.event.type)) return dead(ledger, row, 'absent');
  try {
    if (refusal !== undefined) throw new Error(refusal);
    return decide(ledger, kind, row);
  } catch (error) {
    return throwing(ledger, kind, row, { size, error, refused: refusal !== undefined });
  }
}

function decide(ledger: Ledger, kind: RegisteredKind, row: InboxRow): Ended {
  const { address, actor, now, nextRev: rev } = ledger;
  const result =
    actor === undefined
      ? birthStep(kind, address, row.event, { rev, now })
      : offer(kind, address, actor, row, { rev, now });
  if (result === 'stale') {
    ledger.take(row, 'done');
    return 'next';
  }
  if (!result.handled && row.taskKey === undefined) return dead(ledger, row, 'unhandled');
  ledger.advance(result, row.event, row.cause ?? row.dedupKey, actor === undefined ? kind : undefined);
  ledger.take(row, 'done');
  if (result.status === 'error') giveUp(ledger, kind, 'error', reasonOf(result.envelope.snapshot.error));
  return 'next';
}

function offer(
  kind: RegisteredKind,
  address: Address,
  actor: LoadedActor,
  row: InboxRow,
  time: StepTime,
): StepResult | 'stale' {
  if (row.taskKey === undefined) return step(kind, address, actor.envelope, row.event, time);
  const id = row.event.type.replace(/^xstate\.(done|error)\.actor\./, '');
  const current = actor.envelope.tasks[id];
  if (current?.key !== row.taskKey || current.ended) return 'stale';
  return step(kind, address, endTask(actor.envelope, id), row.event, time);
}

/** A fold ends before an event that throws; at the head of a turn the event is tried again, then buried. */
function throwing(
  ledger: Ledger,
  kind: RegisteredKind,
  row: InboxRow,
  { size, error, refused }: { readonly size: number; readonly error: unknown; readonly refused: boolean },
): Ended {
  if (size > 0) return 'again';
  if (!refused && row.attempts + 1 < kind.supervision.maxAttempts) {
    ledger.tried(row);
    return 'again';
  }
  ledger.bury(row, 'poison', error);
  ledger.take(row, 'dead');
  noteTrouble(ledger, kind, error);
  return 'enough';
}

function dead(ledger: Ledger, row: InboxRow, reason: DeadReason): Ended {
  ledger.bury(row, reason);
  ledger.take(row, 'dead');
  return 'next';
}
