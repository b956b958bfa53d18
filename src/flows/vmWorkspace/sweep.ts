/**
 * What is on the VM compared with what is committed: containers of this installation that no chart knows any more go, with
 * their ports and folders. Only full ids of containers that carry our labels are ever touched.
 */
import type { Log } from '../../actors/index.ts';
import {
  findOrphans,
  isFromCopy,
  isOldLookout,
  keyOf,
  listOurs,
  releasePorts,
  removeOurs,
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

/** $1 folder; names that stay on stdin, one a line. Folders of containers are named by their keys. */
const DELETE_OTHERS = `
cd -- "$1" 2>/dev/null || exit 0
keys=$(cat)
for name in [0-9a-f]*-[0-9]*; do
  [ -d "$name" ] || continue
  printf "%s\\n" "$keys" | grep -qxF -- "$name" || rm -rf -- "$name"
done
`;

export async function sweep(ports: SweepPorts, signal: AbortSignal): Promise<void> {
  const { host, instance, log } = ports;
  // In this order: a container that is made meanwhile is not in the list, and one in the list is known by now.
  const containers = await listOurs(host, instance, signal);
  const live = liveKeys(ports, await ports.known());
  for (const old of containers.filter((container) => isOldLookout(container, Date.now()))) {
    await removeOurs(host, old.id, instance, signal);
  }
  for (const orphan of findOrphans(containers, instance, live)) {
    const { id, labels } = orphan;
    if (await isFromCopy(host, orphan, signal)) continue;
    log.info(
      { id, repo: labels['csm.repo'], branch: labels['csm.branch'] },
      'a container that nobody knows any more is removed',
    );
    await removeOurs(host, id, instance, signal);
  }
  await releasePorts(host.shell, portsFolder(ports), instance, live, signal);
  const stdin = [...live, ''].join('\n');
  const command = { script: DELETE_OTHERS, args: [stateRoot(ports)] };
  await host.shell.exec(command, { timeoutMs: 60_000, signal, stdin });
}

/** Of the containers that a chart has, makes or is about to remove. */
export function liveKeys(ports: Pick<VmWorkspace, 'instance'>, known: readonly KnownContainer[]): ReadonlySet<string> {
  return new Set(known.filter(isLive).map(({ context }) => keyOf(ownerOf(ports, context as ContainerContext))));
}

export function isLive({ status, value }: KnownContainer): boolean {
  return (status === 'active' || status === 'parked') && value !== 'removed';
}
