/**
 * Time, order and luck under the test's control: fast-check's scheduler decides which call goes on next, the clock moves only
 * when it is told to, and dice decide what fails. When the dice are used up, nothing fails any more.
 */
import type fc from 'fast-check';
import { type Clock, RetryableError, type RuntimeStore, UnknownOutcomeError } from '../../src/actors/index.ts';

export interface Laboratory {
  readonly clock: Clock;
  /** The next number that was rolled; 0 once all are used up. */
  roll(sides: number): number;
  /** Waits until the scheduler chooses this one among all that wait. */
  turn(what: string): Promise<void>;
  /** Lets things happen until the condition holds. @returns false if it never does */
  runUntil(condition: () => boolean, steps?: number): Promise<boolean>;
}

interface Timer {
  readonly at: number;
  readonly call: () => void;
}

export function createLaboratory(scheduler: fc.Scheduler, dice: readonly number[]): Laboratory {
  const timers = new Set<Timer>();
  let now = 1_000_000;
  let used = 0;

  const clock: Clock = {
    now: () => now,
    after(ms, call) {
      const timer = { at: now + Math.max(0, ms), call };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  };

  const roll = (sides: number): number => {
    const rolled = dice[used] ?? 0;
    used += 1;
    return rolled % sides;
  };

  function fireNext(): void {
    const [first] = [...timers].sort((left, right) => left.at - right.at);
    if (first === undefined) return;
    timers.delete(first);
    now = Math.max(now, first.at);
    first.call();
  }

  return {
    clock,
    roll,
    turn: async (what) => {
      await scheduler.schedule(Promise.resolve(), what);
    },
    async runUntil(condition, steps = 20_000) {
      for (let step = 0; step < steps; step += 1) {
        // Everything that needs no turn happens first.
        await new Promise(setImmediate);
        if (condition()) return true;
        // Now and then time passes although something could go on.
        if (scheduler.count() > 0 && roll(10) !== 1) await scheduler.waitOne();
        else fireNext();
      }
      return false;
    },
  };
}

/** The same store behind a bad line: slow, reordered, and with answers that are lost. @param isBad whether calls may fail now */
export function behindBadLine(store: RuntimeStore, laboratory: Laboratory, isBad: () => boolean): RuntimeStore {
  const call = async <Result>(what: string, work: () => Promise<Result>): Promise<Result> => {
    await laboratory.turn(`${what} sent`);
    const luck = isBad() ? laboratory.roll(8) : 0;
    if (luck === 1) throw new RetryableError('away', 'the connection could not be made');
    if (luck === 2) throw new UnknownOutcomeError('lost before it was written');
    const result = await work();
    await laboratory.turn(`${what} answered`);
    if (luck === 3) throw new UnknownOutcomeError('lost after it was written');
    return result;
  };
  return {
    commit: (term, id, turns) =>
      call(`commit ${term} of ${turns.map(({ address }) => address)}`, () => store.commit(term, id, turns)),
    lastCommits: (addresses) => call('lastCommits', () => store.lastCommits(addresses)),
    deliver: (items, options) =>
      call(`deliver ${options.term} ${items.map(({ dedupKey }) => dedupKey)}`, () => store.deliver(items, options)),
    appendOutputs: (term, batch) => call('appendOutputs', () => store.appendOutputs(term, batch)),
    adoptInbox: (term, limit) => call(`adoptInbox ${term}`, () => store.adoptInbox(term, limit)),
    pendingInbox: (term, page) => call(`pendingInbox ${term}`, () => store.pendingInbox(term, page)),
    inboxOf: (addresses, each) => call(`inboxOf ${addresses}`, () => store.inboxOf(addresses, each)),
    inboxState: (key) => call('inboxState', () => store.inboxState(key)),
    loadActors: (addresses) => call('loadActors', () => store.loadActors(addresses)),
    wakeups: (until) => call('wakeups', () => store.wakeups(until)),
    actorsToResume: (versions) => call('actorsToResume', () => store.actorsToResume(versions)),
    deadLetter: (id) => call('deadLetter', () => store.deadLetter(id)),
    lastPoison: (address) => call('lastPoison', () => store.lastPoison(address)),
    birthOf: (address) => call('birthOf', () => store.birthOf(address)),
    claimEffects: (term, page) => call('claimEffects', () => store.claimEffects(term, page)),
    finishEffects: (term, outcomes) => call('finishEffects', () => store.finishEffects(term, outcomes)),
    retryEffect: (term, retry) => call('retryEffect', () => store.retryEffect(term, retry)),
    onHint: (listener) => store.onHint(listener),
  };
}
