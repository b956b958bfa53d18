/**
 * The walls, as text for nft: what containers may send, and to whom. Everything not said here is refused, so a container
 * that nobody knows yet is behind walls from its first packet, and one that is restarted stays there.
 *
 * Packets of a connection are looked at one by one, not only the first: when an address is taken out, open connections to
 * it end, too. Answers to connections from outside (the worker's port) pass by their direction.
 */
import { isIP } from 'node:net';

export interface Walls {
  /** Name of the table; tells installations apart that share a VM. */
  readonly table: string;
  /** Bridges whose containers are walled in: their names, or with a `*` at the end the beginning of some. */
  readonly bridges: readonly string[];
  /** Addresses of the resolver that containers may ask, on the VM itself. */
  readonly resolvers: readonly string[];
}

/** One way out, for one container or (without a source) for all. */
export interface Way {
  readonly source: string;
  readonly address: string;
  readonly port: number;
  /** Seconds until it closes by itself; undefined: it does not. */
  readonly seconds: number | undefined;
}

const CHAINS = ['forward', 'input', 'out', 'into', 'host'];

/**
 * Replaces rules and ways in one transaction: no packet meets a state between.
 * @throws RangeError for anything that is no address, port or interface, before it becomes part of a program
 */
export function ruleset(walls: Walls, ways: readonly Way[]): string {
  // Walls that stand nowhere would look like walls.
  if (walls.bridges.length === 0) throw new RangeError('no bridge is named');
  const table = `inet ${checked(walls.table, /^[a-z][a-z0-9_]{0,30}$/)}`;
  const bridges = walls.bridges.map((name) => `"${checked(name, /^[A-Za-z0-9_.-]{1,15}$|^[A-Za-z0-9_.-]{1,14}\*$/)}"`);
  const resolvers = walls.resolvers.map(
    (address) =>
      `add rule ${table} host ${family(address)} daddr ${address} meta l4proto { tcp, udp } th dport 53 accept`,
  );
  return [
    `add table ${table}`,
    `add set ${table} open4 { type ipv4_addr . ipv4_addr . inet_service; flags timeout; }`,
    `add set ${table} open6 { type ipv6_addr . ipv6_addr . inet_service; flags timeout; }`,
    `add set ${table} all4 { type ipv4_addr . inet_service; flags timeout; }`,
    `add set ${table} all6 { type ipv6_addr . inet_service; flags timeout; }`,
    // Before the rules of the container runtime.
    `add chain ${table} forward { type filter hook forward priority -10; policy accept; }`,
    `add chain ${table} input { type filter hook input priority -10; policy accept; }`,
    ...['out', 'into', 'host'].map((chain) => `add chain ${table} ${chain}`),
    ...CHAINS.map((chain) => `flush chain ${table} ${chain}`),
    ...bridges.map((bridge) => `add rule ${table} forward iifname ${bridge} jump out`),
    ...bridges.map((bridge) => `add rule ${table} forward oifname ${bridge} jump into`),
    ...bridges.map((bridge) => `add rule ${table} input iifname ${bridge} jump host`),
    // From a container to anywhere.
    `add rule ${table} out ct direction reply accept`,
    `add rule ${table} out ip saddr . ip daddr . tcp dport @open4 accept`,
    `add rule ${table} out ip6 saddr . ip6 daddr . tcp dport @open6 accept`,
    `add rule ${table} out ip daddr . tcp dport @all4 accept`,
    `add rule ${table} out ip6 daddr . tcp dport @all6 accept`,
    `add rule ${table} out ct state established meta l4proto tcp counter reject with tcp reset`,
    `add rule ${table} out counter reject with icmpx admin-prohibited`,
    // From anywhere to a container: answers, and what is published on the VM.
    `add rule ${table} into ct direction reply accept`,
    `add rule ${table} into ct state related accept`,
    `add rule ${table} into ct status dnat accept`,
    `add rule ${table} into counter drop`,
    // From a container to the VM.
    `add rule ${table} host ct direction reply accept`,
    `add rule ${table} host icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept`,
    ...resolvers,
    `add rule ${table} host counter reject with icmpx admin-prohibited`,
    ...setLines(table, ways),
    '',
  ].join('\n');
}

function setLines(table: string, ways: readonly Way[]): readonly string[] {
  return (['open4', 'open6', 'all4', 'all6'] as const).flatMap((set) => {
    const elements = ways.filter((way) => setOf(way) === set).map(element);
    const add = elements.length === 0 ? [] : [`add element ${table} ${set} { ${[...new Set(elements)].join(', ')} }`];
    return [`flush set ${table} ${set}`, ...add];
  });
}

export function setOf({ source, address }: Way): 'open4' | 'open6' | 'all4' | 'all6' {
  const version = family(address) === 'ip' ? 4 : 6;
  if (source !== '' && family(source) !== family(address)) throw new RangeError('two kinds of addresses in one way');
  return source === '' ? `all${version}` : `open${version}`;
}

function element({ source, address, port, seconds }: Way): string {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new RangeError(`not a port: ${port}`);
  const parts = source === '' ? [address, port] : [source, address, port];
  if (seconds === undefined) return parts.join(' . ');
  return `${parts.join(' . ')} timeout ${Math.max(1, Math.floor(seconds))}s`;
}

function family(address: string): 'ip' | 'ip6' {
  const version = address.includes('%') ? 0 : isIP(address);
  if (version === 0) throw new RangeError(`not an address: ${JSON.stringify(address)}`);
  return version === 4 ? 'ip' : 'ip6';
}

function checked(text: string, pattern: RegExp): string {
  if (!pattern.test(text)) throw new RangeError(`not a name for nft: ${JSON.stringify(text)}`);
  return text;
}
