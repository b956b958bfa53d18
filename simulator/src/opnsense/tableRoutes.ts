/** `firewall/alias_util/*`: the live tables. Takes addresses only, and says so with status 200. */
import { isIP } from 'node:net';
import { store } from './updater.ts';
import { aliasByName, type World } from './world.ts';

/** What an address may be made of. Names of only these characters slip through, as on the real server. */
const ADDRESS = /^[0-9a-fA-F:./_]+$/;

export function listTable(world: World, name: string, query: URLSearchParams): unknown {
  const addresses = [...(world.live.get(name) ?? [])];
  const count = Number(query.get('rowCount') ?? '-1');
  const current = Number(query.get('current') ?? '1');
  const shown = count > 0 ? addresses.slice((current - 1) * count, current * count) : addresses;
  return { total: addresses.length, rowCount: shown.length, current, rows: shown.map((ip) => ({ ip })) };
}

export function listTables(world: World): unknown {
  return [...world.aliases.values()].filter(({ enabled }) => enabled).map(({ name }) => name);
}

export async function addAddress(world: World, name: string, address: string | undefined): Promise<unknown> {
  if (address === undefined) return { status: 'failed' };
  const alias = aliasByName(world, name);
  if (!alias) return { status: 'failed', status_msg: `nonexistent alias ${name}` };
  if (!ADDRESS.test(address)) return { status: 'not_an_address' };
  // The first entry is not recognised as one that is there already.
  if (alias.content.indexOf(address) <= 0 && ['host', 'network'].includes(alias.type)) alias.content.push(address);
  // A name that slipped through changes nothing in the table.
  if (isIP(address) !== 0) await store(world, name, new Set([...(world.live.get(name) ?? []), address]));
  return { status: 'done' };
}

/** Takes an exact entry out of the configuration; the addresses of a name stay in the table until the next refresh. */
export async function deleteAddress(world: World, name: string, address: string | undefined): Promise<unknown> {
  if (address === undefined) return { status: 'failed' };
  const alias = aliasByName(world, name);
  if (!alias) return { status: 'failed', status_msg: `nonexistent alias ${name}` };
  alias.content = alias.content.filter((entry) => entry !== address);
  const left = new Set(world.live.get(name));
  if (left.delete(address)) await store(world, name, left);
  return { status: 'done' };
}

export async function flushTable(world: World, name: string): Promise<unknown> {
  if (!aliasByName(world, name)) return { status: 'failed' };
  world.resolvedAt.delete(name);
  await store(world, name, new Set());
  return { status: 'done' };
}
