/** Time as the runtime sees it, so that tests can own it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls once after at least `ms`. @returns what cancels it. */
  after(ms: number, call: () => void): () => void;
}

/** The longest delay `setTimeout` takes; a longer one would fire at once. About 24.8 days. */
export const LONGEST_DELAY = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, call) {
    const handle = setTimeout(call, Math.min(Math.max(0, ms), LONGEST_DELAY));
    return () => clearTimeout(handle);
  },
};
