/** The runtime's half of the store: actors, their inboxes, what they ask of the outside, and the commit of a turn. See ./store.ts. */
import type { ActorKind, Address } from '../machines/addresses.ts';
import type { Effect, ExternalKind, Reply } from '../machines/effects.ts';
import type { ChartEvent } from '../machines/events.ts';
import type { Json, JsonObject } from '../machines/json.ts';
import type {
  ActorStatus,
  CursorMove,
  DeliverResult,
  Envelope,
  InboxItem,
  OutputBatch,
  TranscriptRow,
} from './types.ts';

export interface ActorRow {
  readonly address: Address;
  readonly kind: ActorKind;
  readonly version: number;
  readonly rev: number;
  readonly commitId: string;
  readonly status: ActorStatus;
  readonly parent: Address | undefined;
  readonly wakeAt: number | undefined;
  readonly failures: number;
  readonly envelope: Envelope;
}

export interface InboxRow {
  /** Order of arrival. */
  readonly seq: number;
  readonly to: Address;
  readonly event: ChartEvent;
  readonly dedupKey: string;
  readonly cause: string | undefined;
  /** Set on task completions: counts only while the task has this key. */
  readonly taskKey: string | undefined;
  readonly attempts: number;
}

/** An inbox item from inside: never bounded, may be a task's completion. */
export interface InnerItem extends InboxItem {
  readonly taskKey?: string;
}

export interface EffectRow {
  readonly key: string;
  readonly actor: Address;
  readonly kind: ExternalKind;
  readonly params: JsonObject;
  readonly reply: Reply | undefined;
  readonly orderKey: string | undefined;
  /** Attempts that ended. */
  readonly attempts: number;
  readonly runAt: number;
  readonly deadline: number;
}

/** An effect with its place in the order of asking. */
export interface ClaimedEffect extends EffectRow {
  readonly seq: number;
}

/** A part of what is waiting: at most `limit`, beyond `after`. */
export interface Page {
  /** `seq` of the last one that is known; 0 to begin with. */
  readonly after: number;
  readonly limit: number;
}

export interface JournalRow {
  readonly rev: number;
  readonly at: number;
  readonly event: ChartEvent;
  readonly cause: string | undefined;
  readonly value: Json;
  readonly context: JsonObject;
  readonly effects: readonly Effect[];
  readonly version: number;
}

export type DeadReason = 'absent' | 'unhandled' | 'poison' | 'done' | 'stale';

export interface DeadLetter {
  readonly reason: DeadReason;
  readonly event: ChartEvent;
  readonly dedupKey: string;
  readonly cause: string | undefined;
  readonly error: string | undefined;
  readonly at: number;
}

/** A dead letter as it is stored. */
export interface StoredLetter extends DeadLetter {
  readonly id: number;
  readonly address: Address;
  /** When an operator replayed or skipped it; undefined while nobody did. */
  readonly settledAt: number | undefined;
}

export interface SettledLetter {
  readonly id: number;
  readonly how: 'replayed' | 'skipped';
}

// ---------------------------------------------------------------- the commit

/**
 * One actor's part of a commit. Written only if the actor is at `prevRev` (0: is not there), the events it takes or tries
 * are undone, and the term leads.
 */
export interface TurnCommit {
  readonly address: Address;
  readonly prevRev: number;
  /** Undefined for an actor that is not there and is not created: only `taken` and `deadLetters` count. */
  readonly actor: Omit<ActorRow, 'address' | 'commitId'> | undefined;
  /** Inbox rows this turn has dealt with. */
  readonly taken: readonly number[];
  /** Inbox rows that made the chart throw: one more attempt each. */
  readonly tried: readonly number[];
  readonly tells: readonly InnerItem[];
  readonly effects: readonly EffectRow[];
  readonly journal: readonly JournalRow[];
  readonly deadLetters: readonly DeadLetter[];
  /** Dead letters an operator has dealt with. */
  readonly settled: readonly SettledLetter[];
  readonly transcript: readonly (TranscriptRow & { readonly session: Address; readonly logId: string })[];
  readonly threads: readonly { readonly session: Address; readonly rootId: string; readonly channelId: string }[];
}

export interface CommitOutcome {
  /** Addresses whose turn was written. One that is missing was written by somebody else: reload it and its inbox. */
  readonly committed: readonly Address[];
  /** The inbox rows that the tells became. */
  readonly delivered: readonly InboxRow[];
}

// ---------------------------------------------------------------- the runtime's half

export interface RuntimeStore {
  commit(term: number, commitId: string, turns: readonly TurnCommit[]): Promise<CommitOutcome>;
  /** Which commit wrote these actors last: settles an unknown outcome. */
  lastCommits(addresses: readonly Address[]): Promise<ReadonlyMap<Address, string>>;

  /** @param term undefined on a standby: the rows are left for the leader, who is notified. */
  deliver(
    items: readonly InnerItem[],
    options: {
      readonly term: number | undefined;
      readonly limitOf: (address: Address) => number | undefined;
      readonly cursors: readonly CursorMove[];
      /** Writes nothing unless the term leads. @throws FencedError */
      readonly fenced?: boolean;
    },
  ): Promise<{ readonly results: DeliverResult[]; readonly rows: readonly InboxRow[] }>;
  appendOutputs(
    term: number,
    batch: OutputBatch,
  ): Promise<{ readonly heldSeq: number; readonly rows: readonly InboxRow[] }>;
  /** The first pending rows that others wrote; from now on they are this leader's own. None: there are no more. */
  adoptInbox(term: number, limit: number): Promise<readonly InboxRow[]>;
  /** Pending rows of this term, by their `seq`: after an unknown outcome. */
  pendingInbox(term: number, page: Page): Promise<readonly InboxRow[]>;
  /** The first pending rows of each of these actors, whoever wrote them, no more than `each`; orders of operators before all others. */
  inboxOf(addresses: readonly Address[], each: number): Promise<readonly InboxRow[]>;
  /** What became of an event; undefined if there is none. */
  inboxState(dedupKey: string): Promise<'pending' | 'done' | 'dead' | undefined>;

  loadActors(addresses: readonly Address[]): Promise<readonly ActorRow[]>;
  /** Timers that are due by `until`. */
  wakeups(until: number): Promise<readonly { readonly address: Address; readonly wakeAt: number }[]>;
  /** Active actors with tasks or with an envelope older than the versions given. */
  actorsToResume(versions: Readonly<Partial<Record<ActorKind, number>>>): Promise<readonly Address[]>;

  deadLetter(id: number): Promise<StoredLetter | undefined>;
  /** The newest poison of an actor that nobody has settled. */
  lastPoison(address: Address): Promise<StoredLetter | undefined>;
  /** The event an actor was made of. */
  birthOf(address: Address): Promise<ChartEvent | undefined>;

  /**
   * Undone effects in the order of asking. Those of earlier terms are taken over; each counts one more attempt, as it may
   * have run. @param page left out: the first ones
   */
  claimEffects(term: number, page?: Page): Promise<readonly ClaimedEffect[]>;
  /** Records outcomes and puts their replies into the inboxes. */
  finishEffects(term: number, outcomes: readonly EffectOutcome[]): Promise<readonly InboxRow[]>;
  retryEffect(
    term: number,
    retry: { readonly key: string; readonly attempts: number; readonly runAt: number; readonly error: string },
  ): Promise<void>;

  /** Calls when another process may have written inbox rows. A hint only. @returns what stops it. */
  onHint(listener: () => void): () => void;
}

export interface EffectOutcome {
  readonly key: string;
  readonly status: 'done' | 'failed';
  readonly attempts: number;
  readonly error: string | undefined;
  readonly at: number;
  readonly reply: InnerItem | undefined;
}
