/** One alarm per actor, for its earliest timer. An alarm only wakes; the turn looks at what its envelope says is due. */
import type { Address } from '../machines/addresses.ts';
import { type Clock, LONGEST_DELAY } from './clock.ts';

export interface Alarms {
  /** Replaces the actor's alarm; undefined clears it. */
  set(address: Address, wakeAt: number | undefined): void;
  has(address: Address): boolean;
  /** Those whose time has come by the clock, whatever their timers still count: the clock may have jumped. */
  due(): Address[];
  clear(): void;
  size(): number;
}

export function createAlarms(clock: Clock, wake: (address: Address) => void): Alarms {
  const alarms = new Map<Address, { readonly at: number; readonly cancel: () => void }>();

  function set(address: Address, wakeAt: number | undefined): void {
    const current = alarms.get(address);
    if (current !== undefined && current.at === wakeAt) return;
    current?.cancel();
    alarms.delete(address);
    if (wakeAt === undefined) return;
    const wait = wakeAt - clock.now();
    const cancel = clock.after(Math.min(Math.max(0, wait), LONGEST_DELAY), () => {
      alarms.delete(address);
      // A deadline further away than one timer can hold: wait on.
      if (wakeAt > clock.now()) set(address, wakeAt);
      else wake(address);
    });
    alarms.set(address, { at: wakeAt, cancel });
  }

  return {
    set,
    has: (address) => alarms.has(address),
    due() {
      const now = clock.now();
      return [...alarms].filter(([, { at }]) => at <= now).map(([address]) => address);
    },
    size: () => alarms.size,
    clear() {
      for (const { cancel } of alarms.values()) cancel();
      alarms.clear();
    },
  };
}
