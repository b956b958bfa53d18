/** Sessions in conversation, each with one event on its way at any time: the next is delivered when it is committed. */
import type { Address } from '../../src/machines/addresses.ts';
import { cpuMs } from '../machine.ts';
import { conversationEvent } from './sessions.ts';
import type { System } from './system.ts';

/** A turn that takes longer than this has been lost. */
const STUCK_MS = 60_000;

export interface LoadResult {
  /** All that were committed: those of the delivered events, and those that results of effects made. */
  readonly turns: number;
  readonly perSecond: number;
  /** Milliseconds from "delivered" (the caller was told that its event is stored) to "committed" (its turn is). */
  readonly latencies: readonly number[];
  /** Milliseconds from the call of `deliver` to "committed". */
  readonly wholes: readonly number[];
  /** Milliseconds per commit, and how many turns went into them. */
  readonly commitMs: readonly number[];
  readonly commits: number;
  /** Statements of the commits alone, then of everything: deliveries, commits, outcomes of effects. */
  readonly commitStatements: number;
  readonly statements: number;
  /** Processor time of this process per turn. */
  readonly cpuMs: number;
}

export interface Load {
  /** @param actors so many at the same time. @throws Error when a turn is lost. */
  run(actors: number, ms: number): Promise<LoadResult>;
}

export function createLoad(system: System, sessions: readonly Address[], commitNames: readonly string[]): Load {
  const { runtime, statements } = system;
  const next = new Map(sessions.map((address) => [address, 0]));
  const awaited = new Map<Address, { readonly type: string; resolve(at: number): void }>();
  runtime.onCommit(({ address, event }) => {
    const waiting = awaited.get(address);
    if (waiting?.type === event.type) waiting.resolve(performance.now());
  });
  const commitStatements = () => commitNames.reduce((sum, name) => sum + statements.of(name), 0);

  return {
    async run(actors, ms) {
      const latencies: number[] = [];
      const wholes: number[] = [];
      const before = {
        turns: runtime.stats().turns,
        commits: system.commits.length,
        inCommits: commitStatements(),
        all: statements.total(),
      };
      const cpuBefore = cpuMs();
      const started = performance.now();

      async function converse(address: Address): Promise<void> {
        while (performance.now() - started < ms) {
          const n = next.get(address) ?? 0;
          next.set(address, n + 1);
          const item = conversationEvent(address, n);
          const committed = new Promise<number>((resolve) => awaited.set(address, { type: item.event.type, resolve }));
          const called = performance.now();
          const [result] = await runtime.deliver([item]);
          const delivered = performance.now();
          if (result !== 'accepted') throw new Error(`${address}: ${result}`);
          const at = await committed;
          latencies.push(at - delivered);
          wholes.push(at - called);
        }
      }

      await unlessStuck(Promise.all(sessions.slice(0, actors).map(converse)), ms + STUCK_MS);
      const elapsed = performance.now() - started;
      const turns = runtime.stats().turns - before.turns;
      const commits = system.commits.slice(before.commits);
      return {
        turns,
        perSecond: (turns * 1000) / elapsed,
        latencies,
        wholes,
        commitMs: commits.map((commit) => commit.ms),
        commits: commits.length,
        commitStatements: commitStatements() - before.inCommits,
        statements: statements.total() - before.all,
        cpuMs: (cpuMs() - cpuBefore) / turns,
      };
    },
  };
}

async function unlessStuck(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const stuck = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('a turn was lost: its event was never committed')), ms);
  });
  try {
    await Promise.race([work, stuck]);
  } finally {
    clearTimeout(timer);
  }
}
