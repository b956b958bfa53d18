/** Commands inside a container that touch what its agents have touched. */
import { TerminalError } from '../../actors/index.ts';
import type { RunInside } from '../../adapters/git/index.ts';
import type { Machine } from '../../machines/effects.ts';
import type { VmWorkspace } from './ports.ts';

const TIMEOUT_MS = 60_000;

/** Whatever the repository configures stays in the container, with the rights of its user; hooks and monitors are off all the same. */
const SETTINGS = ['safe.directory=*', 'core.fsmonitor=false', 'core.hooksPath=/dev/null', 'core.pager=cat'];

/** git in the container, as its user. @param folder the tree as the container sees it */
export function gitInside(
  { host }: Pick<VmWorkspace, 'host'>,
  machine: Pick<Machine, 'containerId' | 'remoteUser'> | undefined,
  folder: string,
): RunInside {
  return async (_path, args, signal) => {
    if (machine === undefined || machine.containerId === '') {
      throw new TerminalError('CONTAINER_GONE', 'there is no container to look at it in');
    }
    const exec = [host.runtime, 'exec', '--user', machine.remoteUser, '--workdir', folder, machine.containerId];
    const git = ['git', ...SETTINGS.flatMap((setting) => ['-c', setting]), ...args];
    const result = await host.shell.exec([...exec, ...git], { timeoutMs: TIMEOUT_MS, signal });
    const isAbsent =
      /no such container|no container with|is not running|container state improper|can only create exec/i;
    if (result.code !== 0 && isAbsent.test(result.stderr)) {
      throw new TerminalError('CONTAINER_NOT_RUNNING', 'the container it was used in does not run');
    }
    return result;
  };
}

/** What a user of a rootless container owns belongs to nobody outside of its user namespace. @returns whether it is gone */
export async function deleteAsContainerUser(
  { host }: VmWorkspace,
  path: string,
  signal: AbortSignal,
): Promise<boolean> {
  if (host.runtime !== 'podman') return false;
  const words = ['podman', 'unshare', 'rm', '-rf', '--', path];
  return (await host.shell.exec(words, { timeoutMs: 10 * TIMEOUT_MS, signal })).code === 0;
}
