/**
 * Which addresses a host has had lately. Names with many addresses answer with a few of them at a time, and a connection
 * to one of the others must not be cut because it is not among today's: an address stays open for a while after it was
 * last seen. A look-up that fails changes nothing.
 */

/** How long an address stays open after the name last answered with it, in milliseconds. */
const KEEP_MS = 3_600_000;

export interface AddressMemory {
  /** Takes in what was just resolved, and forgets the hosts that are not in it. */
  learn(resolved: ReadonlyMap<string, readonly string[]>, at: number): void;
  /** All addresses that are open for a host. */
  addressesOf(host: string): readonly string[];
  /** The latest answer: what containers are told. */
  latestOf(host: string): readonly string[];
}

export function createAddressMemory(): AddressMemory {
  const seen = new Map<string, Map<string, number>>();
  const latest = new Map<string, readonly string[]>();
  return {
    learn(resolved, at) {
      for (const host of [...seen.keys()]) {
        if (resolved.has(host)) continue;
        seen.delete(host);
        latest.delete(host);
      }
      for (const [host, addresses] of resolved) {
        const known = seen.get(host) ?? new Map<string, number>();
        seen.set(host, known);
        if (addresses.length === 0) continue;
        latest.set(host, addresses);
        for (const address of addresses) known.set(address, at);
        for (const [address, last] of known) if (at - last > KEEP_MS) known.delete(address);
      }
    },
    addressesOf: (host) => [...(seen.get(host)?.keys() ?? [])],
    latestOf: (host) => latest.get(host) ?? [],
  };
}
