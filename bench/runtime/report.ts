/** What a run of the runtime's benchmark says. */
import type { Machine, Server } from '../machine.ts';
import type { Spread } from '../statistics.ts';

export interface Profile {
  readonly name: 'full' | 'quick';
  readonly rounds: number;
  /** How long each variant runs in each round; three times as long with 500 sessions, whose turns take that much longer. */
  readonly roundMs: number;
  /** Sessions in memory whose heap is measured. */
  readonly hotActors: number;
  readonly coldActors: number;
  readonly liveActors: number;
  readonly bootRounds: number;
}

export const PROFILES: Readonly<Record<Profile['name'], Profile>> = {
  full: {
    name: 'full',
    rounds: 25,
    roundMs: 400,
    hotActors: 2000,
    coldActors: 100_000,
    liveActors: 10_000,
    bootRounds: 9,
  },
  quick: {
    name: 'quick',
    rounds: 3,
    roundMs: 120,
    hotActors: 100,
    coldActors: 2000,
    liveActors: 200,
    bootRounds: 2,
  },
};

/** Between the runtime and the server where a variant is `far`, in each direction. */
export const FAR_MS = 1;

/**
 * The variants of the load: how many sessions are in conversation, how their turns are committed, how many at most in one
 * commit, and whether the server is on this machine or, as far as packets can tell, on another.
 */
export const VARIANTS = {
  one1: { actors: 1, commit: 'one statement', batch: 100, server: 'near' },
  one50: { actors: 50, commit: 'one statement', batch: 100, server: 'near' },
  one500: { actors: 500, commit: 'one statement', batch: 100, server: 'near' },
  trips1: { actors: 1, commit: 'round trips', batch: 100, server: 'near' },
  trips50: { actors: 50, commit: 'round trips', batch: 100, server: 'near' },
  alone50: { actors: 50, commit: 'one statement', batch: 1, server: 'near' },
  farOne1: { actors: 1, commit: 'one statement', batch: 100, server: 'far' },
  farOne50: { actors: 50, commit: 'one statement', batch: 100, server: 'far' },
  farTrips1: { actors: 1, commit: 'round trips', batch: 100, server: 'far' },
  farTrips50: { actors: 50, commit: 'round trips', batch: 100, server: 'far' },
} as const;

export type VariantName = keyof typeof VARIANTS;

export interface VariantReport {
  readonly actors: number;
  readonly commit: string;
  readonly batch: number;
  readonly server: 'near' | 'far';
  /** Figures in units of the bare UPDATE loop of the same round. */
  readonly ratios: {
    /** Turns per second over UPDATEs per second. */
    readonly turns: Spread;
    /** From "delivered" (the caller knows that its event is stored) to "committed", over the median UPDATE. */
    readonly p50: Spread;
    readonly p99: Spread;
    /** From the call of `deliver` to "committed", over the median UPDATE. */
    readonly wholeP50: Spread;
    readonly wholeP99: Spread;
    /** The commit alone, however many turns go into it, over the median UPDATE. */
    readonly commitP50: Spread;
    /** Processor time of this process per turn, over that per UPDATE: hardly depends on what else the machine does. */
    readonly cpu: Spread;
  };
  /** True of this machine in this hour only. */
  readonly absolute: {
    readonly turnsPerSecond: Spread;
    readonly p50Ms: Spread;
    readonly p99Ms: Spread;
    readonly cpuMsPerTurn: Spread;
  };
  readonly turnsPerCommit: number;
  /** Round trips to the server of one commit. */
  readonly statementsPerCommit: number;
  /** Of everything: deliveries, commits, outcomes of effects. */
  readonly statementsPerTurn: number;
}

export interface MemoryReport {
  readonly actors: number;
  /** A busy session's state as it is stored, JSON. */
  readonly storedBytes: number;
  /** Heap per actor once it is in memory with its task and timer, before its first turn. */
  readonly loadedBytes: number;
  /** The same after a turn: the chart's live snapshot is kept with it. */
  readonly hotBytes: number;
  /** What is still held per actor after `stop`. */
  readonly afterStopBytes: number;
}

export interface BootReport {
  readonly actors: number;
  /** Until `start` resolved, over the same with an empty database in the same round. */
  readonly startRatio: Spread;
  readonly startMs: Spread;
  /** Until the first event was committed after that, from the beginning. */
  readonly answerMs: Spread;
  /** Until every task runs. */
  readonly tasksMs: Spread;
  /** Live heap that the runtime adds. */
  readonly heapBytes: Spread;
  /** Statements until `start` resolved. */
  readonly statements: number;
  readonly cachedActors: number;
  readonly runningTasks: number;
}

export interface RuntimeReport {
  readonly benchmark: 'runtime';
  readonly profile: Profile;
  readonly at: string;
  readonly how: string;
  readonly note: string;
  readonly machine: Machine;
  readonly postgres: Server;
  readonly bare: {
    readonly perSecond: Spread;
    readonly p50Ms: Spread;
    readonly cpuMs: Spread;
    /** The same on all connections of the pool at once, over the single loop. */
    readonly allConnectionsRatio: Spread;
  };
  readonly variants: Readonly<Record<VariantName, VariantReport>>;
  readonly comparisons: {
    /** Turns per second, one statement over round trips. */
    readonly oneStatementVersusRoundTrips: {
      readonly near1: Spread;
      readonly near50: Spread;
      readonly far1: Spread;
      readonly far50: Spread;
    };
    /** Duration of the commit of one turn, round trips over one statement. */
    readonly commitOfRoundTripsVersusOneStatement: { readonly near: Spread; readonly far: Spread };
    /** Turns per second of fifty sessions, group commit over a commit per turn. */
    readonly groupCommitVersusAlone: Spread;
  };
  readonly memory: MemoryReport;
  readonly boot: { readonly empty: BootReport; readonly cold: BootReport; readonly live: BootReport };
}
