/** Actors that have something to do. Those with urgent events come first; within each group, who waits longest. */
import type { Address } from '../machines/addresses.ts';

export interface ReadyQueue {
  add(address: Address, urgent?: boolean): void;
  /** Takes up to `count` out, in order. */
  take(count: number): Address[];
  delete(address: Address): void;
  has(address: Address): boolean;
  size(): number;
}

export function createReadyQueue(): ReadyQueue {
  const urgent = new Set<Address>();
  const others = new Set<Address>();

  function take(from: Set<Address>, count: number): Address[] {
    const taken: Address[] = [];
    for (const address of from) {
      if (taken.length >= count) break;
      taken.push(address);
      from.delete(address);
    }
    return taken;
  }

  return {
    add(address, isUrgent = false) {
      if (urgent.has(address)) return;
      if (!isUrgent) others.add(address);
      else {
        others.delete(address);
        urgent.add(address);
      }
    },
    take(count) {
      const first = take(urgent, count);
      return [...first, ...take(others, count - first.length)];
    },
    delete(address) {
      urgent.delete(address);
      others.delete(address);
    },
    has: (address) => urgent.has(address) || others.has(address),
    size: () => urgent.size + others.size,
  };
}
