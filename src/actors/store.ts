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
import type { RuntimeStore } from './runtimeStore.ts';
import type { StorePorts } from './storePorts.ts';

export type * from './runtimeStore.ts';
export type * from './storePorts.ts';

export type Store = RuntimeStore & StorePorts;
