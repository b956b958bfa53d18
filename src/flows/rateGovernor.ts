/**
 * One budget of requests for the chat server, shared by everything that posts. When it is short, what people wait for goes
 * first. A 429 closes it until the time the server names.
 */

import { RetryableError } from '../actors/index.ts';

/** From first to last; `sign` are reactions that say what became of a message. */
export const PRIORITIES = ['decision', 'final', 'question', 'sign', 'progress', 'board'] as const;
export type Priority = (typeof PRIORITIES)[number];

/**
 * Progress never ends while many answers stream, so after so much of it one edit of a board goes, if one waits: it is little,
 * and only progress waits for it.
 */
const BOARD_AFTER = 10;

export interface GovernorOptions {
  /** Requests per second on average; a default server allows 10. */
  readonly perSecond: number;
  readonly burst: number;
  /** Milliseconds of a clock that nobody sets: set back, a clock of the day would stop everything until it has caught up. */
  readonly now?: () => number;
}

/** A default Mattermost server allows 10 requests per second with bursts of 100 where it limits at all. */
export const CHAT_BUDGET: GovernorOptions = { perSecond: 8, burst: 40 };

export interface RateGovernor {
  /**
   * Resolves when a request of this priority may go. Rejects while it is closed.
   * @param signal gives the place up: rejects with its reason, and nothing is spent. Of no effect once it may go.
   */
  turn(priority: Priority, signal?: AbortSignal): Promise<void>;
  /** The server asked for a pause. @param ms from now */
  pause(ms: number): void;
  /** Requests that wait for their turn. */
  waiting(): number;
  /** Nothing goes any more: whoever waits or comes is refused. What this process still wanted to say is another's to say. */
  close(): void;
  open(): void;
}

interface Waiting {
  go(): void;
  refuse(error: Error): void;
}

function closedError(): RetryableError {
  return new RetryableError('CHAT_CLOSED', 'This process speaks in the chat no more.');
}

const monotonic = (): number => performance.now();

export function createRateGovernor({ perSecond, burst, now = monotonic }: GovernorOptions): RateGovernor {
  const queues = new Map<Priority, Waiting[]>(PRIORITIES.map((priority) => [priority, []]));
  let isClosed = false;
  let tokens = burst;
  let filledAt = now();
  let closedUntil = 0;
  /** Since a board was edited. */
  let progressInARow = 0;
  let timer: NodeJS.Timeout | undefined;

  const refill = (): void => {
    const at = now();
    tokens = Math.min(burst, tokens + ((at - filledAt) / 1000) * perSecond);
    filledAt = at;
  };

  const waitFor = (priority: Priority): number => queues.get(priority)?.length ?? 0;

  const next = (): Waiting | undefined => {
    const first = PRIORITIES.find((priority) => waitFor(priority) > 0);
    if (first === undefined) return undefined;
    const isBoardsTurn = first === 'progress' && waitFor('board') > 0 && progressInARow >= BOARD_AFTER;
    const priority = isBoardsTurn ? 'board' : first;
    if (priority === 'progress') progressInARow += 1;
    if (priority === 'board') progressInARow = 0;
    return queues.get(priority)?.shift();
  };

  const count = (): number => [...queues.values()].reduce((sum, queue) => sum + queue.length, 0);

  const pump = (): void => {
    timer = undefined;
    refill();
    while (tokens >= 1 && now() >= closedUntil) {
      const first = next();
      if (!first) return;
      tokens -= 1;
      first.go();
    }
    if (count() === 0) return;
    const untilToken = ((1 - tokens) / perSecond) * 1000;
    timer = setTimeout(pump, Math.max(1, untilToken, closedUntil - now()));
  };

  return {
    turn(priority, signal) {
      return new Promise((resolve, reject) => {
        if (isClosed || signal?.aborted) {
          reject(isClosed ? closedError() : signal?.reason);
          return;
        }
        const queue = queues.get(priority) ?? [];
        const giveUp = (): void => {
          const place = queue.indexOf(waiting);
          if (place < 0) return;
          queue.splice(place, 1);
          reject(signal?.reason);
        };
        const waiting: Waiting = {
          go() {
            signal?.removeEventListener('abort', giveUp);
            resolve();
          },
          refuse: reject,
        };
        signal?.addEventListener('abort', giveUp, { once: true });
        queue.push(waiting);
        if (!timer) pump();
      });
    },
    pause(ms) {
      closedUntil = Math.max(closedUntil, now() + ms);
    },
    waiting: count,
    close() {
      isClosed = true;
      clearTimeout(timer);
      timer = undefined;
      for (const queue of queues.values()) for (const { refuse } of queue.splice(0)) refuse(closedError());
    },
    open() {
      isClosed = false;
    },
  };
}
