/** A runtime that leads on a database of its own, and a view on what it does there. */
import { createRuntime, type Runtime, type RuntimeLimits, type RuntimeStore } from '../../src/actors/index.ts';
import { acquireLeadership, createStore, type Database } from '../../src/adapters/postgres/index.ts';
import { KINDS } from './sessions.ts';
import { counting, type Statements } from './statements.ts';

export type Commit = RuntimeStore['commit'];

export interface CommitSample {
  readonly ms: number;
  readonly turns: number;
}

export interface System {
  readonly runtime: Runtime;
  readonly statements: Statements;
  /** Every commit so far. */
  readonly commits: readonly CommitSample[];
  /** Milliseconds until `start` resolved. */
  readonly startMs: number;
  stop(): Promise<void>;
}

export interface SystemOptions {
  readonly limits?: Partial<RuntimeLimits>;
  /** Another way to commit; by default the store's one statement. */
  readonly commit?: (database: Database) => Commit;
}

export async function startSystem(database: Database, options: SystemOptions = {}): Promise<System> {
  const { db, statements } = counting(database);
  const store = createStore(db);
  const commit = options.commit?.(db) ?? store.commit;
  const commits: CommitSample[] = [];
  const timed: Commit = async (term, commitId, turns) => {
    const from = performance.now();
    const outcome = await commit(term, commitId, turns);
    commits.push({ ms: performance.now() - from, turns: turns.length });
    return outcome;
  };
  const leadership = await acquireLeadership(database);
  const from = performance.now();
  const runtime = createRuntime({
    kinds: KINDS,
    store: { ...store, commit: timed },
    // The agent is always there at once: what is measured is the runtime.
    handlers: { 'worker.prompt': async () => undefined },
    tasks: { workerLink: untilAborted },
    limits: options.limits ?? {},
  });
  await runtime.start({ term: leadership.term, certain: () => leadership.certain() });
  return {
    runtime,
    statements,
    commits,
    startMs: performance.now() - from,
    async stop() {
      await runtime.stop();
      await leadership.release();
    },
  };
}

function untilAborted(_task: unknown, { signal }: { readonly signal: AbortSignal }): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** @throws Error when it takes longer than two minutes. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
