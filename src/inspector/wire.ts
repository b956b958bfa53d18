/** What the server and the page say to each other: JSON of the types in ports.ts, and these. */
import type { RuntimeStats } from '../actors/api.ts';
import type { OperatorAction, OperatorResult } from '../actors/operator.ts';
import type { ActorStatus } from '../actors/types.ts';
import type { ActorKind } from '../machines/addresses.ts';
import type { Json } from '../machines/json.ts';
import type { ActorDetail, ActorLine, EffectLine, JournalLine, Letter, Overview, PendingEvent } from './ports.ts';

/** `GET /api/overview` */
export interface OverviewAnswer extends Overview {
  readonly version: string;
  readonly kinds: readonly {
    readonly kind: ActorKind;
    readonly version: number;
    /** Names in the order of the chart: the database keeps none. */
    readonly states: readonly string[];
  }[];
  /** Operator actions are allowed. */
  readonly maySend: boolean;
  readonly leading: boolean;
}

/** `GET /api/actors?kind&status&search&before` */
export interface ActorsAnswer {
  readonly actors: readonly ActorLine[];
  /** For the next page; absent on the last. */
  readonly next?: string;
}

/** `GET /api/actor?address` */
export interface ActorAnswer {
  readonly actor: ActorDetail;
  readonly inbox: readonly PendingEvent[];
  readonly effects: readonly EffectLine[];
  readonly now: number;
}

/** `GET /api/journal?address&before` */
export interface JournalAnswer {
  readonly lines: readonly JournalLine[];
  readonly next?: number;
}

/** `GET /api/letters?address&before` */
export interface LettersAnswer {
  readonly letters: readonly Letter[];
  readonly next?: number;
}

/** `POST /api/operate` */
export interface OperateBody {
  readonly action: OperatorAction;
  readonly address: string;
  readonly letter?: number;
}
export type OperateAnswer = OperatorResult;

/** Of any request that failed, in words for the person who asked. */
export interface ErrorAnswer {
  readonly error: string;
}

/** `GET /api/events`, event `changes`: a list of these. A standby knows only that something changed. */
export interface Change {
  readonly address: string;
  readonly rev: number;
  readonly status?: ActorStatus;
  readonly value?: Json;
  readonly event?: string;
}

/** `GET /api/events`, event `pulse`: at the beginning and every few seconds. */
export interface Pulse
  extends Pick<RuntimeStats, 'leading' | 'pendingEvents' | 'pendingEffects' | 'runningEffects' | 'runningTasks'> {
  readonly now: number;
}
