/** Commands inside a container that touch what its agents have touched. */
import { type Log, TerminalError } from '../../actors/index.ts';
import { followLinks, type Lookout, runInLookout } from '../../adapters/devcontainer/index.ts';
import { INSIDE, type RunInside, type Tidied } from '../../adapters/git/index.ts';
import type { Machine } from '../../machines/effects.ts';
import { originOf } from './origins.ts';
import type { OfContainer, VmWorkspace } from './ports.ts';
import { isRoot } from './request.ts';

const TIMEOUT_MS = 60_000;

/** A tree that a container has seen. */
export interface SeenTree extends Pick<OfContainer, 'repo'> {
  /** The container that is still there, as far as it is known. */
  readonly machine: Pick<Machine, 'containerId' | 'remoteUser'> | undefined;
  /** As the container sees it. */
  readonly folder: string;
  /** The folder of the VM with the tree in it, in no folder that a container may change. */
  readonly source: string;
  /** Where a container that is made to look at it sees that folder, and the tree in it. */
  readonly target: string;
  readonly workdir: string;
}

export type InsidePorts = Pick<VmWorkspace, 'host' | 'instance' | 'git'> & {
  readonly config: Pick<VmWorkspace['config'], 'container'>;
};

/** git in the container, as its user; if it is gone or does not run, in another one that is there for this alone. */
export function gitInside(ports: InsidePorts, tree: SeenTree): RunInside {
  let hasGone = false;
  let working: readonly Lookout[] | undefined;
  return async (_path, args, signal) => {
    const git = ['git', ...INSIDE.flatMap(([key, value]) => ['-c', `${key}=${value}`]), ...args];
    if (!hasGone) {
      const result = await inContainer(ports, tree, git, signal);
      if (result !== undefined) return result;
      hasGone = true;
    }
    working ??= await lookoutsFor(ports, tree, signal);
    for (const lookout of working) {
      try {
        const result = await runInLookout(ports.host, ports.instance, lookout, git, signal);
        working = [lookout];
        return result;
      } catch (error) {
        if (!(error instanceof TerminalError) || lookout === working.at(-1)) throw error;
      }
    }
    throw new TerminalError('CONTAINER_GONE', 'there is no container to look at it in');
  };
}

/** All that git ends with by itself; others are the runtime's, or a signal's. */
const OF_GIT: readonly number[] = [0, 1, 128, 129];

/** Undefined if there is no such container, if it does not run or ends meanwhile, or if it has no git. */
async function inContainer({ host }: InsidePorts, tree: SeenTree, git: readonly string[], signal: AbortSignal) {
  const { machine, folder } = tree;
  if (machine === undefined || machine.containerId === '') return undefined;
  const exec = [host.runtime, 'exec', '--user', machine.remoteUser, '--workdir', folder, machine.containerId];
  const result = await host.shell.exec([...exec, ...git], { timeoutMs: TIMEOUT_MS, signal });
  const isAbsent = /no such container|no container with|is not running|container state improper|can only create exec/i;
  const isAnswer = OF_GIT.includes(result.code) && !(result.code !== 0 && isAbsent.test(result.stderr));
  return isAnswer ? result : undefined;
}

const MAIN_FOLDER = '/csm/checkout';

/** Where a container that is made to look at it sees a main checkout. */
export function mainTree(source: string): Pick<SeenTree, 'source' | 'target' | 'workdir'> {
  return { source, target: MAIN_FOLDER, workdir: MAIN_FOLDER };
}

/** A stranger to the image and to the VM, who may read what everybody may. */
const NOBODY = '65534:65534';

/** In the order in which they are tried: what the last container was made of, then the default image. */
async function lookoutsFor(ports: InsidePorts, tree: SeenTree, signal: AbortSignal): Promise<readonly Lookout[]> {
  const { host, config } = ports;
  const { memory, pids, image } = config.container;
  const origin = await originOf(ports, tree, signal);
  const isRootless = host.runtime === 'podman' && !(await isRoot(ports, signal));
  const source = (await followLinks(host.shell, [tree.source], signal)).get(tree.source) ?? tree.source;
  const { target, workdir } = tree;
  const place = { mount: { source, target }, workdir, limits: { memoryBytes: memory, pids } };
  // The devcontainer CLI does the same for users who are not root.
  const keepId = isRootless && origin !== undefined && !/^(root|0)(:|$)/.test(origin.user);
  return [
    ...(origin ? [{ ...place, image: origin.image, user: origin.user, mayFetch: false, keepId }] : []),
    { ...place, image, user: NOBODY, mayFetch: true, keepId: false },
  ];
}

/** What a user of a rootless container owns belongs to nobody outside of its user namespace. */
export async function deleteLeftover(
  { host }: Pick<VmWorkspace, 'host'>,
  { leftover }: Tidied,
  signal: AbortSignal,
  log: Log,
): Promise<void> {
  if (leftover === '') return;
  const words = ['podman', 'unshare', 'rm', '-rf', '--', leftover];
  const isGone =
    host.runtime === 'podman' && (await host.shell.exec(words, { timeoutMs: 10 * TIMEOUT_MS, signal })).code === 0;
  if (!isGone) {
    log.warn({ path: leftover }, 'a removed checkout belongs to a user of its container and stays on the disk');
  }
}
