/** The enforcers there are, each over its adapter. */
import type { Opening as NftOpening, NftWalls } from '../../adapters/nftables/index.ts';
import type { OpnsenseFirewall } from '../../adapters/opnsense/index.ts';
import type { Address } from '../../machines/addresses.ts';
import type { Enforcer, Opening } from './enforcer.ts';

/** One alias for all containers: a name opens for everybody, on the ports of the rule that uses the alias. */
export function opnsenseEnforcer(firewall: OpnsenseFirewall): Enforcer {
  let before: ReadonlySet<string> = new Set();
  return {
    kind: 'opnsense',
    capabilities: { perContainer: false, port: false, ttl: false, cuts: false },
    async entered(hosts, signal) {
      const entries = await firewall.entries(signal);
      return hosts.filter((host) => entries.includes(host));
    },
    async hold({ openings, ours }, signal, isAwaited) {
      const wanted = [...new Set(openings.map(({ host }) => host))];
      const held = await firewall.hold({ ours, wanted }, signal, isAwaited);
      const drift = held.added.filter((host) => before.has(host)).map((host) => `${host} had been taken out`);
      before = new Set(wanted);
      return { late: held.late.filter((host) => before.has(host)), drift };
    },
  };
}

/** Addresses of a container on the VM's bridges; none while it does not run. */
export type AddressesOf = (container: Address, signal?: AbortSignal) => Promise<readonly string[]>;

/**
 * Walls on the VM itself, a way for each container.
 * @param baseHosts what every container needs
 */
export function nftablesEnforcer(walls: NftWalls, addressesOf: AddressesOf, baseHosts: readonly string[]): Enforcer {
  let before: { readonly ways: ReadonlySet<string>; readonly rules: number } | undefined;
  return {
    kind: 'nftables',
    capabilities: { perContainer: true, port: true, ttl: true, cuts: true },
    // Nobody else writes into this table.
    entered: async () => [],
    async hold({ openings }, signal) {
      const found = await walls.look(signal);
      const wished = await Promise.all(openings.map((opening) => translated(opening, addressesOf, signal)));
      const held = await walls.hold([{ sources: 'all', hosts: baseHosts }, ...wished], signal);
      const drift = differences(before, found);
      const now = await walls.look(signal);
      before = now && { ways: new Set(now.ways), rules: now.rules };
      return { late: held.unresolved, drift };
    },
  };
}

async function translated(opening: Opening, addressesOf: AddressesOf, signal?: AbortSignal): Promise<NftOpening> {
  const sources = opening.for === 'all' ? 'all' : await addressesOf(opening.for, signal);
  return { sources, hosts: [opening.host], expiresAt: opening.expiresAt };
}

/** Ways may end by themselves; more of them, or other rules, are somebody's doing. */
function differences(
  before: { readonly ways: ReadonlySet<string>; readonly rules: number } | undefined,
  found: { readonly ways: readonly string[]; readonly rules: number } | undefined,
): readonly string[] {
  if (!before) return [];
  if (!found) return ['the walls had been taken away'];
  const more = found.ways
    .filter((way) => !before.ways.has(way))
    .map((way) => `a way was open that nobody approved: ${way}`);
  return found.rules === before.rules ? more : ['the rules of the walls had been changed', ...more];
}

/** For development: nothing is enforced, and every answer says so. */
export function noEnforcer(): Enforcer {
  return {
    kind: 'none',
    capabilities: { perContainer: false, port: false, ttl: false, cuts: false },
    entered: async () => [],
    hold: async () => ({ late: [], drift: [] }),
  };
}
