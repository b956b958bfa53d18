/**
 * How many commands run on the connection at once. sshd opens at most MaxSessions (10) of them and refuses, rather than
 * queues, what is more; its setting is not told, so it is learnt from refusals. One is kept free for ending commands, and
 * long commands leave room for short ones.
 */
export interface Slots {
  /** Waits for a place. @returns what gives it back; calling that again does nothing. */
  take(options: {
    readonly long: boolean;
    readonly first?: boolean;
    readonly signal?: AbortSignal | undefined;
  }): Promise<() => void>;
  /** The server refused a channel although we had a place for it. */
  refused(): void;
  /** A new connection: nothing is known about it. */
  reset(): void;
  readonly inUse: number;
  readonly limit: number;
}

interface Waiter {
  readonly long: boolean;
  readonly go: () => void;
}

/** After this long without a refusal one more is tried. */
const RAISE_AFTER_MS = 60_000;

/** @param most with OpenSSH's default of 10 sessions: 9, and one to end commands with */
export function createSlots(most: number, now: () => number = Date.now): Slots {
  let limit = most;
  let inUse = 0;
  let longInUse = 0;
  let refusedAt = 0;
  const waiting: Waiter[] = [];

  const longLimit = (): number => Math.max(1, limit - Math.min(2, Math.floor(limit / 3)));
  const fits = (waiter: Waiter): boolean => inUse < limit && (!waiter.long || longInUse < longLimit());

  function admit(): void {
    for (let next = waiting.findIndex(fits); next >= 0; next = waiting.findIndex(fits)) {
      for (const waiter of waiting.splice(next, 1)) {
        inUse += 1;
        if (waiter.long) longInUse += 1;
        waiter.go();
      }
    }
  }

  function release(long: boolean): void {
    inUse -= 1;
    if (long) longInUse -= 1;
    if (limit < most && now() - refusedAt > RAISE_AFTER_MS) {
      limit += 1;
      refusedAt = now();
    }
    admit();
  }

  return {
    take: ({ long, first, signal }) =>
      new Promise((resolve, reject) => {
        const giveUp = (): void => {
          const at = waiting.indexOf(waiter);
          if (at >= 0) waiting.splice(at, 1);
          reject(signal?.reason);
        };
        const waiter: Waiter = {
          long,
          go: () => {
            signal?.removeEventListener('abort', giveUp);
            let held = true;
            resolve(() => {
              if (held) release(long);
              held = false;
            });
          },
        };
        if (signal?.aborted) return reject(signal.reason);
        signal?.addEventListener('abort', giveUp, { once: true });
        if (first) waiting.unshift(waiter);
        else waiting.push(waiter);
        admit();
      }),
    refused: () => {
      // What was refused held a place: the others are what the server allows; one of those is for ending commands.
      const allowed = inUse - 1;
      limit = Math.max(1, Math.min(limit, allowed >= 3 ? allowed - 1 : allowed));
      refusedAt = now();
    },
    reset: () => {
      limit = most;
      admit();
    },
    get inUse() {
      return inUse;
    },
    get limit() {
      return limit;
    },
  };
}
