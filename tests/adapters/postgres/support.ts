/** What the store's tests have in common: a database that term 1 leads, and a turn to change. */
import type { TurnCommit } from '../../../src/actors/index.ts';
import { createStore } from '../../../src/adapters/postgres/index.ts';
import type { TestPostgres } from '../../support/postgres.ts';

export const S = 'session/s' as const;
export const COMMIT_ID = '00000000-0000-4000-8000-000000000001';

export async function fresh(postgres: TestPostgres) {
  const database = await postgres.freshDatabase();
  await database.rows('update lease set term = 1');
  return { ...database, store: createStore(database.db) };
}

export function turn(fields: Partial<TurnCommit>): TurnCommit {
  const envelope = { version: 1, snapshot: { value: 'open', context: { n: 1 } }, timers: {}, tasks: {} };
  return {
    address: S,
    prevRev: 0,
    actor: {
      kind: 'session',
      version: 1,
      rev: 1,
      status: 'active',
      parent: undefined,
      wakeAt: undefined,
      failures: 0,
      envelope,
    },
    taken: [],
    tried: [],
    tells: [],
    effects: [],
    journal: [],
    deadLetters: [],
    settled: [],
    transcript: [],
    threads: [],
    ...fields,
  };
}
