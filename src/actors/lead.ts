/**
 * The runtime while it leads, for one term: takes ready actors in batches, plans their turns, commits them in one
 * statement, then starts what was committed. An actor is planned again only when its batch has returned.
 */
import type { ActorKind, Address } from '../machines/addresses.ts';
import { kindOf } from '../machines/addresses.ts';
import { createAlarms } from './alarms.ts';
import type { RuntimeLimits } from './api.ts';
import type { Clock } from './clock.ts';
import { commitTurns } from './commits.ts';
import { createEffectRunner } from './effectRunner.ts';
import { FencedError, RetryableError, UnknownOutcomeError } from './errors.ts';
import type { FaultPoints } from './faults.ts';
import { createGroup } from './group.ts';
import type { Log } from './log.ts';
import { createMailboxes } from './mailboxes.ts';
import type { RegisteredKind } from './register.ts';
import { wakeAtOf } from './step.ts';
import type { EffectOutcome, InboxRow, RuntimeStore } from './store.ts';
import { createTaskSet } from './taskRunner.ts';
import { type LoadedActor, planTurn, type Turn } from './turn.ts';
import type { EffectHandlers, TaskRunners } from './types.ts';

/** The last moment that a Date can hold. */
const FOR_EVER = 8.64e15;
const TASK_GRACE_MS = 10_000;
/** Between two attempts at an event that makes its chart throw. */
const THROW_PAUSE_MS = 50;

export interface LeadOptions {
  readonly term: number;
  readonly kinds: ReadonlyMap<ActorKind, RegisteredKind>;
  readonly store: RuntimeStore;
  readonly handlers: EffectHandlers;
  readonly tasks: TaskRunners;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: RuntimeLimits;
  readonly faults: FaultPoints | undefined;
  /** A turn was committed. */
  onTurn(turn: Turn): void;
  /** This process may not lead any more. */
  onFenced(reason: string): void;
}

export interface Lead {
  readonly term: number;
  start(catchUp: (() => Promise<void>) | undefined): Promise<void>;
  /** Rows that are in the database now. */
  accept(rows: readonly InboxRow[]): void;
  cached(address: Address): LoadedActor | undefined;
  stop(): Promise<void>;
  figures(): {
    pendingEvents: number;
    pendingEffects: number;
    runningEffects: number;
    runningTasks: number;
    cachedActors: number;
    commits: number;
  };
}

export function createLead(options: LeadOptions): Lead {
  const { term, kinds, store, clock, log, limits, faults } = options;
  const mailboxes = createMailboxes();
  const cache = new Map<Address, LoadedActor>();
  const ready = new Set<Address>();
  const troubles = new Map<Address, number[]>();
  const refusals = new Map<Address, string>();
  const blocked = new Set<Address>();
  const cancels = new Set<() => void>();
  let running = true;
  let fireTimers = false;
  let loop: Promise<void> | undefined;
  let commits = 0;

  const alarms = createAlarms(clock, (address) => wake(address));
  const finishGroup = createGroup<EffectOutcome, void>(async (outcomes) => {
    const rows = await retrying(() => store.finishEffects(term, outcomes), 'again');
    accept(rows);
    return outcomes.map(() => undefined);
  }, limits.batch);
  const deliverGroup = createGroup<Parameters<RuntimeStore['deliver']>[0][number], void>(async (items) => {
    const delivered = await retrying(
      () => store.deliver(items, { term, limitOf: () => undefined, cursors: [] }),
      'again',
    );
    accept(delivered.rows);
    return items.map(() => undefined);
  }, limits.batch);
  const effects = createEffectRunner({
    handlers: options.handlers,
    clock,
    log,
    faults,
    finish: (outcome) => finishGroup(outcome),
    retry: (key, attempts, runAt, error) =>
      store.retryEffect(term, { key, attempts, runAt, error }).catch((failure: unknown) => {
        log.warn({ effect: key, err: failure }, 'a failed attempt could not be noted');
      }),
  });
  const tasks = createTaskSet({ runners: options.tasks, clock, log, term, deliver: (item) => deliverGroup(item) });

  function accept(rows: readonly InboxRow[]): void {
    for (const address of mailboxes.add(rows)) wake(address);
  }

  function wake(address: Address): void {
    if (!running || blocked.has(address)) return;
    ready.add(address);
    loop ??= drain().finally(() => {
      loop = undefined;
      if (running && ready.size > 0) wakeAgain();
    });
  }

  function wakeAgain(): void {
    const [first] = ready;
    if (first !== undefined) wake(first);
  }

  async function drain(): Promise<void> {
    // Whatever arrives in the same tick goes into the same commit.
    await Promise.resolve();
    while (running && ready.size > 0) {
      try {
        await runBatch();
      } catch (error) {
        if (error instanceof FencedError) fence(error.message);
        else if (running) {
          log.error({ err: error }, 'a batch of turns failed');
          await pause(1000);
        }
      }
    }
  }

  async function runBatch(): Promise<void> {
    const batch = [...ready].slice(0, limits.batch);
    for (const address of batch) ready.delete(address);
    try {
      await load(batch);
      const turns = batch.flatMap((address) => plan(address) ?? []);
      if (turns.length === 0) return;
      await faults?.('after-decide');
      if (!running) return;
      const outcome = await commitTurns(store, term, turns, (call) => retrying(call));
      commits += 1;
      await faults?.('after-commit');
      for (const [address, reason] of outcome.refused) {
        log.error({ actor: address, reason }, 'the database refused a turn');
        refusals.set(address, reason);
        ready.add(address);
      }
      for (const turn of turns) {
        const { address } = turn.commit;
        if (outcome.committed.has(address)) committed(turn);
        else {
          // Somebody else wrote it, or took its events: what is in memory is out of date.
          cache.delete(address);
          if (!outcome.refused.has(address)) mailboxes.forget(address);
          ready.add(address);
        }
      }
      accept(outcome.delivered);
      if (outcome.uncertain) await resync();
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
    for (const row of await retrying(() => store.loadActors(missing), 'again')) {
      const { rev, status, parent, failures, envelope } = row;
      cache.set(row.address, { rev, status, parent, failures, envelope });
      begin(row.address, { rev, status, parent, failures, envelope });
    }
  }

  /** What a loaded or committed actor needs to have going. */
  function begin(address: Address, actor: LoadedActor): void {
    const active = actor.status === 'active';
    alarms.set(address, active && fireTimers ? wakeAtOf(actor.envelope) : undefined);
    const current = kinds.get(kindOf(address))?.version === actor.envelope.version;
    if (current || !active) tasks.sync(address, active ? actor.envelope.tasks : {});
  }

  function plan(address: Address): Turn | undefined {
    const refusal = refusals.get(address);
    try {
      return planTurn({
        address,
        kind: kinds.get(kindOf(address)),
        actor: cache.get(address),
        rows: mailboxes.of(address),
        now: clock.now(),
        fireTimers,
        fold: refusal === undefined ? limits.fold : 1,
        troubles: troubles.get(address) ?? [],
        ...(refusal === undefined ? {} : { refusal }),
      });
    } catch (error) {
      // A stored envelope this program cannot read: never written over, left for a program that can.
      log.error({ actor: address, err: error }, 'an actor cannot be loaded and is left alone');
      blocked.add(address);
      return undefined;
    }
  }

  function committed(turn: Turn): void {
    const { address, taken, tried } = turn.commit;
    if (turn.next !== undefined) {
      cache.delete(address);
      cache.set(address, turn.next);
    }
    refusals.delete(address);
    mailboxes.remove(address, taken);
    mailboxes.tried(address, tried);
    if (turn.poisoned > 0) troubles.set(address, [...(troubles.get(address) ?? []), clock.now()].slice(-20));
    if (turn.next !== undefined) begin(address, turn.next);
    effects.add(turn.commit.effects);
    options.onTurn(turn);
    if (mailboxes.of(address).length === 0 || turn.next?.status === 'parked') return;
    if (tried.length > 0) after(THROW_PAUSE_MS, () => wake(address));
    else ready.add(address);
  }

  function after(ms: number, call: () => void): void {
    const cancel = clock.after(ms, () => {
      cancels.delete(cancel);
      call();
    });
    cancels.add(cancel);
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => after(ms, resolve));
  }

  /**
   * Calls until it works or this process may not go on. With `again` also an unknown outcome is tried again: for
   * statements that have the same effect twice as once.
   */
  async function retrying<Result>(call: () => Promise<Result>, unknown?: 'again'): Promise<Result> {
    for (let wait = 100; ; wait = Math.min(2000, wait * 2)) {
      try {
        const result = await call();
        if (wait > 100 && unknown === 'again') queueMicrotask(() => resyncSoon());
        return result;
      } catch (error) {
        if (error instanceof FencedError) fence(error.message);
        const passes = error instanceof RetryableError || (error instanceof UnknownOutcomeError && unknown === 'again');
        if (!passes || !running) throw error;
        log.warn({ err: error }, 'the database does not answer, trying again');
        await pause(wait);
      }
    }
  }

  function resyncSoon(): void {
    resync().catch((error: unknown) => log.warn({ err: error }, 'pending work could not be read again'));
  }

  /** After an outcome that is not known in full: what is pending in the database is what is pending. */
  async function resync(): Promise<void> {
    if (!running) return;
    accept(await retrying(() => store.pendingInbox(term), 'again'));
    effects.add(await retrying(() => store.pendingEffects(term), 'again'));
  }

  async function poll(): Promise<void> {
    if (!running) return;
    try {
      accept(await store.adoptInbox(term));
    } catch (error) {
      log.warn({ err: error }, 'the inbox could not be polled');
    }
    after(limits.pollMs, () => void poll());
  }

  function fence(reason: string): void {
    if (!running) return;
    running = false;
    log.error({ term, reason }, 'another process leads');
    options.onFenced(reason);
  }

  function evict(): void {
    for (const address of cache.keys()) {
      if (cache.size <= limits.cached) return;
      if (!ready.has(address)) cache.delete(address);
    }
  }

  let hinted = false;
  const stopHints = store.onHint(() => {
    if (hinted || !running) return;
    hinted = true;
    store.adoptInbox(term).then(
      (rows) => {
        hinted = false;
        accept(rows);
      },
      (error: unknown) => {
        hinted = false;
        log.warn({ err: error }, 'hinted rows could not be read');
      },
    );
  });

  return {
    term,
    accept,
    cached: (address) => cache.get(address),
    async start(catchUp) {
      accept(await store.adoptInbox(term));
      const versions = Object.fromEntries([...kinds].map(([kind, { version }]) => [kind, version]));
      for (const address of await store.actorsToResume(versions)) wake(address);
      effects.add(await store.claimEffects(term));
      after(limits.pollMs, () => void poll());
      await catchUp?.().catch((error: unknown) => log.error({ err: error }, 'catching up failed; timers fire now'));
      fireTimers = true;
      for (const { address, wakeAt } of await store.wakeups(FOR_EVER)) {
        // What was committed since timers fire knows better than this list.
        if (!alarms.has(address)) alarms.set(address, wakeAt);
      }
    },
    async stop() {
      running = false;
      stopHints();
      alarms.clear();
      await loop?.catch((error: unknown) => log.warn({ err: error }, 'the last batch failed'));
      const [left] = await Promise.all([tasks.stop(TASK_GRACE_MS), effects.stop()]);
      if (left > 0) log.error({ left }, 'tasks did not stop');
      alarms.clear();
      for (const cancel of cancels) cancel();
    },
    figures: () => ({
      pendingEvents: mailboxes.size(),
      pendingEffects: effects.pending(),
      runningEffects: effects.running(),
      runningTasks: tasks.running(),
      cachedActors: cache.size,
      commits,
    }),
  };
}
