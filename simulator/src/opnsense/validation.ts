/** Which entries an alias takes. The words are the server's; clients must not depend on them. */
import { isIP } from 'node:net';
import { type Alias, aliasByName, type World } from './world.ts';

export const TYPES: Readonly<Record<string, string>> = {
  host: 'Host(s)',
  network: 'Network(s)',
  port: 'Port(s)',
  url: 'URL (IPs)',
  urltable: 'URL Table (IPs)',
  geoip: 'GeoIP',
  networkgroup: 'Network group',
  external: 'External (advanced)',
};

export type Validations = Record<string, string | string[]>;

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,31}$/;
const HOSTNAME =
  /^(?=.{1,254}$)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?$/;

/** Empty: it may be saved. */
export function validate(world: World, alias: Alias): Validations {
  const problems: Validations = {};
  if (alias.name === '') problems['alias.name'] = 'A value is required.';
  else if (!NAME.test(alias.name)) problems['alias.name'] = 'The name must be less than 32 characters long.';
  const other = aliasByName(world, alias.name);
  if (other && other.uuid !== alias.uuid) problems['alias.name'] = 'An alias with this name already exists.';
  if (!(alias.type in TYPES)) problems['alias.type'] = 'A value is required.';
  const bad = alias.content.filter((entry) => !isEntry(world, alias.type, entry));
  const words = bad.map((entry) => `Entry "${entry}" is not a valid hostname, IP address or range.`);
  // One problem is a text, several are a list.
  if (words.length > 0) problems['alias.content'] = words.length === 1 ? (words[0] ?? '') : words;
  return problems;
}

/** A name without a dot is valid: a host of the local network, or another alias, whose content is then part of this one. */
function isEntry(world: World, type: string, entry: string): boolean {
  if (type === 'external') return entry === '';
  const bare = entry.replace(/^!/, '');
  const [first = '', second] = bare.split('-');
  if (isIP(bare) !== 0 || (isIP(first) !== 0 && isIP(second ?? '') !== 0)) return true;
  if (aliasByName(world, bare)) return true;
  if (type === 'host') return HOSTNAME.test(bare) && !/^[0-9.]+$/.test(bare);
  const [address = '', bits = ''] = bare.split('/');
  return isIP(address) !== 0 && /^\d{1,3}$/.test(bits);
}
