/**
 * From names to addresses in the live tables. One run at a time: a second one that finds the lock taken ends at once and
 * says nothing, which is why a reconfigure can answer `ok` without having refreshed anything.
 */
import { isIP } from 'node:net';
import type { World } from './world.ts';

/** How often names are resolved again when nothing was changed. */
const RESOLVE_INTERVAL_MS = 300_000;

/** Makes the saved configuration the one in force. Live tables follow only when the updater runs. */
export function apply(world: World): void {
  const before = new Map(world.applied);
  world.applied.clear();
  for (const { name, content, enabled, type } of world.aliases.values()) {
    if (!enabled || !['host', 'network'].includes(type)) continue;
    world.applied.set(name, [...content]);
    if (before.get(name)?.join('\n') !== content.join('\n')) world.resolvedAt.delete(name);
  }
}

/** @returns whether it ran: not while another run holds the lock */
export async function refresh(world: World): Promise<boolean> {
  if (world.knobs.refreshLocked) return false;
  for (const name of [...world.live.keys()]) if (!world.applied.has(name)) await store(world, name, new Set());
  for (const name of world.applied.keys()) {
    const at = world.resolvedAt.get(name);
    if (at !== undefined && world.now() - at < RESOLVE_INTERVAL_MS) continue;
    world.resolvedAt.set(name, world.now());
    await store(world, name, await addressesOf(world, name, new Set()));
  }
  return true;
}

/** What does not resolve adds nothing, and nobody is told. */
async function addressesOf(world: World, alias: string, seen: Set<string>): Promise<Set<string>> {
  const found = new Set<string>();
  if (seen.has(alias)) return found;
  seen.add(alias);
  for (const entry of world.applied.get(alias) ?? []) {
    if (isIP(entry) !== 0) found.add(entry);
    else if (world.applied.has(entry)) for (const address of await addressesOf(world, entry, seen)) found.add(address);
    else for (const address of await world.resolve(entry).catch(() => [])) found.add(address);
  }
  return found;
}

export async function store(world: World, name: string, addresses: Set<string>): Promise<void> {
  if (addresses.size === 0 && !world.applied.has(name)) world.live.delete(name);
  else world.live.set(name, addresses);
  await world.sink?.set(name, [...addresses]);
}
