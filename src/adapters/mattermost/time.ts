/** The clock and the timers of this adapter; tests put their own in its place. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs `run` once after `ms` milliseconds; the returned function cancels it. */
  after(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms` on the given clock. */
export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}

export interface Backoff {
  readonly minMs: number;
  readonly maxMs: number;
}

/**
 * Full jitter: anything between `minMs` and the exponential ceiling of this attempt, so that many clients of one server
 * that came back do not return in step.
 *
 * @param attempt 0 for the first retry
 * @param random a number in [0, 1)
 */
export function fullJitter(attempt: number, { minMs, maxMs }: Backoff, random: () => number): number {
  const ceiling = Math.min(maxMs, minMs * 2 ** Math.min(attempt + 1, 30));
  return Math.round(minMs + random() * Math.max(0, ceiling - minMs));
}
