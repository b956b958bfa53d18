/** The flows' half of the store: threads, posts, people, grants, the record of what was done. See ./store.ts. */
import type { ActorKind, Address } from '../machines/addresses.ts';
import type { Json, JsonObject } from '../machines/json.ts';
import type { Person } from '../machines/session/context.ts';
import type { DeadReason } from './runtimeStore.ts';
import type { ActorStatus, CursorMove, TranscriptRow } from './types.ts';

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
  /** Whether a repository's channel is sorted and has its members; a new one, or one put in the place of another, is not. */
  isFurnished(channelId: string): Promise<boolean>;
  putFurnished(channelId: string): Promise<void>;

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
  /** @param under the key of what ends it, by which it is found again */
  revokeGrant(id: string, at: number, under?: string): Promise<void>;
  /** Ended under this key. */
  grantsRevokedUnder(key: string): Promise<readonly GrantRow[]>;
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
