/**
 * Whether the live table has followed. The updater may have been busy when it was asked, and then a reconfigure answers
 * `ok` and nothing happens until the next minute; so the table itself is looked at, and the updater asked again.
 */
import { isIP } from 'node:net';
import type { OpnsenseClient } from './request.ts';
import { tableAnswer } from './shapes.ts';

/** Names to addresses, as seen from here: for names with many addresses, only some of those the firewall sees. */
export type ResolveHost = (host: string) => Promise<readonly string[]>;

export async function readTable(
  client: OpnsenseClient,
  alias: string,
  signal?: AbortSignal,
): Promise<ReadonlySet<string>> {
  const { rows } = await client.get(`alias_util/list/${alias}?rowCount=-1`, tableAnswer, signal);
  return new Set(rows.map(({ ip }) => ip.toLowerCase()));
}

/**
 * The hosts no address of which is in the table. A name that does not resolve here is not counted as missing: the
 * firewall may know it better.
 */
export async function missingIn(
  table: ReadonlySet<string>,
  hosts: readonly string[],
  resolve: ResolveHost,
): Promise<readonly string[]> {
  const addresses = await Promise.all(hosts.map((host) => addressesOf(host, resolve)));
  return hosts.filter((_, index) => {
    const own = addresses[index] ?? [];
    return own.length > 0 && !own.some((address) => table.has(address));
  });
}

/** The removed hosts with addresses in the table that no entry which stays has, too. */
export async function lingeringIn(
  table: ReadonlySet<string>,
  removed: readonly string[],
  staying: readonly string[],
  resolve: ResolveHost,
): Promise<readonly string[]> {
  if (removed.length === 0) return [];
  const shared = new Set((await Promise.all(staying.map((entry) => addressesOf(entry, resolve)))).flat());
  const addresses = await Promise.all(removed.map((host) => addressesOf(host, resolve)));
  return removed.filter((_, index) =>
    (addresses[index] ?? []).some((address) => table.has(address) && !shared.has(address)),
  );
}

async function addressesOf(host: string, resolve: ResolveHost): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host.toLowerCase()];
  const found = await resolve(host).catch(() => []);
  return found.map((address) => address.toLowerCase());
}
