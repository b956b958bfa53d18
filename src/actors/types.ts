/**
 * The words of the runtime: what is registered with it, what goes in, what comes out.
 * See store.ts for what it asks of a database.
 */
import type { AnyStateMachine } from 'xstate';
import type { ActorKind, Address } from '../machines/addresses.ts';
import type { Effect, ExternalKind, ParamsOf } from '../machines/effects.ts';
import type { ChartEvent } from '../machines/events.ts';
import type { Json, JsonObject } from '../machines/json.ts';
import type { Log } from './log.ts';

// ---------------------------------------------------------------- state

export interface TimerEntry {
  /** Milliseconds since the epoch. */
  readonly due: number;
  readonly event: JsonObject & { readonly type: string };
}

export interface TaskEntry {
  /** Identity of this incarnation: `<address>/<rev>/<task id>`. A completion under another key is stale. */
  readonly key: string;
  readonly src: string;
  readonly input: JsonObject;
  /** It ended and the chart was told; it is kept only because its state is still active. */
  readonly ended?: true;
}

/** All there is to an actor: the `state` column. Plain JSON, no secrets. */
export interface Envelope {
  readonly version: number;
  /** What XState persists, without children (rebuilt from `tasks`). */
  readonly snapshot: JsonObject;
  readonly timers: Readonly<Record<string, TimerEntry>>;
  readonly tasks: Readonly<Record<string, TaskEntry>>;
}

/** `parked`: needs an operator. `done`: its chart reached a final state; kept. `error`: its chart gave up. */
export type ActorStatus = 'active' | 'done' | 'parked' | 'error';

/** An actor as others may see it. */
export interface ActorView {
  readonly address: Address;
  readonly kind: ActorKind;
  readonly status: ActorStatus;
  readonly version: number;
  readonly rev: number;
  readonly value: Json;
  readonly context: JsonObject;
  readonly tags: readonly string[];
  readonly parent: Address | undefined;
  /** The earliest timer, milliseconds since the epoch. */
  readonly wakeAt: number | undefined;
}

// ---------------------------------------------------------------- kinds

export interface SupervisionPolicy {
  /** How often an event may make the chart throw before it is a dead letter. */
  readonly maxAttempts: number;
  /** More dead letters by throwing than this within the window park the actor. */
  readonly parkAfter: number;
  readonly windowMs: number;
  /** Bound of the inbox for public ingress. */
  readonly inboxLimit: number;
}

export interface KindDefinition {
  readonly kind: ActorKind;
  readonly machine: AnyStateMachine;
  /** Raised by one whenever a stored envelope of the older chart needs `migrate`. */
  readonly version: number;
  /**
   * Events that create the actor. The new actor is made from `inputOf`; then the same event is offered to its initial state
   * (and is not a dead letter if the chart has no transition for it there).
   */
  readonly birthEvents: readonly string[];
  inputOf(address: Address, event: ChartEvent): JsonObject;
  /** Column `parent`, for people and supervision. */
  parentOf?(address: Address, event: ChartEvent): Address | undefined;
  /** `migrate[n]` makes an envelope of version n+1 out of one of version n. */
  readonly migrate?: Readonly<Record<number, (envelope: Envelope) => Envelope>>;
  readonly policy?: Partial<SupervisionPolicy>;
  /** Events that people wait for: actors that have one go first when there is more to do than fits into a commit. */
  readonly urgentEvents?: readonly string[];
  /** What happens in the commit that parks, fails or stops an actor: tell the root, tell the thread, let go of what it holds. */
  onTrouble?(trouble: Trouble): readonly Effect[];
}

export interface Trouble {
  readonly address: Address;
  /** `stopped`: an operator ended it for good. */
  readonly status: 'parked' | 'error' | 'stopped';
  readonly reason: string;
  readonly context: JsonObject;
  readonly at: number;
}

// ---------------------------------------------------------------- effects and tasks

export interface EffectRequest<Kind extends ExternalKind = ExternalKind> {
  /** `<actor>/<rev>/<index>`: the same for every attempt. */
  readonly key: string;
  readonly actor: Address;
  readonly kind: Kind;
  readonly params: ParamsOf<Kind>;
  /** 1 for the first. A later one means an earlier may have happened in part or in full. */
  readonly attempt: number;
  /** Milliseconds since the epoch; past it the effect has failed. */
  readonly deadline: number;
}

export interface EffectContext {
  /** Aborted when the process stops or loses the lead, and at the deadline. */
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** A handler or runner may resolve with a result for its chart, or with nothing. */
type Outcome = Promise<JsonObject | undefined> | Promise<void>;

/** Carries out one effect. The result is spread into the `done` event. Must be idempotent under `key`. */
export type EffectHandler<Kind extends ExternalKind> = (
  request: EffectRequest<Kind>,
  context: EffectContext,
) => Outcome;

export type EffectHandlers = { readonly [Kind in ExternalKind]?: EffectHandler<Kind> };

export interface TaskRequest {
  readonly key: string;
  readonly actor: Address;
  /** The `id` of the `invoke`. */
  readonly id: string;
  readonly input: JsonObject;
}

export interface TaskContext {
  /** Aborted when the state is left, the actor ends, or the process stops or loses the lead. */
  readonly signal: AbortSignal;
  /** The leader's term, for whoever must refuse an older one. */
  readonly term: number;
  readonly log: Log;
  /** Puts an event into the inbox of the task's actor; resolves when it is committed there. Rejects once aborted. */
  emit(event: ChartEvent, dedupKey?: string): Promise<void>;
}

/** Runs as long as its state is active. Returning is `onDone`, throwing is `onError`; neither counts after an abort. */
export type TaskRunner = (task: TaskRequest, context: TaskContext) => Outcome;

/** By the `src` of the `invoke`. */
export type TaskRunners = Readonly<Record<string, TaskRunner>>;

// ---------------------------------------------------------------- in and out

/** An event on its way to an actor. */
export interface InboxItem {
  readonly to: Address;
  readonly event: ChartEvent;
  /** The same key is taken once, for ever (as long as done rows are retained). */
  readonly dedupKey: string;
  /** What made it, for the journal: an event's dedup key, a user, a post. */
  readonly cause?: string;
}

export interface CursorMove {
  readonly channelId: string;
  /** Milliseconds since the epoch (the chat server's clock): everything up to here is in the inbox. Never moves back. */
  readonly readUpTo: number;
}

export interface DeliverExtra {
  /** None moves when an item is answered `busy`: its source has to deliver it again, or a refusal in its place. */
  readonly cursors?: readonly CursorMove[];
  /**
   * The term that reads the source. Nothing is written unless it still leads (FencedError): its successor has read on, and
   * what comes late might be out of order or taken back.
   */
  readonly term?: number;
}

/** `accepted`: committed in the inbox. `duplicate`: was there already. `busy`: the inbox is full, nothing was stored. */
export type DeliverResult = 'accepted' | 'duplicate' | 'busy';

export type WaitResult = 'done' | 'duplicate' | 'busy' | 'timeout' | 'dead';

export interface TranscriptRow {
  readonly seq: number;
  readonly firstSeq: number;
  readonly at: number;
  readonly kind: string;
  readonly body: JsonObject;
}

export interface OutputBatch {
  readonly session: Address;
  readonly logId: string;
  readonly rows: readonly TranscriptRow[];
  /** What of it matters to charts. */
  readonly events: readonly InboxItem[];
}

/** Something was committed. In process only, after the fact, never replayed. */
export interface CommitNotice {
  readonly address: Address;
  readonly event: ChartEvent;
  /** Undefined for a birth. */
  readonly from: Json | undefined;
  readonly to: Json;
  readonly rev: number;
  readonly status: ActorStatus;
  readonly effects: readonly Effect[];
}
