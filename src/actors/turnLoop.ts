/**
 * Takes ready actors in batches, plans their turns, commits them in one statement. While one commit is on its way, what
 * becomes ready waits for the next: a batch of one when idle, of many when busy, without a timer. An actor is planned again
 * only when its batch has returned.
 */
import type { ActorKind, Address } from '../machines/addresses.ts';
import { kindOf } from '../machines/addresses.ts';
import type { RuntimeLimits } from './api.ts';
import type { Clock } from './clock.ts';
import { commitTurns } from './commits.ts';
import { FencedError } from './errors.ts';
import type { FaultPoints } from './faults.ts';
import type { Log } from './log.ts';
import { createMailboxes } from './mailboxes.ts';
import type { Persistence } from './persistence.ts';
import { createReadyQueue } from './readyQueue.ts';
import type { RegisteredKind } from './register.ts';
import type { InboxRow, RuntimeStore } from './store.ts';
import { type LoadedActor, planTurn, type Turn } from './turn.ts';

/** Between two attempts at an event that makes its chart throw. */
const THROW_PAUSE_MS = 50;
/** Until a turn is tried again that the database refuses even with its event buried. */
const REFUSED_PAUSE_MS = 30_000;
/** After a batch that failed for no reason the loop knows. */
const UNEXPECTED_PAUSE_MS = 1000;

export interface TurnLoopOptions {
  readonly term: number;
  readonly kinds: ReadonlyMap<ActorKind, RegisteredKind>;
  readonly store: RuntimeStore;
  readonly persistence: Persistence;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: RuntimeLimits;
  readonly faults: FaultPoints | undefined;
  /** Whether timers that are due fire. */
  fireTimers(): boolean;
  /** An actor came into memory. */
  onLoaded(address: Address, actor: LoadedActor): void;
  onCommitted(turn: Turn): void;
  /** What is pending in the database is not known in full any more. */
  onUncertain(): Promise<void>;
  onFenced(reason: string): void;
}

export interface TurnLoop {
  /** Turns begin: what was pending before is known. Until then events are only accepted. */
  begin(): void;
  /** Rows that are in the database now. */
  accept(rows: readonly InboxRow[]): void;
  /** The actor may have something to do: an event, a due timer, a chart to migrate. */
  wake(address: Address): void;
  cached(address: Address): LoadedActor | undefined;
  /** Resolves when no batch runs. */
  stop(): Promise<void>;
  figures(): {
    readonly pendingEvents: number;
    readonly cachedActors: number;
    readonly unreadable: number;
    readonly commits: number;
  };
}

export function createTurnLoop(options: TurnLoopOptions): TurnLoop {
  const { term, kinds, store, persistence, clock, log, limits, faults } = options;
  const mailboxes = createMailboxes(limits.events);
  const cache = new Map<Address, LoadedActor>();
  const ready = createReadyQueue();
  const troubles = new Map<Address, readonly number[]>();
  const refusals = new Map<Address, string>();
  const unreadable = new Set<Address>();
  const pauses = new Set<() => void>();
  let running = true;
  let begun = false;
  let loop: Promise<void> | undefined;
  let commits = 0;

  function accept(rows: readonly InboxRow[]): void {
    for (const address of mailboxes.add(rows)) wake(address);
  }

  function wake(address: Address): void {
    if (!running || unreadable.has(address)) return;
    ready.add(address, isUrgent(address));
    run();
  }

  function run(): void {
    if (!begun) return;
    loop ??= drain().finally(() => {
      loop = undefined;
      // Somebody became ready after the loop had looked for the last time.
      if (running && ready.size() > 0) run();
    });
  }

  function isUrgent(address: Address): boolean {
    const urgent = kinds.get(kindOf(address))?.urgentEvents;
    return urgent !== undefined && mailboxes.of(address).some(({ event }) => urgent.includes(event.type));
  }

  async function drain(): Promise<void> {
    // Whatever arrives in the same tick goes into the same commit.
    await Promise.resolve();
    while (running && ready.size() > 0) {
      try {
        await runBatch();
      } catch (error) {
        if (error instanceof FencedError) fence(error.message);
        else if (running) {
          log.error({ err: error }, 'a batch of turns failed');
          await pause(UNEXPECTED_PAUSE_MS);
        }
      }
    }
  }

  async function runBatch(): Promise<void> {
    const batch = ready.take(limits.batch);
    try {
      await load(batch);
      await readEvents(batch);
      const turns = batch.flatMap((address) => plan(address) ?? []);
      if (turns.length === 0) {
        evict();
        return;
      }
      await faults?.('after-decide');
      if (!running) return;
      const outcome = await commitTurns(store, term, turns, persistence.insist);
      commits += 1;
      await faults?.('after-commit');
      for (const turn of turns) {
        const { address } = turn.commit;
        const refusal = outcome.refused.get(address);
        if (outcome.committed.has(address)) committed(turn);
        else if (refusal !== undefined) refused(address, refusal);
        else {
          // Somebody else wrote it, or took its events: what is in memory is out of date.
          cache.delete(address);
          mailboxes.forget(address);
          ready.add(address);
        }
      }
      accept(outcome.delivered);
      if (outcome.uncertain) await options.onUncertain();
    } catch (error) {
      for (const address of batch) {
        cache.delete(address);
        ready.add(address);
      }
      throw error;
    }
    evict();
  }

  async function load(addresses: readonly Address[]): Promise<void> {
    const missing = addresses.filter((address) => !cache.has(address));
    if (missing.length === 0) return;
    for (const row of await persistence.insist(() => store.loadActors(missing), 'again')) {
      const { rev, status, parent, failures, envelope } = row;
      const actor = { rev, status, parent, failures, envelope };
      try {
        options.onLoaded(row.address, actor);
        cache.set(row.address, actor);
      } catch (error) {
        leaveAlone(row.address, error);
      }
    }
  }

  async function readEvents(addresses: readonly Address[]): Promise<void> {
    const wanted = mailboxes.toRead(addresses);
    if (wanted.length === 0) return;
    // No more than the turn can take: the rest would stay in memory until the next one.
    const each = limits.fold;
    const found = await persistence.insist(() => store.inboxOf(wanted, each), 'again');
    for (const address of wanted) {
      const rows = found.filter(({ to }) => to === address);
      mailboxes.fill(address, rows, rows.length < each);
    }
  }

  /** A stored envelope this program cannot read: never written over, left for a program that can. */
  function leaveAlone(address: Address, error: unknown): void {
    log.error({ actor: address, err: error }, 'an actor cannot be loaded and is left alone');
    unreadable.add(address);
  }

  function plan(address: Address): Turn | undefined {
    if (unreadable.has(address)) return undefined;
    const refusal = refusals.get(address);
    try {
      return planTurn({
        address,
        kind: kinds.get(kindOf(address)),
        actor: cache.get(address),
        rows: mailboxes.of(address),
        now: clock.now(),
        fireTimers: options.fireTimers(),
        fold: refusal === undefined ? limits.fold : 1,
        troubles: troubles.get(address) ?? [],
        ...(refusal === undefined ? {} : { refusal }),
      });
    } catch (error) {
      leaveAlone(address, error);
      return undefined;
    }
  }

  /** Next its first event is buried. If that is refused as well, there is no hurry any more. */
  function refused(address: Address, reason: string): void {
    log.error({ actor: address, reason }, 'the database refused a turn');
    cache.delete(address);
    if (refusals.has(address)) void pause(REFUSED_PAUSE_MS).then(() => wake(address));
    else ready.add(address);
    refusals.set(address, reason);
  }

  function committed(turn: Turn): void {
    const { address, taken, tried } = turn.commit;
    const { next } = turn;
    if (next !== undefined) {
      // Last in the order of eviction; a finished one is hardly ever asked again.
      cache.delete(address);
      if (next.status === 'active' || next.status === 'parked') cache.set(address, next);
    }
    refusals.delete(address);
    mailboxes.remove(address, taken);
    mailboxes.tried(address, tried);
    if (turn.troubles.length > 0) troubles.set(address, turn.troubles);
    else troubles.delete(address);
    options.onCommitted(turn);
    if (mailboxes.isEmpty(address) || next?.status === 'parked') return;
    if (tried.length === 0) ready.add(address, isUrgent(address));
    else void pause(THROW_PAUSE_MS).then(() => wake(address));
  }

  /** Ends early when the loop stops. */
  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        pauses.delete(end);
        resolve();
      };
      const cancel = clock.after(ms, end);
      pauses.add(end);
    });
  }

  function fence(reason: string): void {
    if (!running) return;
    running = false;
    options.onFenced(reason);
  }

  function evict(): void {
    for (const address of cache.keys()) {
      if (cache.size <= limits.cached) return;
      if (!ready.has(address)) cache.delete(address);
    }
  }

  return {
    begin() {
      begun = true;
      if (running && ready.size() > 0) run();
    },
    accept,
    wake,
    cached: (address) => cache.get(address),
    async stop() {
      running = false;
      for (const end of [...pauses]) end();
      await loop;
    },
    figures: () => ({
      pendingEvents: mailboxes.size(),
      cachedActors: cache.size,
      unreadable: unreadable.size,
      commits,
    }),
  };
}
