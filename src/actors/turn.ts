/**
 * One turn of one actor: which of its events and due timers are taken, what they make of it, and the commit that says so.
 * Nothing is written here; the same actor and rows give the same plan.
 */
import type { Address } from '../machines/addresses.ts';
import type { Effect } from '../machines/effects.ts';
import type { ChartEvent } from '../machines/events.ts';
import { upcast } from './migrate.ts';
import { noRecords, type Records, recordEffects } from './records.ts';
import type { RegisteredKind } from './register.ts';
import { endTask, type StepResult, step, stepInitial, takeDueTimer, wakeAtOf } from './step.ts';
import type { DeadLetter, DeadReason, InboxRow, JournalRow, TurnCommit } from './store.ts';
import { cleanText } from './text.ts';
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
  readonly poisoned: number;
}

/** @returns undefined if there is nothing to do now. @throws if the stored envelope cannot be read by this program. */
export function planTurn(input: TurnInput): Turn | undefined {
  const plan = new Plan(input);
  plan.migrate();
  while (plan.size < input.fold && plan.takeNext()) {
    // Each call takes one event or timer, until nothing is left or an event throws.
  }
  return plan.finish();
}

/** The growing plan. A class because every step changes the same dozen fields. */
class Plan {
  readonly #input: TurnInput;
  readonly #records: Records = noRecords();
  readonly #journal: JournalRow[] = [];
  readonly #deadLetters: DeadLetter[] = [];
  readonly #notices: CommitNotice[] = [];
  readonly #taken: InboxRow[] = [];
  readonly #tried: number[] = [];
  readonly #fates: { dedupKey: string; fate: 'done' | 'dead' }[] = [];
  #actor: LoadedActor | undefined;
  #troubles: number[];
  #next = 0;
  size = 0;

  constructor(input: TurnInput) {
    this.#input = input;
    this.#actor = input.actor;
    this.#troubles = [...input.troubles];
  }

  migrate(): void {
    const { kind, address, now } = this.#input;
    const actor = this.#actor;
    if (kind === undefined || actor === undefined || actor.envelope.version === kind.version) return;
    const rev = actor.rev + 1;
    const envelope = upcast(kind, address, actor.envelope, { rev, now });
    this.#advance(
      { envelope, effects: [], handled: true, status: actor.status },
      { type: 'runtime.migrated', at: now },
    );
  }

  /** @returns false when nothing can be taken any more. */
  takeNext(): boolean {
    const { rows, now, fireTimers } = this.#input;
    const row = rows[this.#next];
    const actor = this.#actor;
    if (actor?.status === 'parked') return false;
    const timer = fireTimers && actor?.status === 'active' ? takeDueTimer(actor.envelope, now) : undefined;
    if (actor !== undefined && timer !== undefined && (row === undefined || timer.due < row.event.at)) {
      return this.#takeTimer(actor, timer);
    }
    return row === undefined ? false : this.#takeRow(row);
  }

  #takeTimer(actor: LoadedActor, timer: NonNullable<ReturnType<typeof takeDueTimer>>): boolean {
    const { kind, address, now, refusal } = this.#input;
    if (kind === undefined) return false;
    this.size += 1;
    const rev = actor.rev + 1;
    try {
      if (refusal !== undefined && this.size === 1) throw new Error(refusal);
      const result = step(kind, address, timer.rest, timer.event, { rev, now });
      this.#record(result.effects, rev, timer.event, `timer ${timer.id}`);
      this.#advance(result, timer.event, `timer ${timer.id}`);
      return true;
    } catch (error) {
      // A timer is not tried again: its chart is pure, it would throw again.
      this.#advance({ envelope: timer.rest, effects: [], handled: true, status: actor.status }, timer.event, timer.id);
      this.#bury({ event: timer.event, dedupKey: `${address}/${rev}/timer`, cause: timer.id }, 'poison', error);
      this.#trouble(error);
      return false;
    }
  }

  #takeRow(row: InboxRow): boolean {
    const { kind, refusal } = this.#input;
    const actor = this.#actor;
    this.size += 1;
    if (kind === undefined) return this.#takeDead(row, 'absent');
    if (actor !== undefined && actor.status !== 'active') return this.#takeDead(row, 'done');
    if (actor === undefined && !kind.birthEvents.includes(row.event.type)) return this.#takeDead(row, 'absent');
    try {
      if (refusal !== undefined && this.size === 1) throw new Error(refusal);
      const rev = (actor?.rev ?? 0) + 1;
      const result = actor === undefined ? this.#birth(kind, row.event, rev) : this.#offer(kind, actor, row, rev);
      if (result === 'stale') return this.#take(row, 'done');
      if (!result.handled && row.taskKey === undefined) return this.#takeDead(row, 'unhandled');
      this.#record(result.effects, rev, row.event, row.dedupKey);
      this.#advance(result, row.event, row.cause ?? row.dedupKey, actor === undefined ? kind : undefined);
      if (result.status === 'error') this.#giveUp('error', reasonOf(result.envelope.snapshot.error));
      return this.#take(row, 'done');
    } catch (error) {
      return this.#throwing(row, kind, error);
    }
  }

  #birth(kind: RegisteredKind, event: ChartEvent, rev: number): StepResult {
    const { address, now } = this.#input;
    const born = stepInitial(kind, address, kind.inputOf(address, event), { rev, now });
    if (born.status !== 'active') return born;
    const offered = step(kind, address, born.envelope, event, { rev, now });
    return { ...offered, handled: true, effects: [...born.effects, ...offered.effects] };
  }

  #offer(kind: RegisteredKind, actor: LoadedActor, row: InboxRow, rev: number): StepResult | 'stale' {
    const { address, now } = this.#input;
    let envelope = actor.envelope;
    if (row.taskKey !== undefined) {
      const id = row.event.type.replace(/^xstate\.(done|error)\.actor\./, '');
      const current = envelope.tasks[id];
      if (current?.key !== row.taskKey || current.ended) return 'stale';
      envelope = endTask(envelope, id);
    }
    return step(kind, address, envelope, row.event, { rev, now });
  }

  /** A fold ends before an event that throws; at the head of a turn the event is tried again, then buried. */
  #throwing(row: InboxRow, kind: RegisteredKind, error: unknown): boolean {
    if (this.size > 1) {
      this.size -= 1;
      return false;
    }
    const refused = this.#input.refusal !== undefined;
    if (!refused && row.attempts + 1 < kind.supervision.maxAttempts) {
      this.#tried.push(row.seq);
      return false;
    }
    this.#bury(row, 'poison', error);
    this.#take(row, 'dead');
    this.#trouble(error);
    return false;
  }

  #take(row: InboxRow, fate: 'done' | 'dead'): true {
    this.#taken.push(row);
    this.#fates.push({ dedupKey: row.dedupKey, fate });
    this.#next += 1;
    return true;
  }

  #takeDead(row: InboxRow, reason: DeadReason): true {
    this.#bury(row, reason, undefined);
    return this.#take(row, 'dead');
  }

  #bury(what: Pick<InboxRow, 'event' | 'dedupKey' | 'cause'>, reason: DeadReason, error: unknown): void {
    const { event, dedupKey, cause } = what;
    const text = error === undefined ? undefined : reasonOf(error);
    this.#deadLetters.push({ reason, event, dedupKey, cause, error: text, at: this.#input.now });
  }

  #record(effects: readonly Effect[], rev: number, event: ChartEvent, cause: string): void {
    const fresh = noRecords();
    recordEffects(fresh, this.#input.address, rev, effects, { at: event.at, now: this.#input.now, cause });
    this.#records.tells.push(...fresh.tells);
    this.#records.effects.push(...fresh.effects);
    this.#records.transcript.push(...fresh.transcript);
    this.#records.threads.push(...fresh.threads);
  }

  /** The actor after a step, with its journal row. Cannot throw. */
  #advance(result: StepResult, event: ChartEvent, cause?: string, bornAs?: RegisteredKind): void {
    const { address, now } = this.#input;
    const before = this.#actor;
    const { envelope, effects, status } = result;
    const rev = (before?.rev ?? 0) + 1;
    const parent = before === undefined ? bornAs?.parentOf?.(address, event) : before.parent;
    this.#actor = { rev, status, parent, failures: before?.failures ?? 0, envelope };
    const { value = null, context } = envelope.snapshot;
    this.#journal.push({
      rev,
      at: now,
      event,
      cause,
      value,
      context: (context ?? {}) as JournalRow['context'],
      effects,
      version: envelope.version,
    });
    const from = before?.envelope.snapshot.value;
    this.#notices.push({ address, event, from, to: value, rev, status, effects });
  }

  /** Poison: too many in a short time park the actor. */
  #trouble(error: unknown): void {
    const { kind, now } = this.#input;
    const actor = this.#actor;
    if (kind === undefined) return;
    const { parkAfter, windowMs } = kind.supervision;
    this.#troubles = [...this.#troubles.filter((at) => at > now - windowMs), now];
    if (actor === undefined) return;
    this.#actor = { ...actor, failures: actor.failures + 1 };
    if (this.#troubles.length > parkAfter) this.#giveUp('parked', reasonOf(error));
  }

  #giveUp(status: 'parked' | 'error', reason: string): void {
    const { kind, address, now } = this.#input;
    const actor = this.#actor;
    if (kind === undefined || actor === undefined) return;
    const context = (actor.envelope.snapshot.context ?? {}) as JournalRow['context'];
    const effects = kind.onTrouble?.({ address, status, reason, context, at: now }) ?? [];
    const event: ChartEvent = { type: `runtime.${status}`, at: now, reason };
    this.#record(effects, actor.rev + 1, event, event.type);
    this.#advance({ envelope: actor.envelope, effects, handled: true, status }, event, reason);
  }

  finish(): Turn | undefined {
    const { address, kind, actor: before } = this.#input;
    const actor = this.#actor;
    if (this.#taken.length + this.#tried.length + this.#journal.length === 0) return undefined;
    const row =
      actor === undefined || kind === undefined
        ? undefined
        : {
            ...actor,
            kind: kind.kind,
            version: actor.envelope.version,
            wakeAt: actor.status === 'active' ? wakeAtOf(actor.envelope) : undefined,
          };
    return {
      commit: {
        address,
        prevRev: before?.rev ?? 0,
        actor: row,
        taken: this.#taken.map(({ seq }) => seq),
        tried: this.#tried,
        ...this.#records,
        journal: this.#journal,
        deadLetters: this.#deadLetters,
        settled: [],
      },
      next: actor,
      notices: this.#notices,
      fates: this.#fates,
      poisoned: this.#deadLetters.filter(({ reason }) => reason === 'poison').length,
    };
  }
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : typeof error === 'string' ? error : JSON.stringify(error);
  return cleanText(text ?? String(error)).slice(0, 2000);
}
