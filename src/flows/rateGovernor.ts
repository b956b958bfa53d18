/**
 * One budget of requests for the chat server, shared by everything that posts. When it is short, what people wait for goes
 * first. A 429 closes it until the time the server names.
 */

/** From first to last. */
export const PRIORITIES = ['decision', 'final', 'question', 'progress', 'board'] as const;
export type Priority = (typeof PRIORITIES)[number];

export interface GovernorOptions {
  /** Requests per second on average; a default server allows 10. */
  readonly perSecond: number;
  readonly burst: number;
  /** Milliseconds of a clock that nobody sets: set back, a clock of the day would stop everything until it has caught up. */
  readonly now?: () => number;
}

export interface RateGovernor {
  /** Resolves when a request of this priority may go. */
  turn(priority: Priority): Promise<void>;
  /** The server asked for a pause. @param ms from now */
  pause(ms: number): void;
  /** Requests that wait for their turn. */
  waiting(): number;
}

const monotonic = (): number => performance.now();

export function createRateGovernor({ perSecond, burst, now = monotonic }: GovernorOptions): RateGovernor {
  const queues = new Map<Priority, (() => void)[]>(PRIORITIES.map((priority) => [priority, []]));
  let tokens = burst;
  let filledAt = now();
  let closedUntil = 0;
  let timer: NodeJS.Timeout | undefined;

  const refill = (): void => {
    const at = now();
    tokens = Math.min(burst, tokens + ((at - filledAt) / 1000) * perSecond);
    filledAt = at;
  };

  const next = (): (() => void) | undefined => {
    for (const priority of PRIORITIES) {
      const call = queues.get(priority)?.shift();
      if (call) return call;
    }
    return undefined;
  };

  const count = (): number => [...queues.values()].reduce((sum, queue) => sum + queue.length, 0);

  const pump = (): void => {
    timer = undefined;
    refill();
    while (tokens >= 1 && now() >= closedUntil) {
      const call = next();
      if (!call) return;
      tokens -= 1;
      call();
    }
    if (count() === 0) return;
    const untilToken = ((1 - tokens) / perSecond) * 1000;
    timer = setTimeout(pump, Math.max(1, untilToken, closedUntil - now()));
  };

  return {
    turn(priority) {
      return new Promise((resolve) => {
        queues.get(priority)?.push(resolve);
        if (!timer) pump();
      });
    },
    pause(ms) {
      closedUntil = Math.max(closedUntil, now() + ms);
    },
    waiting: count,
  };
}
