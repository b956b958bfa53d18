/**
 * The actor runtime. A chart decides, one statement commits, then effects and tasks are carried out.
 *
 * Signatures, in the order a program uses them:
 * ```ts
 * // adapters/postgres
 * openDatabase({ url, ... }): Database                        // a pool
 * migrateDatabase(db): Promise<void>                          // brings the schema up to date
 * createStore(db): Store                                      // RuntimeStore & StorePorts
 * acquireLeadership(db, { signal?, charts?, onWaiting? }): Promise<{ term, lost, certain(), release() }>
 * // actors
 * createRuntime({ kinds, store, handlers, tasks, clock?, log?, limits?, faults? }): Runtime
 * runtime.deliver(...)                                        // works from here on, also on a standby
 * runtime.start({ term, catchUp? })                           // leads
 * runtime.stop()
 * ```
 */
export type * from './api.ts';
export { type Clock, LONGEST_DELAY, systemClock } from './clock.ts';
export {
  BadDataError,
  type Failure,
  FencedError,
  failureOf,
  RetryableError,
  TerminalError,
  UnknownOutcomeError,
} from './errors.ts';
export type { FaultPoint, FaultPoints } from './faults.ts';
export { type Log, silentLog } from './log.ts';
export { createOperator, type OperatorAction, type OperatorRequest, type OperatorResult } from './operator.ts';
export { createRuntime } from './runtime.ts';
export type * from './store.ts';
export { cleanJson } from './text.ts';
export type * from './types.ts';
