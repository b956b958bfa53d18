/** Walls around containers on the VM, and the ways through them: brought to a wished state as a whole, every time. */
import { isIP } from 'node:net';
import { nftError } from './errors.ts';
import { type Live, parseLive } from './live.ts';
import { createAddressMemory } from './memory.ts';
import { resolveOn, serveNames } from './resolver.ts';
import { ruleset, type Walls, type Way } from './ruleset.ts';
import type { Shell } from './shell.ts';

/** What one container may reach, or all of them. */
export interface Opening {
  /** The container's addresses on the bridge; none while it does not run. */
  readonly sources: 'all' | readonly string[];
  readonly hosts: readonly string[];
  /** Epoch milliseconds: the way closes by itself, even if nobody is there to close it. Undefined: it does not. */
  readonly expiresAt?: number | undefined;
}

export interface WallsOptions {
  readonly shell: Shell;
  /** What runs nft with the rights it needs: `['sudo', '-n', 'nft']`. */
  readonly nft: readonly string[];
  readonly walls: Walls;
  /** `hostsdir` of the containers' resolver. */
  readonly namesFolder: string;
  readonly now: () => number;
}

export interface Held {
  /** Hosts with no public address, now or lately. */
  readonly unresolved: readonly string[];
  readonly ways: readonly Way[];
}

export interface NftWalls {
  /**
   * Builds the walls if they are not there, opens exactly these ways and closes all others; open connections through a
   * closed one end. Call it again every minute: names move.
   */
  hold(openings: readonly Opening[], signal?: AbortSignal): Promise<Held>;
  /** What is in force; undefined if there are no walls. */
  look(signal?: AbortSignal): Promise<Live | undefined>;
  /** Takes the walls down: from then on nothing is between containers and the network. */
  tearDown(signal?: AbortSignal): Promise<void>;
}

/** HTTPS: what names are opened for. */
const PORT = 443;
const TIMEOUT_MS = 30_000;

export function nftWalls(options: WallsOptions): NftWalls {
  const { shell, walls, namesFolder, now } = options;
  const memory = createAddressMemory();
  let last: Promise<unknown> = Promise.resolve();

  const nft = (words: readonly string[], stdin: string, signal?: AbortSignal) =>
    shell.exec(
      { script: 'exec "$@"', args: [...options.nft, ...words] },
      { timeoutMs: TIMEOUT_MS, stdin, signal, maxOutputBytes: 32 * 1024 * 1024 },
    );

  async function hold(openings: readonly Opening[], signal?: AbortSignal): Promise<Held> {
    const hosts = [...new Set(openings.flatMap((opening) => opening.hosts))];
    memory.learn(await resolveOn(shell, hosts, signal), now());
    const ways = waysOf(openings, (host) => memory.addressesOf(host), now());
    // Open first, then tell: nobody is given an address that is not open yet.
    const result = await nft(['-f', '-'], ruleset(walls, ways), signal);
    if (result.code !== 0) throw nftError('nft -f', result);
    await serveNames(shell, namesFolder, new Map(hosts.map((host) => [host, memory.latestOf(host)])), signal);
    return { ways, unresolved: hosts.filter((host) => memory.addressesOf(host).length === 0) };
  }

  return {
    hold(openings, signal) {
      // One at a time: each is the whole truth, so an older one must not come last.
      const mine = last.then(() => hold(openings, signal));
      last = mine.catch(() => undefined);
      return mine;
    },
    async look(signal) {
      const result = await nft(['-j', 'list', 'table', 'inet', walls.table], '', signal);
      if (result.code === 0) return parseLive(result.stdout);
      if (/no such file or directory/i.test(result.stderr)) return undefined;
      throw nftError('nft list', result);
    },
    async tearDown(signal) {
      const result = await nft(
        ['-f', '-'],
        `add table inet ${walls.table}\ndelete table inet ${walls.table}\n`,
        signal,
      );
      if (result.code !== 0) throw nftError('nft delete', result);
    },
  };
}

function waysOf(openings: readonly Opening[], addressesOf: (host: string) => readonly string[], at: number): Way[] {
  const ways = new Map<string, Way>();
  for (const { sources, hosts, expiresAt } of openings) {
    if (expiresAt !== undefined && expiresAt <= at) continue;
    // An empty source would stand for every container.
    const stray = sources === 'all' ? undefined : sources.find((source) => isIP(source) === 0);
    if (stray !== undefined) throw new RangeError(`not an address: ${JSON.stringify(stray)}`);
    const seconds = expiresAt === undefined ? undefined : (expiresAt - at) / 1000;
    for (const address of hosts.flatMap(addressesOf)) {
      for (const source of sources === 'all' ? [''] : sources) {
        if (source !== '' && isIP(source) !== isIP(address)) continue;
        const key = `${source} ${address}`;
        const before = ways.get(key);
        // Of two reasons to be open, the one that lasts longer counts.
        const longest = before && longer(before.seconds, seconds) ? before.seconds : seconds;
        ways.set(key, { source, address, port: PORT, seconds: longest });
      }
    }
  }
  return [...ways.values()];
}

function longer(left: number | undefined, right: number | undefined): boolean {
  return right !== undefined && (left === undefined || left > right);
}
