/** What the rest of the program calls: the running actor system. */
import type { Address } from '../machines/addresses.ts';
import type { Clock } from './clock.ts';
import type { FaultPoints } from './faults.ts';
import type { Log } from './log.ts';
import type { OperatorRequest, OperatorResult } from './operator.ts';
import type { Degradation } from './persistence.ts';
import type { RuntimeStore } from './store.ts';
import type {
  ActorView,
  CommitNotice,
  DeliverExtra,
  DeliverResult,
  EffectHandlers,
  InboxItem,
  KindDefinition,
  OutputBatch,
  TaskRunners,
  WaitResult,
} from './types.ts';

export interface RuntimeOptions {
  readonly kinds: readonly KindDefinition[];
  readonly store: RuntimeStore;
  readonly handlers: EffectHandlers;
  readonly tasks: TaskRunners;
  readonly clock?: Clock;
  readonly log?: Log;
  readonly limits?: Partial<RuntimeLimits>;
  readonly faults?: FaultPoints;
}

export interface RuntimeLimits {
  /** Actors in one commit. */
  readonly batch: number;
  /** Events of one actor folded into one commit. */
  readonly fold: number;
  /** Actors kept in memory while nothing happens to them. */
  readonly cached: number;
  /** Pending events kept in memory; those of further actors stay in the database until their actor's turn comes. */
  readonly events: number;
  /** Undone effects read into memory; what was asked for later stays in the database until there is room. */
  readonly effects: number;
  /** How often rows that other processes wrote are looked for; NOTIFY makes it faster. At least 1,000 ms. */
  readonly pollMs: number;
  /** Deliveries from outside that may wait for the database; more are answered with `busy`. */
  readonly deliveries: number;
}

export interface StartOptions {
  /** From `acquireLeadership`. */
  readonly term: number;
  /** Called at most once, when this process may not lead any more (a write was fenced): stop it. */
  readonly onFenced?: (reason: string) => void;
  /** From `Leadership.certain`: asked before anything is done to the outside. */
  readonly certain?: () => boolean;
  /** Timers that came due while nobody ran fire only after this resolves: what people did meanwhile is read first. */
  readonly catchUp?: () => Promise<void>;
}

export interface Runtime {
  /** Leads: loads due work, restarts the tasks of active actors, takes over undone effects. May be called again after `stop`. */
  start(options: StartOptions): Promise<void>;
  /** Stops turns, effects and tasks; resolves when none runs. What is undone stays for the next leader. */
  stop(): Promise<void>;
  /**
   * Public ingress, also on a standby. Results are in the order of the items. Resolves when committed: acknowledge the
   * source then. Refuses `xstate.*` and malformed addresses with a TerminalError; text is cleaned (U+0000, lone surrogates).
   */
  deliver(items: readonly InboxItem[], extra?: DeliverExtra): Promise<DeliverResult[]>;
  /**
   * Delivers and waits until the event was taken in a committed turn.
   * `duplicate`: it had been taken before. `dead`: it became a dead letter (nobody there, not enabled, poison).
   */
  deliverAndWait(item: InboxItem, options: { readonly timeoutMs: number }): Promise<WaitResult>;
  /** What a person may do with an actor that is stuck; also on a standby. See operator.ts. */
  operate(request: OperatorRequest): Promise<OperatorResult>;
  /** Worker outputs: transcript rows and the events among them, in one statement. @returns the highest seq held. */
  appendOutputs(batch: OutputBatch): Promise<number>;

  /** From memory or the database. */
  read(address: Address): Promise<ActorView | undefined>;
  /** Whether this process leads beyond doubt. To be asked before anything is done to the outside that no term guards. */
  leads(): boolean;
  onCommit(listener: (notice: CommitNotice) => void): () => void;
  /** A thread has something new to show. A hint; `dirtyThreads()` of the store is the truth. */
  onDirty(listener: (notice: DirtyNotice) => void): () => void;
  /** Figures for metrics and health. */
  stats(): RuntimeStats;
}

export interface DirtyNotice {
  readonly session: Address;
  /** Of the rows that its transcript got. */
  readonly kinds: readonly string[];
}

export interface RuntimeStats {
  readonly leading: boolean;
  /** In memory; of very many, the others wait in the database. */
  readonly pendingEvents: number;
  readonly pendingEffects: number;
  readonly runningEffects: number;
  readonly runningTasks: number;
  readonly commits: number;
  readonly turns: number;
  readonly deadLetters: number;
  readonly cachedActors: number;
  /** Actors whose stored state this program cannot read; they are left alone. */
  readonly unreadable: number;
  /** Timers of the near future that are armed in memory. */
  readonly alarms: number;
  /** Set while the database does not answer a leader. */
  readonly degraded: Degradation | undefined;
}
