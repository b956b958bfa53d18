/**
 * What the runtime and the flows ask of a database. adapters/postgres implements both halves as one object.
 *
 * Every method is one statement, atomic, and rejects with
 * - FencedError when `term` is not the leader's any more (nothing was written),
 * - BadDataError when the database refuses the rows whoever writes them,
 * - UnknownOutcomeError when the connection was lost under way,
 * - RetryableError for anything that may pass.
 * Times are milliseconds since the epoch.
 */
import type { ActorKind, Address } from '../machines/addresses.ts';
import type { Effect, ExternalKind, Reply } from '../machines/effects.ts';
import type { ChartEvent } from '../machines/events.ts';
import type { Json, JsonObject } from '../machines/json.ts';
import type { Person } from '../machines/session/context.ts';
import type {
  ActorStatus,
  CursorMove,
  DeliverResult,
  Envelope,
  InboxItem,
  OutputBatch,
  TranscriptRow,
} from './types.ts';

export type Store = RuntimeStore & StorePorts;

// ---------------------------------------------------------------- rows

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

// ---------------------------------------------------------------- the flows' half

export interface ThreadRow {
  readonly session: Address;
  readonly rootId: string;
  readonly channelId: string;
}

export interface ShownThread extends ThreadRow {
  /** The row of the transcript up to which it stands for good. */
  readonly settled: number;
}

export interface StoredOutput extends TranscriptRow {
  /** Position in the session's transcript: rows committed later have higher ids. */
  readonly id: number;
  readonly logId: string;
}

export type PostState = 'creating' | 'posted' | 'gone';

export interface PostRow {
  readonly key: string;
  readonly session: Address;
  readonly channelId: string;
  readonly rootId: string;
  readonly postId: string | undefined;
  readonly contentHash: string | undefined;
  readonly state: PostState;
  /** When creation was first tried. */
  readonly attemptAt: number;
}

export interface AuditEntry {
  /** Written once per key. */
  readonly key: string;
  readonly at: number;
  readonly action: string;
  readonly who: string;
  readonly subject: string;
  readonly detail: JsonObject;
}

export interface GrantRow {
  readonly id: string;
  readonly approval: Address;
  readonly session: Address;
  readonly host: string;
  readonly scope: string;
  readonly openedAt: number;
  readonly expiresAt: number | undefined;
  readonly revokedAt: number | undefined;
  readonly detail: JsonObject;
}

export interface ActorSummary {
  readonly address: Address;
  readonly kind: ActorKind;
  readonly status: ActorStatus;
  readonly version: number;
  readonly rev: number;
  readonly parent: Address | undefined;
  readonly value: Json;
  readonly context: JsonObject;
  readonly wakeAt: number | undefined;
  readonly updatedAt: number;
}

export interface ActorFilter {
  readonly kind?: ActorKind;
  readonly status?: ActorStatus;
  /** Top-level states of the chart. */
  readonly states?: readonly string[];
  /** Beginning of the address after its kind. */
  readonly keyPrefix?: string;
}

export interface ActorCount {
  readonly kind: ActorKind;
  readonly status: ActorStatus;
  readonly state: string;
  readonly count: number;
}

/** What is kept, and how much is deleted by one statement. Ages in milliseconds, by the database's clock. */
export interface Retention {
  /** Rows per statement. */
  readonly batch: number;
  /** Events that were dealt with. Longer than anything may come again: chat posts are read up from their cursor. */
  readonly doneEventsMs: number;
  /** Effects that were done or have failed. */
  readonly doneEffectsMs: number;
  /** Dead letters an operator has dealt with, since then. */
  readonly settledLettersMs: number;
  /** Dead letters nobody has dealt with; those of parked actors stay. */
  readonly openLettersMs: number;
  /** Journal rows kept of each actor: the newest, and always the first. */
  readonly journalRows: number;
  /** What was said in sessions that ended, and the keys of its posts, since the end. */
  readonly endedSessionsMs: number;
}

export type PrunedTable = 'inbox' | 'effect' | 'dead_letter' | 'journal' | 'transcript' | 'chat_post';

/** Where the walk over the actors stands. */
export interface PruneCursor {
  readonly after: string;
  /** All were visited: only what goes by age alone is left. */
  readonly walked: boolean;
}

export interface Pruned {
  readonly deleted: Readonly<Record<PrunedTable, number>>;
  /** To go on with; undefined when nothing is left to delete. */
  readonly next: PruneCursor | undefined;
}

export interface StorePorts {
  /** A real round trip. @throws RetryableError when it takes longer than `timeoutMs`. */
  health(timeoutMs: number): Promise<void>;
  listActors(filter?: ActorFilter): Promise<readonly ActorSummary[]>;
  /** How many there are of each kind, status and top-level state. */
  countActors(): Promise<readonly ActorCount[]>;

  /** Where the worker's newest log of a session stands; undefined before the first output. */
  resumePoint(session: Address): Promise<{ readonly logId: string; readonly seq: number } | undefined>;
  /** In order of commit. Reading on after the last id seen misses nothing. */
  readTranscript(session: Address, afterId?: number): Promise<readonly StoredOutput[]>;

  /** What turns that ended since then have cost, in USD: all, and those that this person's words began. */
  spentSince(at: number, userId: string): Promise<{ readonly all: number; readonly user: number }>;

  /** Threads that changed since they were last cleaned. `mark` goes back into `cleanThread`. */
  dirtyThreads(): Promise<readonly { readonly session: Address; readonly mark: number }[]>;
  /** What waits: how long the oldest due effect has been, 0 if none is, and dead letters that nobody has settled. */
  backlog(): Promise<{
    readonly oldestEffectMs: number;
    readonly deadLetters: readonly { readonly reason: DeadReason; readonly count: number }[];
  }>;

  /** Undefined while this thread is clean. */
  dirtyMark(session: Address): Promise<number | undefined>;
  /**
   * What was dirty up to `mark` is shown. A change after the mark was read keeps the thread dirty.
   * @param settled the row of the transcript up to which the thread stands for good
   */
  cleanThread(session: Address, mark: number, settled: number): Promise<void>;
  findThread(rootId: string): Promise<ThreadRow | undefined>;
  threadOf(session: Address): Promise<ShownThread | undefined>;
  /** Sessions with a thread there whose chart is in one of these top-level states. */
  sessionsInChannel(channelId: string, states: readonly string[]): Promise<readonly ThreadRow[]>;

  /** Notes that a post is about to be made. @returns the row as it was before, undefined if this is the first attempt. */
  reservePost(post: {
    readonly key: string;
    readonly session: Address;
    readonly channelId: string;
    readonly rootId: string;
    readonly at: number;
  }): Promise<PostRow | undefined>;
  postCreated(key: string, postId: string, contentHash: string): Promise<void>;
  postPatched(key: string, contentHash: string): Promise<void>;
  postGone(key: string): Promise<void>;
  postsOf(session: Address): Promise<readonly PostRow[]>;
  findPost(postId: string): Promise<PostRow | undefined>;

  chatCursors(): Promise<readonly CursorMove[]>;
  projectChannel(repo: string): Promise<string | undefined>;
  projectChannels(): Promise<readonly { readonly repo: string; readonly channelId: string }[]>;
  /** Whether the channel is a repository's own. */
  isProjectChannel(channelId: string): Promise<boolean>;
  /** @returns the channel that holds for the repo: the first one put wins. */
  putProjectChannel(repo: string, channelId: string, options?: { readonly replace?: boolean }): Promise<string>;

  /** How much the threads of a repository's channel show; undefined if that was never set. */
  channelVerbosity(channelId: string): Promise<string | undefined>;
  /** @param verbosity empty: none of its own. @returns false if the channel is no repository's */
  setChannelVerbosity(channelId: string, verbosity: string): Promise<boolean>;
  /** Who wrote these posts, by what the session heard of them; of posts that it did not hear, nobody. */
  heardFrom(session: Address, postIds: readonly string[]): Promise<readonly Person[]>;
  /** Which of these people do not want to be mentioned. */
  withoutNotices(userIds: readonly string[]): Promise<readonly string[]>;
  putNotices(userId: string, on: boolean): Promise<void>;

  /** The host key (`type base64`) that was trusted first for this `host:port`. */
  hostKey(target: string): Promise<string | undefined>;
  /** @returns the key that counts: the first ever kept for this `host:port`. */
  keepHostKey(target: string, key: string): Promise<string>;

  putGrant(grant: GrantRow): Promise<void>;
  revokeGrant(id: string, at: number): Promise<void>;
  activeGrants(at: number): Promise<readonly GrantRow[]>;
  /** Hosts that this program has entered into the firewall (`detail.claimed`) and not taken out again. */
  claimedHosts(): Promise<readonly string[]>;
  /** Before it enters them: from then on they are its own to take out. */
  claimHosts(hosts: readonly string[]): Promise<void>;
  /** They were taken out: who enters one of them from now on is somebody else. Hosts of active grants stay claimed. */
  releaseHosts(hosts: readonly string[], at: number): Promise<void>;

  /** Deletes one batch of what is too old, never anything pending, nothing of the audit log and no actor. */
  prune(retention: Retention, from?: PruneCursor): Promise<Pruned>;

  appendAudit(entry: AuditEntry): Promise<void>;
  /** Recomputes the hash chain. @returns the id of the first row that does not fit. */
  verifyAudit(): Promise<{ readonly rows: number; readonly brokenAt: number | undefined }>;
}
