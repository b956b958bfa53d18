/** `firewall/alias/*`: the configuration. Everything that is refused is refused with status 200. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ServerError } from './answers.ts';
import { apply, refresh } from './updater.ts';
import { TYPES, validate } from './validation.ts';
import { type Alias, aliasByName, type World } from './world.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export type Fields = Readonly<Record<string, unknown>>;

/** Unknown names give an empty array, not an object and not 404. */
export function getAliasUuid(world: World, name: string): unknown {
  const alias = aliasByName(world, name);
  return alias ? { uuid: alias.uuid } : [];
}

/** Every choice there would be, with what is chosen marked: the content lists all other aliases, too. */
export function getItem(world: World, uuid: string): unknown {
  const alias = world.aliases.get(uuid);
  if (!alias) return [];
  const entries = alias.content.length === 0 ? [''] : alias.content;
  const chosen = entries.map((entry) => [entry, { value: entry, selected: 1, description: '' }] as const);
  const others = [...world.aliases.values()]
    .filter(({ name }) => !alias.content.includes(name))
    .map(({ name, description }) => [name, { value: name, selected: 0, description }] as const);
  return {
    alias: {
      enabled: alias.enabled ? '1' : '0',
      name: alias.name,
      type: options(TYPES, alias.type),
      proto: options({ IPv4: 'IPv4', IPv6: 'IPv6' }, ''),
      categories: [],
      interface: options({ lan: 'LAN', wan: 'WAN' }, ''),
      counters: '',
      updatefreq: '',
      content: Object.fromEntries([...others, ...chosen]),
      description: alias.description,
    },
  };
}

function options(values: Readonly<Record<string, string>>, chosen: string): unknown {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, { value, selected: name === chosen ? 1 : 0 }]),
  );
}

/** What is sent replaces what is there, field by field. An unknown uuid makes a new alias. */
export function setItem(world: World, uuid: string, body: Fields): unknown {
  if (!UUID.test(uuid)) return { result: 'failed' };
  return save(world, uuid, body);
}

export function addItem(world: World, body: Fields): unknown {
  const uuid = randomUUID();
  const answer = save(world, uuid, body);
  return world.aliases.has(uuid) ? { result: 'saved', uuid } : answer;
}

function save(world: World, uuid: string, { alias: given }: Fields): unknown {
  if (typeof given !== 'object' || given === null) return { result: 'failed' };
  const before = world.aliases.get(uuid) ?? blank(uuid);
  const text = (field: string, otherwise: string): string => {
    const value: unknown = Reflect.get(given, field);
    return typeof value === 'string' || typeof value === 'number' ? String(value) : otherwise;
  };
  const alias: Alias = {
    uuid,
    name: text('name', before.name),
    type: text('type', before.type),
    enabled: text('enabled', before.enabled ? '1' : '0') === '1',
    description: text('description', before.description),
    content: text('content', before.content.join('\n'))
      .split('\n')
      .filter((entry) => entry !== ''),
  };
  const validations = validate(world, alias);
  if (Object.keys(validations).length > 0) return { result: 'failed', validations };
  world.aliases.set(uuid, alias);
  return { result: 'saved' };
}

function blank(uuid: string): Alias {
  return { uuid, name: '', type: '', enabled: true, description: '', content: [] };
}

export function deleteItem(world: World, uuid: string): unknown {
  return world.aliases.delete(uuid) ? { result: 'deleted' } : { result: 'not found' };
}

/** Says `ok` whether or not the live tables were refreshed. */
export async function reconfigure(world: World): Promise<unknown> {
  if (world.knobs.failReconfigures > 0) {
    world.knobs.failReconfigures -= 1;
    throw new ServerError('Unable to load the rules.', 'Firewall');
  }
  if (world.knobs.reconfigureMs > 0) await delay(world.knobs.reconfigureMs);
  apply(world);
  await refresh(world);
  return { status: 'ok' };
}
