/**
 * What is on the VM compared with what is committed: containers of this installation that no chart knows any more go, with
 * their ports and folders. Only full ids of containers that carry our labels are ever touched.
 */
import type { Log } from '../../actors/index.ts';
import {
  findOrphans,
  isFromCopy,
  isLeftLookout,
  keyOf,
  linesOf,
  listOurs,
  releasePort,
  removeOurs,
  reservedKeys,
} from '../../adapters/devcontainer/index.ts';
import type { ContainerContext } from '../../machines/container/context.ts';
import type { Json, JsonObject } from '../../machines/json.ts';
import { ownerOf, portsFolder, stateRoot, type VmWorkspace } from './ports.ts';

export interface KnownContainer {
  readonly status: string;
  readonly value: Json;
  readonly context: JsonObject;
}

export interface SweepPorts extends Pick<VmWorkspace, 'host' | 'git' | 'instance'> {
  /** All container actors, as committed. */
  readonly known: () => Promise<readonly KnownContainer[]>;
  readonly log: Log;
}

/** $1 folder. Folders of containers are named by their keys. */
const LIST = `
cd -- "$1" 2>/dev/null || exit 0
for name in [0-9a-f]*-[0-9]*; do
  [ ! -d "$name" ] || printf "%s\\n" "$name"
done
`;

/** $1 folder, and names in it. */
const DELETE = `
cd -- "$1" && shift && rm -rf -- "$@"
`;

export async function sweep(ports: SweepPorts, signal: AbortSignal): Promise<void> {
  const { host, instance, log } = ports;
  // What there is, and only then what is known: what somebody makes meanwhile is not among the first, or is among the second.
  const folder = portsFolder(ports);
  const [containers, reserved, folders] = await Promise.all([
    listOurs(host, instance, signal),
    reservedKeys(host.shell, { folder, instance }, signal),
    foldersOf(ports, signal),
  ]);
  const live = liveKeys(ports, await ports.known());
  for (const { id } of containers.filter(isLeftLookout)) await removeOurs(host, id, instance, signal);
  for (const orphan of findOrphans(containers, instance, live)) {
    const { id, labels } = orphan;
    if (await isFromCopy(host, orphan, signal)) continue;
    log.info(
      { id, repo: labels['csm.repo'], branch: labels['csm.branch'] },
      'a container that nobody knows any more is removed',
    );
    await removeOurs(host, id, instance, signal);
  }
  for (const key of reserved.filter((key) => !live.has(key))) {
    await releasePort(host.shell, { folder, instance, key }, signal);
  }
  const left = folders.filter((key) => !live.has(key));
  if (left.length === 0) return;
  await host.shell.exec({ script: DELETE, args: [stateRoot(ports), ...left] }, { timeoutMs: 60_000, signal });
}

async function foldersOf(ports: SweepPorts, signal: AbortSignal): Promise<readonly string[]> {
  return linesOf(await ports.host.shell.exec({ script: LIST, args: [stateRoot(ports)] }, { signal }));
}

/** Of the containers that a chart has, makes or is about to remove. */
export function liveKeys(ports: Pick<VmWorkspace, 'instance'>, known: readonly KnownContainer[]): ReadonlySet<string> {
  return new Set(known.filter(isLive).map(({ context }) => keyOf(ownerOf(ports, context as ContainerContext))));
}

export function isLive({ status, value }: KnownContainer): boolean {
  return (status === 'active' || status === 'parked') && value !== 'removed';
}
