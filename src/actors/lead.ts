/**
 * The runtime while it leads, for one term: the turn loop, and what committed turns ask for: effects, tasks, alarms.
 */
import type { ActorKind, Address } from '../machines/addresses.ts';
import { kindOf } from '../machines/addresses.ts';
import { createAlarms } from './alarms.ts';
import type { RuntimeLimits } from './api.ts';
import type { Clock } from './clock.ts';
import { createEffectIntake } from './effectIntake.ts';
import { createEffectRunner } from './effectRunner.ts';
import { FencedError, UnknownOutcomeError } from './errors.ts';
import type { FaultPoints } from './faults.ts';
import { createGroup } from './group.ts';
import type { Log } from './log.ts';
import { createPersistence, type Degradation } from './persistence.ts';
import type { RegisteredKind } from './register.ts';
import { wakeAtOf } from './step.ts';
import type { EffectOutcome, InboxRow, InnerItem, RuntimeStore } from './store.ts';
import { createTaskSet } from './taskRunner.ts';
import type { LoadedActor, Turn } from './turn.ts';
import { createTurnLoop } from './turnLoop.ts';
import type { EffectHandlers, TaskRunners } from './types.ts';

const TASK_GRACE_MS = 10_000;
/** Timers due later than this are left in the database; what is near is read again in half this time. */
const HORIZON_MS = 10 * 60_000;
/** Rows read by one statement. */
const PAGE = 1_000;

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
  /** Whether this process is sure to lead still. Asked before anything is done to the outside. */
  certain(): boolean;
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
  /** Something of this process may be in the database without being known here. */
  uncertain(): void;
  cached(address: Address): LoadedActor | undefined;
  degraded(): Degradation | undefined;
  stop(): Promise<void>;
  figures(): {
    readonly pendingEvents: number;
    readonly pendingEffects: number;
    readonly runningEffects: number;
    readonly runningTasks: number;
    readonly cachedActors: number;
    readonly unreadable: number;
    readonly alarms: number;
    readonly commits: number;
  };
}

export function createLead(options: LeadOptions): Lead {
  const { term, kinds, store, clock, log, limits, faults } = options;
  const repeats = new Set<() => void>();
  let running = true;
  let fireTimers = false;
  let armedUntil = 0;

  const persistence = createPersistence({ clock, log, onRecovered: () => background(resync(), 'read pending work') });
  const alarms = createAlarms(clock, (address) => turns.wake(address));
  const turns = createTurnLoop({
    term,
    kinds,
    store,
    persistence,
    clock,
    log,
    limits,
    faults,
    fireTimers: () => fireTimers,
    onLoaded: begin,
    onCommitted(turn) {
      if (turn.next !== undefined) begin(turn.commit.address, turn.next);
      intake.add(turn.commit.effects);
      options.onTurn(turn);
    },
    onUncertain: resync,
    onFenced: fence,
  });
  const finishGroup = createGroup<EffectOutcome, void>(async (outcomes) => {
    turns.accept(await fencing(() => store.finishEffects(term, outcomes)));
    return outcomes.map(() => undefined);
  }, limits.batch);
  const deliverGroup = createGroup<InnerItem, void>(async (items) => {
    const inner = { term, limitOf: () => undefined, cursors: [] };
    turns.accept((await fencing(() => store.deliver(items, inner))).rows);
    return items.map(() => undefined);
  }, limits.batch);
  const effects = createEffectRunner({
    handlers: options.handlers,
    clock,
    log,
    faults,
    certain: options.certain,
    finish: (outcome) => finishGroup(outcome),
    onOver: () => intake.refill(),
    retry: (key, attempts, runAt, error) =>
      store.retryEffect(term, { key, attempts, runAt, error }).catch((failure: unknown) => {
        log.warn({ effect: key, err: failure }, 'a failed attempt could not be noted');
      }),
  });
  const intake = createEffectIntake({
    runner: effects,
    read: (page) => fencing(() => store.claimEffects(term, page)),
    onFailed: (error) => {
      if (running) log.warn({ err: error }, 'undone effects could not be read');
    },
    most: limits.effects,
    page: PAGE,
  });
  const tasks = createTaskSet({ runners: options.tasks, clock, log, term, deliver: (item) => deliverGroup(item) });

  /** What a loaded or committed actor needs to have going. */
  function begin(address: Address, actor: LoadedActor): void {
    const active = actor.status === 'active';
    const wakeAt = active && fireTimers ? wakeAtOf(actor.envelope) : undefined;
    alarms.set(address, wakeAt !== undefined && wakeAt <= armedUntil ? wakeAt : undefined);
    const current = kinds.get(kindOf(address))?.version === actor.envelope.version;
    if (current || !active) tasks.sync(address, active ? actor.envelope.tasks : {});
  }

  /** A call that has to get through; a fenced one ends the lead. */
  async function fencing<Result>(call: () => Promise<Result>): Promise<Result> {
    try {
      return await persistence.insist(call, 'again');
    } catch (error) {
      if (error instanceof FencedError) fence(error.message);
      throw error;
    }
  }

  let lastRead: Promise<void> = Promise.resolve();
  /** Reads the inbox when no other read is under way: of two answers the later one must not be heard first. */
  function readInbox(read: () => Promise<void>): Promise<void> {
    const next = lastRead.then(read);
    lastRead = next.catch(() => undefined);
    return next;
  }

  /** Takes over what others wrote, to the last row: else what comes later would overtake it. */
  async function adoptAll(
    read: () => Promise<readonly InboxRow[]>,
    take: (rows: readonly InboxRow[]) => void,
  ): Promise<void> {
    while (running) {
      const rows = await read();
      if (rows.length === 0) return;
      take(rows);
    }
  }

  async function allPending(): Promise<void> {
    // Heard only together with what is older and may not be known here either.
    await adoptAll(
      () => fencing(() => store.adoptInbox(term, PAGE)),
      () => undefined,
    );
    for (let after = 0; running; ) {
      const rows = await fencing(() => store.pendingInbox(term, { after, limit: PAGE }));
      const last = rows.at(-1);
      if (last === undefined) return;
      turns.accept(rows);
      after = last.seq;
    }
  }

  /** After an outcome that is not known in full: what is pending in the database is what is pending. */
  async function resync(): Promise<void> {
    if (!running) return;
    await readInbox(allPending);
    await intake.reread();
  }

  function adopt(): Promise<void> {
    return readInbox(() =>
      adoptAll(() => store.adoptInbox(term, PAGE), turns.accept).catch((error: unknown) => {
        // They may be this leader's now without being known here.
        if (!(error instanceof UnknownOutcomeError)) throw error;
        return allPending();
      }),
    );
  }

  let reading = false;
  let readAgain = false;
  /** One at a time, however many answers are lost; one that is lost meanwhile makes for one more. */
  function uncertain(): void {
    readAgain = reading;
    if (reading) return;
    reading = true;
    const read = resync().finally(() => {
      reading = false;
      if (readAgain) uncertain();
    });
    background(read, 'read pending work');
  }

  /** The alarms of the near future. What was committed meanwhile knows better than this list. */
  async function arm(): Promise<void> {
    if (!running) return;
    armedUntil = clock.now() + HORIZON_MS;
    for (const { address, wakeAt } of await fencing(() => store.wakeups(armedUntil))) {
      if (!alarms.has(address)) alarms.set(address, wakeAt);
    }
  }

  /** The clock may have jumped: timers of the process count seconds, deadlines are times of day. */
  function check(): Promise<void> {
    for (const address of alarms.due()) turns.wake(address);
    return clock.now() > armedUntil - HORIZON_MS / 2 ? arm() : Promise.resolve();
  }

  function repeat(work: () => Promise<void>, what: string): void {
    const cancel = clock.after(limits.pollMs, () => {
      repeats.delete(cancel);
      if (!running) return;
      background(
        work().finally(() => repeat(work, what)),
        what,
      );
    });
    if (running) repeats.add(cancel);
    else cancel();
  }

  function background(work: Promise<void>, what: string): void {
    work.catch((error: unknown) => {
      if (running) log.warn({ err: error }, `could not ${what}`);
    });
  }

  function fence(reason: string): void {
    if (!running) return;
    running = false;
    log.error({ term, reason }, 'another process leads');
    options.onFenced(reason);
  }

  let hinted = false;
  const stopHints = store.onHint(() => {
    if (hinted || !running) return;
    hinted = true;
    background(
      adopt().finally(() => {
        hinted = false;
      }),
      'read hinted rows',
    );
  });

  return {
    term,
    accept: turns.accept,
    uncertain,
    cached: turns.cached,
    degraded: persistence.degraded,
    async start(catchUp) {
      await adopt();
      turns.begin();
      const versions = Object.fromEntries([...kinds].map(([kind, { version }]) => [kind, version]));
      for (const address of await store.actorsToResume(versions)) turns.wake(address);
      await intake.reread();
      if (!running) return;
      repeat(adopt, 'poll the inbox');
      await catchUp?.().catch((error: unknown) => log.error({ err: error }, 'catching up failed; timers fire now'));
      if (!running) return;
      fireTimers = true;
      await arm();
      repeat(check, 'look for due timers');
    },
    async stop() {
      running = false;
      stopHints();
      alarms.clear();
      persistence.close();
      for (const cancel of repeats) cancel();
      const [left] = await Promise.all([tasks.stop(TASK_GRACE_MS), effects.stop(), turns.stop()]);
      if (left > 0) log.error({ left }, 'tasks did not stop');
      alarms.clear();
    },
    figures: () => ({
      ...turns.figures(),
      pendingEffects: effects.pending(),
      runningEffects: effects.running(),
      runningTasks: tasks.running(),
      alarms: alarms.size(),
    }),
  };
}
