/** The three ways to write a mount: `--mount` text, the object of devcontainer.json, and `-v source:target:options`. */
import { posix } from 'node:path';
import { isInside, type Vetting, vetBindSource } from './places.ts';
import { type Data, isData } from './shape.ts';
import { expand } from './variables.ts';
import { quoted } from './verdict.ts';

/** Everything the session manager names on the VM and in containers begins like this. */
export const OWN_PREFIX = 'csm-';
/** What the session manager puts into containers is below this folder. */
export const OWN_FOLDER = '/csm';

export interface Mount {
  readonly type: string;
  /** Empty: an anonymous volume, or none (tmpfs). */
  readonly source: string;
  readonly target: string;
}

const FIELD_NAMES: Readonly<Record<string, keyof Mount | 'option'>> = {
  type: 'type',
  source: 'source',
  src: 'source',
  target: 'target',
  dst: 'target',
  destination: 'target',
  readonly: 'option',
  ro: 'option',
  rw: 'option',
  consistency: 'option',
  'volume-nocopy': 'option',
  'tmpfs-size': 'option',
  'tmpfs-mode': 'option',
  external: 'option',
};

/** Options of `-v` that change nothing about what is reachable. */
const VOLUME_OPTIONS = [
  'ro',
  'rw',
  'z',
  'Z',
  'cached',
  'delegated',
  'consistent',
  'nocopy',
  'exec',
  'noexec',
  'nosuid',
  'nodev',
];

/** @returns the mount, or a word about what is not understood. The field list of Docker and Podman is CSV; quotes are not taken. */
export function parseMountText(text: string): Mount | { readonly problem: string } {
  if (/["\r\n\u0000]/.test(text)) return { problem: 'has quotes or line breaks' };
  const mount = { type: 'volume', source: '', target: '' };
  const seen = new Set<string>();
  for (const part of text.split(',')) {
    const [rawKey = '', ...rest] = part.split('=');
    const key = rawKey.trim().toLowerCase();
    const name = Object.hasOwn(FIELD_NAMES, key) ? FIELD_NAMES[key] : undefined;
    if (name === undefined) return { problem: `has the option ${quoted(rawKey)}` };
    const value = rest.join('=');
    if (name === 'option' && value.includes('$')) return { problem: `has a variable in the option ${quoted(key)}` };
    if (name === 'option') continue;
    if (seen.has(name)) return { problem: `says ${name} twice` };
    seen.add(name);
    mount[name] = value;
  }
  return mount.target === '' ? { problem: 'has no target' } : { ...mount, type: mount.type.toLowerCase() };
}

/** An item of `mounts`. An object is handed to the runtime as text: commas in it would be fields of their own. */
export function parseMount(item: unknown): Mount | { readonly problem: string } {
  if (typeof item === 'string') return parseMountText(item);
  if (!isData(item)) return { problem: 'is neither a text nor an object' };
  const allowed = ['type', 'source', 'target', 'external'];
  const unknown = Object.keys(item).find((key) => !allowed.includes(key));
  if (unknown !== undefined) return { problem: `has the option ${quoted(unknown)}` };
  const { type = 'volume', source = '', target } = item as Data;
  if (typeof type !== 'string' || typeof source !== 'string' || typeof target !== 'string') {
    return { problem: 'has a type, source or target that is not a text' };
  }
  if (/[,"\r\n\u0000]/.test(type + source + target)) return { problem: 'has a comma, quotes or line breaks' };
  return { type: type.toLowerCase(), source, target };
}

/** The value of `-v`: `target`, `source:target` or `source:target:options`. */
export function parseVolumeText(text: string): Mount | { readonly problem: string } {
  const masked = text.replace(/\$\{[^}]*\}/g, (variable) => variable.replaceAll(':', '\u0001'));
  const [first = '', second, options, ...more] = masked.split(':').map((part) => part.replaceAll('\u0001', ':'));
  if (more.length > 0) return { problem: 'has too many parts' };
  const odd = (options ?? '').split(',').find((option) => option !== '' && !VOLUME_OPTIONS.includes(option));
  if (odd !== undefined) return { problem: `has the option ${quoted(odd)}` };
  if (second === undefined) return { type: 'volume', source: '', target: first };
  const isPath = /^[./~]/.test(first) || first.includes('/');
  return { type: isPath ? 'bind' : 'volume', source: first, target: second };
}

export interface MountPlace {
  /** Of a compose file: where relative sources begin. Undefined if they are not understood there. */
  readonly base?: string;
  /** Names of volumes, as written, that only one container uses; undefined if every name has been made its own. */
  readonly ownVolume?: RegExp;
}

export function vetMount(
  parsed: Mount | { readonly problem: string },
  path: string,
  vetting: Vetting,
  { base, ownVolume }: MountPlace = {},
): void {
  const { found, checkout } = vetting;
  if ('problem' in parsed) {
    found.refuse(path, 'unreadable', `is a mount that ${parsed.problem}`);
    return;
  }
  const source = expand(parsed.source, checkout.folder, { inContainer: false });
  const target = expand(parsed.target, checkout.folder, { inContainer: true });
  if (source === undefined || target === undefined) {
    found.refuse(path, 'hostMount', `mounts a place that is known only when it runs (${quoted(parsed.source)})`, '');
    return;
  }
  if (isOwnPlace(target)) found.refuse(path, 'ours', `covers ${quoted(target)} in the container`);
  switch (parsed.type) {
    case 'tmpfs':
      return;
    case 'volume':
      if (ownVolume !== undefined && /^[^/]/.test(source) && !isOwnVolume(source, vetting)) {
        if (!ownVolume.test(parsed.source)) {
          const does = `mounts the volume ${quoted(source)}, which others may use (names with \`\${devcontainerId}\` are its own)`;
          found.refuse(path, 'privilege', does);
        }
      }
      return vetVolumeName(source, path, vetting);
    case 'bind':
      if (base !== undefined) vetPartOfCheckout(posix.resolve(base, source), path, vetting);
      if (source.startsWith('/')) return vetBindSource(source, path, vetting);
      if (base !== undefined && source.startsWith('.'))
        return vetBindSource(posix.resolve(base, source), path, vetting);
      return found.refuse(path, 'hostMount', `mounts a place of the VM that is not absolute (${quoted(source)})`, '');
    default:
      return found.refuse(path, 'privilege', `asks for a mount of the kind ${quoted(parsed.type)}`);
  }
}

/** Whether a folder of the container is one of ours, or would cover one. */
export function isOwnPlace(target: string): boolean {
  const place = posix.normalize(target).replace(/(.)\/$/, '$1');
  return place === '/' || isInside(place, OWN_FOLDER);
}

function isOwnVolume(name: string, { volumes }: Vetting): boolean {
  return name.startsWith(volumes.prefix) || name === volumes.home;
}

/**
 * The runtime looks where a source leads each time a container starts. In a compose project services start one after the
 * other and by themselves, and those that run can put a link in the place of anything below the checkout: the next one
 * would see whatever of the VM it leads to. The checkout's own folder is out of their reach.
 */
export function vetPartOfCheckout(place: string, path: string, { checkout, found }: Vetting): void {
  const normal = posix.normalize(place).replace(/(.)\/$/, '$1');
  if (normal === checkout.folder || !isInside(normal, checkout.folder)) return;
  const part = posix.relative(checkout.folder, normal);
  const does = `mounts ${quoted(part)} of the checkout by itself, where a service could put a link to any place of the VM before another one starts (mount the whole checkout and use it there)`;
  found.refuse(path, 'hostMount', does);
}

function vetVolumeName(name: string, path: string, vetting: Vetting): void {
  const { found } = vetting;
  if (name === '') return;
  if (name.startsWith('/')) return vetBindSource(name, path, vetting);
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name)) {
    found.refuse(path, 'unreadable', `names a volume in a way that is not understood (${quoted(name)})`);
  } else if (name.startsWith(OWN_PREFIX) && !isOwnVolume(name, vetting)) {
    found.refuse(path, 'ours', `mounts the volume ${quoted(name)}`);
  }
}
