/** PostgreSQL: the store of actors and of everything the flows remember. */
export { type Database, type DatabaseOptions, openDatabase } from './database.ts';
export { createInspectorStore } from './inspect.ts';
export { acquireLeadership, type Leadership, type LeadershipOptions, type WaitingFor } from './leadership.ts';
export { migrateDatabase } from './migrate.ts';
export { forgetCharts, newerStates } from './olderCharts.ts';
export { readAudit, verifyAudit } from './sql/audit.ts';
export { DEFAULT_RETENTION } from './sql/prune.ts';
export type { DatabaseState } from './state.ts';
export { createStore } from './store.ts';
