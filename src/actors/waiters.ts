/** Callers that wait for an event to be taken. */
import type { Clock } from './clock.ts';
import type { RuntimeStore } from './store.ts';
import type { WaitResult } from './types.ts';

/** How often a process that does not lead looks for what the leader did. */
const LOOK_MS = 250;
/** How often the leader makes sure: after a lost connection the turn may have been committed unseen. */
const MAKE_SURE_MS = 1000;

export interface Waiters {
  wait(dedupKey: string, timeoutMs: number, standby: () => boolean): Waiter;
  settle(dedupKey: string, fate: 'done' | 'dead'): void;
}

export interface Waiter {
  readonly result: Promise<WaitResult>;
  cancel(): void;
}

export function createWaiters({ store, clock }: { readonly store: RuntimeStore; readonly clock: Clock }): Waiters {
  const waiting = new Map<string, Set<(result: WaitResult) => void>>();

  function wait(dedupKey: string, timeoutMs: number, standby: () => boolean): Waiter {
    const deadline = clock.now() + timeoutMs;
    let over = false;
    let cancelTimer: () => void = () => {};
    let settle: (result: WaitResult) => void = () => {};
    const result = new Promise<WaitResult>((resolve) => {
      settle = (fate) => {
        cancel();
        resolve(fate);
      };
      const look = async () => {
        const late = clock.now() >= deadline;
        // The event is committed: that the database does not answer now says nothing about it.
        const state = await store.inboxState(dedupKey).catch(() => undefined);
        if (over) return;
        if (state === 'done' || state === 'dead') settle(state);
        else if (late) settle('timeout');
        else schedule();
      };
      const schedule = () => {
        const pause = Math.min(standby() ? LOOK_MS : MAKE_SURE_MS, deadline - clock.now());
        cancelTimer = clock.after(Math.max(0, pause), () => void look());
      };
      const others = waiting.get(dedupKey) ?? new Set();
      waiting.set(dedupKey, others.add(settle));
      schedule();
    });
    function cancel(): void {
      over = true;
      cancelTimer();
      const others = waiting.get(dedupKey);
      others?.delete(settle);
      if (others?.size === 0) waiting.delete(dedupKey);
    }
    return { result, cancel };
  }

  return {
    wait,
    settle(dedupKey, fate) {
      for (const settle of [...(waiting.get(dedupKey) ?? [])]) settle(fate);
    },
  };
}
