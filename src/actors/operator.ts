/**
 * What a person may do with an actor that is stuck, and with events that came to nothing. Each is an event in the actor's
 * own inbox, so it is committed, journaled and audited like everything else, and works from a standby, too.
 *
 * | action | with a dead letter | without |
 * |---|---|---|
 * | `retry` | the event is offered again | a parked actor goes on, with the event that parked it first |
 * | `skip` | the letter is settled, the event forgotten | a parked actor goes on without the event that parked it |
 * | `restart` | - | the actor begins anew from what it was made of; its tasks and timers are replaced |
 * | `stop` | - | the actor is done for good; whoever holds a place for it is told |
 */
import type { Address } from '../machines/addresses.ts';

export type OperatorAction = 'retry' | 'skip' | 'restart' | 'stop';

export interface OperatorRequest {
  readonly action: OperatorAction;
  readonly address: Address;
  /** `id` of a dead letter of this actor. */
  readonly letter?: number;
  /** Who asks, for the journal and the audit log. */
  readonly by: string;
}

/** `done`: committed. `refused`: not possible now; `reason` says why, nothing changed. `timeout`: noted, not yet carried out. */
export interface OperatorResult {
  readonly result: 'done' | 'refused' | 'timeout';
  readonly reason: string;
}
