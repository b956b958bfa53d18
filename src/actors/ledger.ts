/**
 * What one turn comes to while it is being planned: the actor as it will be, and every row that its commit will write.
 * Nothing here decides anything.
 */
import type { Address } from '../machines/addresses.ts';
import type { Effect } from '../machines/effects.ts';
import type { ChartEvent } from '../machines/events.ts';
import { noRecords, recordEffects } from './records.ts';
import type { RegisteredKind } from './register.ts';
import { type StepResult, wakeAtOf } from './step.ts';
import type { DeadLetter, DeadReason, InboxRow, JournalRow, SettledLetter } from './store.ts';
import { cleanText } from './text.ts';
import type { LoadedActor, Turn, TurnInput } from './turn.ts';
import type { CommitNotice } from './types.ts';

/** What can be buried: an inbox row, or a timer's event under a key made for it. */
export type Mortal = Pick<InboxRow, 'event' | 'dedupKey' | 'cause'>;

export class Ledger {
  readonly address: Address;
  readonly now: number;
  /** The actor after what was taken so far. Undefined while it is not there. */
  actor: LoadedActor | undefined;
  /** When events of this actor became poison lately. */
  troubles: readonly number[];
  readonly #before: LoadedActor | undefined;
  readonly #records = noRecords();
  readonly #journal: JournalRow[] = [];
  readonly #deadLetters: DeadLetter[] = [];
  readonly #settled: SettledLetter[] = [];
  readonly #notices: CommitNotice[] = [];
  readonly #taken: number[] = [];
  readonly #tried: number[] = [];
  readonly #fates: Turn['fates'][number][] = [];

  constructor({ address, now, actor, troubles }: TurnInput) {
    this.address = address;
    this.now = now;
    this.actor = actor;
    this.#before = actor;
    this.troubles = troubles;
  }

  /** The revision that the next step makes. */
  get nextRev(): number {
    return (this.actor?.rev ?? 0) + 1;
  }

  take(row: InboxRow, fate: 'done' | 'dead'): void {
    this.#taken.push(row.seq);
    this.#fates.push({ dedupKey: row.dedupKey, fate });
  }

  /** The event stays where it is and has one more attempt behind it. */
  tried(row: InboxRow): void {
    this.#tried.push(row.seq);
  }

  bury({ event, dedupKey, cause }: Mortal, reason: DeadReason, error?: unknown): void {
    const text = error === undefined ? undefined : reasonOf(error);
    this.#deadLetters.push({ reason, event, dedupKey, cause, error: text, at: this.now });
  }

  settle(letter: SettledLetter): void {
    this.#settled.push(letter);
  }

  /**
   * One revision: the actor after a step, what the step asked for, and the journal row.
   * @param bornAs the kind, if this step made the actor.
   * @throws for an effect that cannot be recorded; then nothing of this revision is.
   */
  advance(result: StepResult, event: ChartEvent, cause: string, bornAs?: RegisteredKind): void {
    const { address, now, actor: before, nextRev: rev } = this;
    const { envelope, effects, status } = result;
    this.#record(effects, rev, event, cause);
    const parent = before === undefined ? bornAs?.parentOf?.(address, event) : before.parent;
    this.actor = { rev, status, parent, failures: before?.failures ?? 0, envelope };
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

  #record(effects: readonly Effect[], rev: number, event: ChartEvent, cause: string): void {
    const fresh = noRecords();
    recordEffects(fresh, this.address, rev, effects, { at: event.at, now: this.now, cause });
    this.#records.tells.push(...fresh.tells);
    this.#records.effects.push(...fresh.effects);
    this.#records.transcript.push(...fresh.transcript);
    this.#records.threads.push(...fresh.threads);
  }

  /** @returns undefined if nothing came of it. */
  finish(kind: RegisteredKind | undefined): Turn | undefined {
    const { address, actor } = this;
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
        prevRev: this.#before?.rev ?? 0,
        actor: row,
        taken: this.#taken,
        tried: this.#tried,
        ...this.#records,
        journal: this.#journal,
        deadLetters: this.#deadLetters,
        settled: this.#settled,
      },
      next: actor,
      notices: this.#notices,
      fates: this.#fates,
      troubles: this.troubles,
    };
  }
}

/** Any thrown value in words that fit into a row. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : typeof error === 'string' ? error : JSON.stringify(error);
  return cleanText(text ?? String(error)).slice(0, 2000);
}
