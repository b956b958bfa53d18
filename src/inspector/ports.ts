/**
 * What the inspector asks of others. Reads go to the database, so that a standby shows the same as the leader; what the
 * process itself knows (commits as they happen, operator actions) comes from the runtime.
 */
import type { RuntimeStats } from '../actors/api.ts';
import type { OperatorRequest, OperatorResult } from '../actors/operator.ts';
import type { DeadReason } from '../actors/store.ts';
import type { ActorStatus, CommitNotice, Envelope } from '../actors/types.ts';
import type { ActorKind, Address } from '../machines/addresses.ts';
import type { Json, JsonObject } from '../machines/json.ts';

/** Every list is bounded by `limit`, every page begins where the one before ended. Times are milliseconds since the epoch. */
export interface InspectorStore {
  overview(): Promise<Overview>;
  /** Newest change first. */
  actors(query: ActorQuery): Promise<readonly ActorLine[]>;
  actor(address: Address): Promise<ActorDetail | undefined>;
  /** Events that wait, oldest first. */
  inbox(address: Address, limit: number): Promise<readonly PendingEvent[]>;
  /** Requests that are not done, oldest first. */
  effects(address: Address, limit: number): Promise<readonly EffectLine[]>;
  /** Newest first. @param before a revision; only older ones. */
  journal(address: Address, before: number | undefined, limit: number): Promise<readonly JournalLine[]>;
  revision(address: Address, rev: number): Promise<Revision | undefined>;
  /** Unsettled letters, newest first. @param before an id; only older ones. */
  letters(address: Address | undefined, before: number | undefined, limit: number): Promise<readonly Letter[]>;
  /** What changed since: for a process that does not lead. */
  changes(since: ChangeMark, limit: number): Promise<Changes>;
}

export interface Overview {
  readonly now: number;
  readonly term: number;
  readonly holder: string;
  readonly leaderSince: number;
  readonly counts: readonly { readonly kind: ActorKind; readonly status: ActorStatus; readonly count: number }[];
  /** Unsettled. */
  readonly letters: number;
}

export interface ActorQuery {
  readonly kind: ActorKind | undefined;
  readonly status: ActorStatus | undefined;
  /** Part of an address. */
  readonly search: string;
  readonly before: { readonly updatedAt: number; readonly address: string } | undefined;
  readonly limit: number;
}

export interface ActorLine {
  readonly address: Address;
  readonly kind: ActorKind;
  readonly status: ActorStatus;
  readonly rev: number;
  readonly value: Json;
  readonly failures: number;
  readonly wakeAt: number | undefined;
  readonly updatedAt: number;
  /** Events that wait. */
  readonly inbox: number;
  /** Unsettled dead letters. */
  readonly letters: number;
  readonly busy: boolean;
}

export interface ActorDetail {
  readonly address: Address;
  readonly kind: ActorKind;
  readonly status: ActorStatus;
  readonly version: number;
  readonly rev: number;
  readonly term: number;
  readonly parent: Address | undefined;
  readonly wakeAt: number | undefined;
  readonly failures: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly envelope: Envelope;
  readonly inbox: number;
  readonly letters: number;
}

export interface PendingEvent {
  readonly seq: number;
  readonly event: JsonObject;
  readonly cause: string | undefined;
  readonly attempts: number;
  readonly createdAt: number;
}

export interface EffectLine {
  readonly key: string;
  readonly kind: string;
  readonly params: JsonObject;
  readonly attempts: number;
  readonly runAt: number;
  readonly deadline: number;
  readonly error: string | undefined;
}

export interface JournalLine {
  readonly rev: number;
  readonly at: number;
  readonly eventType: string;
  readonly cause: string | undefined;
  readonly value: Json;
  readonly effects: readonly string[];
}

export interface Revision {
  readonly rev: number;
  readonly at: number;
  readonly event: JsonObject;
  readonly cause: string | undefined;
  readonly value: Json;
  readonly context: JsonObject;
  readonly effects: readonly JsonObject[];
  readonly version: number;
  /** State before it; undefined for a birth and where the journal was cut. */
  readonly before: Json | undefined;
  /** What became of the requests among its effects. */
  readonly outcomes: readonly EffectOutcomeLine[];
}

export interface EffectOutcomeLine {
  /** Place among the effects. */
  readonly index: number;
  readonly status: string;
  readonly attempts: number;
  readonly runAt: number;
  readonly doneAt: number | undefined;
  readonly error: string | undefined;
}

export interface Letter {
  readonly id: number;
  readonly address: Address;
  readonly reason: DeadReason;
  readonly event: JsonObject;
  readonly cause: string | undefined;
  readonly error: string | undefined;
  readonly at: number;
}

/** How far a poll has seen. */
export interface ChangeMark {
  readonly at: number;
  readonly letter: number;
}

export interface Changes {
  readonly mark: ChangeMark;
  readonly actors: readonly { readonly address: Address; readonly rev: number }[];
}

/** The part of the running actor system that the inspector sees. */
export interface InspectorRuntime {
  onCommit(listener: (notice: CommitNotice) => void): () => void;
  stats(): Pick<RuntimeStats, 'leading' | 'pendingEvents' | 'pendingEffects' | 'runningEffects' | 'runningTasks'>;
  operate(request: OperatorRequest): Promise<OperatorResult>;
}

export interface InspectorLog {
  info(detail: object, message: string): void;
  warn(detail: object, message: string): void;
  error(detail: object, message: string): void;
}
