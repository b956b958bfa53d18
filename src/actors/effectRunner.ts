/**
 * Carries out effects: at least once each, under its key, until done, refused or past its deadline.
 *
 * The outcome and the reply to the chart are recorded in one statement; until then the effect counts as not done and would
 * run again after a crash. Effects with the same order key run one after the other.
 */
import { setMaxListeners } from 'node:events';
import type { ExternalKind } from '../machines/effects.ts';
import type { ChartEvent } from '../machines/events.ts';
import type { JsonObject } from '../machines/json.ts';
import type { Clock } from './clock.ts';
import { backoffMs, EFFECT_POLICIES, isOvertaken, isTakenBack } from './effectPolicy.ts';
import { BadDataError, failureOf, RetryableError, TerminalError } from './errors.ts';
import type { FaultPoints } from './faults.ts';
import { createLanes } from './lanes.ts';
import type { Log } from './log.ts';
import type { EffectOutcome, EffectRow } from './store.ts';
import { toPlain } from './text.ts';
import type { EffectHandler, EffectHandlers, EffectRequest } from './types.ts';

/** How long after an aborted attempt its handler may still take to end. */
const GRACE_MS = 5000;
/** While it is not sure whether this process leads still. Soon it is, or the process stops. */
const UNCERTAIN_PAUSE_MS = 250;

interface Job {
  readonly row: EffectRow;
  attempts: number;
  /** Ends the attempt that is under way, if one is. */
  breakOff?: (reason: Error) => void;
}

export interface EffectRunner {
  /** Takes effects up; those it has already are left alone. */
  add(rows: readonly EffectRow[]): void;
  /** The same with what is read now; what is concluded while it is being read does not run once more. @returns what was read */
  addRead<Row extends EffectRow>(read: () => Promise<readonly Row[]>): Promise<readonly Row[]>;
  /** Aborts what runs and resolves when nothing does. */
  stop(): Promise<void>;
  pending(): number;
  running(): number;
}

export interface EffectRunnerOptions {
  readonly handlers: EffectHandlers;
  readonly clock: Clock;
  readonly log: Log;
  readonly faults: FaultPoints | undefined;
  /** Whether this process is sure to lead still. Without certainty nothing is begun. */
  certain(): boolean;
  /** Records an outcome; rejects only with BadDataError or when this process stops leading. */
  finish(outcome: EffectOutcome): Promise<void>;
  /** An effect is over and no longer pending here. */
  onOver(): void;
  /** Notes a failed attempt; failing to note it is harmless. */
  retry(key: string, attempts: number, runAt: number, error: string): Promise<void>;
}

export function createEffectRunner(options: EffectRunnerOptions): EffectRunner {
  const { clock, log } = options;
  const jobs = new Map<string, Job>();
  const chains = new Map<string, Job[]>();
  const lanes = createLanes();
  const inFlight = new Set<Promise<void>>();
  const timers = new Set<() => void>();
  /** Of every read under way: what was concluded since it began. The read may still call it undone. */
  const reads = new Set<Set<string>>();
  const stopping = new AbortController();
  // One listener per running effect.
  setMaxListeners(0, stopping.signal);

  function add(rows: readonly EffectRow[]): void {
    for (const row of rows) {
      if (jobs.has(row.key) || stopping.signal.aborted) continue;
      const job: Job = { row, attempts: row.attempts };
      jobs.set(row.key, job);
      if (row.orderKey === undefined) {
        schedule(job, row.runAt);
        continue;
      }
      const chain = chains.get(row.orderKey);
      if (chain === undefined) {
        chains.set(row.orderKey, [job]);
        schedule(job, row.runAt);
      } else {
        chain.push(job);
        const [first] = chain;
        if (first && isOvertaken(first.row, row)) {
          first.breakOff?.(new RetryableError('overtaken', `${row.kind} is to be done otherwise by now`));
        }
      }
    }
  }

  async function addRead<Row extends EffectRow>(read: () => Promise<readonly Row[]>): Promise<readonly Row[]> {
    const concluded = new Set<string>();
    reads.add(concluded);
    try {
      const rows = await read();
      add(rows.filter(({ key }) => !concluded.has(key)));
      return rows;
    } finally {
      reads.delete(concluded);
    }
  }

  function schedule(job: Job, runAt: number): void {
    if (stopping.signal.aborted) return;
    const wait = runAt - clock.now();
    if (wait > 0) {
      const cancel = clock.after(wait, () => {
        timers.delete(cancel);
        schedule(job, runAt);
      });
      timers.add(cancel);
      return;
    }
    lanes.enter(job.row.kind, () => {
      const run = attempt(job)
        .catch((error: unknown) => log.error({ effect: job.row.key, err: error }, 'an effect could not be recorded'))
        .finally(() => inFlight.delete(run));
      inFlight.add(run);
      return run;
    });
  }

  async function attempt(job: Job): Promise<void> {
    const { row } = job;
    const now = clock.now();
    if (now >= row.deadline) {
      await conclude(job, new TerminalError('deadline', `${row.kind} was not done in time`));
      return;
    }
    if (!options.certain()) {
      schedule(job, now + UNCERTAIN_PAUSE_MS);
      return;
    }
    if (laterOf(row).some((later) => isTakenBack(row, later.row))) {
      await conclude(job, undefined);
      return;
    }
    job.attempts += 1;
    let result: JsonObject | undefined;
    try {
      result = await callHandler(options, stopping.signal, job, now);
    } catch (error) {
      // Whatever it says: it may say so only because it was stopped. The next leader tries again.
      if (stopping.signal.aborted) return;
      await afterFailure(job, error);
      return;
    }
    await options.faults?.('after-effect');
    await conclude(job, undefined, result);
  }

  async function afterFailure(job: Job, error: unknown): Promise<void> {
    const { row } = job;
    const policy = EFFECT_POLICIES[row.kind];
    const asked = error instanceof RetryableError ? (error.retryAfterMs ?? 0) : 0;
    const runAt = clock.now() + Math.max(asked, backoffMs(policy, job.attempts, Math.random()));
    const isHopeless = error instanceof TerminalError || error instanceof BadDataError;
    if (isHopeless || job.attempts >= policy.attempts || runAt >= row.deadline) {
      await conclude(job, error);
      return;
    }
    const { code, message } = failureOf(error);
    log.warn({ effect: row.key, kind: row.kind, attempt: job.attempts, code, err: error }, 'effect failed, will retry');
    await options.retry(row.key, job.attempts, runAt, `${code}: ${message}`);
    schedule(job, runAt);
  }

  async function conclude(job: Job, error: unknown, result?: JsonObject): Promise<void> {
    const failed = error !== undefined;
    if (failed) log.warn({ effect: job.row.key, kind: job.row.kind, err: error }, 'effect failed for good');
    try {
      await options.finish(outcomeOf(job, clock.now(), error, result));
    } catch (refusal) {
      if (!(refusal instanceof BadDataError)) throw refusal;
      const unusable = new TerminalError('result.unusable', refusal.message);
      await options.finish(outcomeOf(job, clock.now(), unusable, undefined));
    }
    jobs.delete(job.row.key);
    for (const concluded of reads) concluded.add(job.row.key);
    advanceChain(job);
    options.onOver();
  }

  /** What waits for this one to be over. */
  function laterOf({ orderKey }: EffectRow): readonly Job[] {
    return orderKey === undefined ? [] : (chains.get(orderKey) ?? []).slice(1);
  }

  function advanceChain({ row }: Job): void {
    if (row.orderKey === undefined) return;
    const chain = chains.get(row.orderKey) ?? [];
    chain.shift();
    const head = chain[0];
    if (head === undefined) chains.delete(row.orderKey);
    else schedule(head, head.row.runAt);
  }

  return {
    add,
    addRead,
    async stop() {
      stopping.abort(new Error('stopping'));
      lanes.close();
      for (const cancel of timers) cancel();
      await Promise.all(inFlight);
    },
    pending: () => jobs.size,
    running: () => inFlight.size,
  };
}

/** One attempt, bounded in time even if the handler does not listen to its signal. */
async function callHandler(
  { handlers, clock, log }: EffectRunnerOptions,
  stopping: AbortSignal,
  job: Job,
  now: number,
): Promise<JsonObject | undefined> {
  const { row, attempts } = job;
  const handler = handlers[row.kind] as EffectHandler<ExternalKind> | undefined;
  if (handler === undefined) throw new TerminalError('effect.unknown', `nobody carries out ${row.kind}`);
  const attempt = new AbortController();
  const limit = Math.min(EFFECT_POLICIES[row.kind].timeoutMs, row.deadline - now);
  const { signal } = attempt;
  job.breakOff = (reason) => attempt.abort(reason);
  const cancelLimit = clock.after(limit, () => {
    attempt.abort(new RetryableError('timeout', `${row.kind} took longer than ${limit} ms`));
  });
  let cancelGrace: () => void = () => {};
  // Not AbortSignal.any(): a signal it makes, once listened to, is held for as long as the longest-lived of its sources.
  const stop = () => attempt.abort(stopping.reason);
  stopping.addEventListener('abort', stop);
  if (stopping.aborted) stop();
  const request = {
    key: row.key,
    actor: row.actor,
    kind: row.kind,
    params: row.params,
    attempt: attempts,
    deadline: row.deadline,
  };
  try {
    const gaveUp = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        cancelGrace = clock.after(GRACE_MS, () => reject(signal.reason));
      });
    });
    const result = await Promise.race([handler(request as EffectRequest, { signal, log }), gaveUp]);
    return result === undefined ? undefined : (result as JsonObject);
  } catch (error) {
    const late = signal.aborted && !stopping.aborted;
    throw late && !(error instanceof TerminalError) ? signal.reason : error;
  } finally {
    // An attempt that is over must not start a clock when the lead ends: it would keep the process waiting.
    stopping.removeEventListener('abort', stop);
    delete job.breakOff;
    cancelLimit();
    cancelGrace();
  }
}

function outcomeOf({ row, attempts }: Job, at: number, error: unknown, result: JsonObject | undefined): EffectOutcome {
  const failure = error === undefined ? undefined : failureOf(error);
  const type = failure === undefined ? row.reply?.done : row.reply?.failed;
  const { json: event } = toPlain<ChartEvent>({ ...result, ...failure, ...row.reply?.with, type, at });
  return {
    key: row.key,
    status: failure === undefined ? 'done' : 'failed',
    attempts,
    error: failure === undefined ? undefined : toPlain<string>(`${failure.code}: ${failure.message}`).json,
    at,
    reply: type === undefined ? undefined : { to: row.actor, event, dedupKey: row.key, cause: row.key },
  };
}
