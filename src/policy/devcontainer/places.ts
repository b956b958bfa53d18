/** Paths of the VM that a configuration names: inside the checkout, links followed, or not. */
import { posix } from 'node:path';
import type { BuildArgs } from './buildArgs.ts';
import { type DevcontainerRules, type Findings, quoted } from './verdict.ts';

export interface Checkout {
  /** The checkout's folder on the VM: absolute, without links. */
  readonly folder: string;
  /** Where the configuration stands, or would stand: relative paths begin at its folder. */
  readonly configFile: string;
  /** The path with every symbolic link followed (`realpath -m`); undefined if that is not known. */
  realPath(path: string): string | undefined;
}

/** Names that begin like the session manager's own and are right all the same. */
export interface OwnVolumes {
  /** Volumes of this repository begin so. */
  readonly prefix: string;
  /** The agent's home of this container. */
  readonly home: string;
}

export interface Vetting {
  readonly rules: DevcontainerRules;
  readonly checkout: Checkout;
  readonly volumes: OwnVolumes;
  readonly buildArgs: BuildArgs;
  readonly found: Findings;
}

export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);
}

/** A file or folder that is read from the VM while building or composing: it must be one of the checkout. */
export function vetFile(text: string, base: string, path: string, what: string, vetting: Vetting): void {
  const { checkout, found } = vetting;
  if (text.includes('$') || /[\u0000-\u001f]/.test(text)) {
    found.refuse(path, 'unreadable', `names ${what} whose place is known only when it runs (${quoted(text)})`);
    return;
  }
  const absolute = posix.resolve(base, text);
  const real = checkout.realPath(absolute);
  if (!isInside(absolute, checkout.folder)) {
    found.refuse(path, 'outside', `uses ${what} outside the checkout (${quoted(text)})`);
  } else if (real === undefined) {
    found.refuse(path, 'unreadable', `names ${what} that cannot be looked up (${quoted(text)})`);
  } else if (!isInside(real, checkout.folder)) {
    found.refuse(path, 'outside', `uses ${what} outside the checkout, through a symbolic link (${quoted(text)})`);
  }
}

/** A folder or file of the VM that the container shall see. `source` is absolute. */
export function vetBindSource(source: string, path: string, { rules, checkout, found }: Vetting): void {
  const place = posix.normalize(source).replace(/(.)\/$/, '$1');
  const real = checkout.realPath(place);
  const allowed = (candidate: string) =>
    isInside(candidate, checkout.folder) || rules.allowedMounts.some((folder) => isInside(candidate, folder));
  if (/(^|\/)(docker|podman|containerd|crio)\.sock$/.test(place)) {
    found.refuse(path, 'hostMount', `hands the VM's container runtime to the container (${quoted(source)})`);
  } else if (!allowed(place)) {
    found.refuse(path, 'hostMount', `mounts ${quoted(source)} of the VM`, `SM_ALLOWED_MOUNTS=${place}`);
  } else if (real === undefined) {
    found.refuse(path, 'unreadable', `mounts something that cannot be looked up (${quoted(source)})`);
  } else if (!allowed(real)) {
    found.refuse(path, 'hostMount', `mounts ${quoted(real)} of the VM, through a symbolic link`);
  }
}
