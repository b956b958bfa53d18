/** Mirrors, main checkouts and worktrees on the VM, as steps of charts. */
import { posix } from 'node:path';
import type { EffectHandlers } from '../../actors/index.ts';
import { followLinks } from '../../adapters/devcontainer/index.ts';
import { ensureCheckout, ensureMirror, removeCheckout } from '../../adapters/git/index.ts';
import { WORKTREES_FOLDER } from '../../policy/devcontainer/index.ts';
import { containersOf } from './build.ts';
import { deleteLeftover, gitInside, mainTree } from './inside.ts';
import { longStep } from './news.ts';
import { containerOf, mainCheckout, type OfContainer, type VmWorkspace, worktreesFolder } from './ports.ts';
import { isComingUp, isOpening } from './wanted.ts';

export function checkoutHandlers(ports: VmWorkspace) {
  const { git } = ports;
  const { autoPull } = ports.config.git;

  return {
    'workspace.mirror': (request, context) =>
      longStep(ports, request, context, isComingUp(request.params.generation), async (say, signal) => {
        const { repo, fresh } = request.params;
        const onProgress = (line: string) => {
          const sentence = transferSentence(line);
          if (sentence !== undefined) say(sentence);
        };
        const refresh = autoPull || fresh;
        await ensureMirror(git, repo, { refresh, signal, onProgress });
        if (fresh) await takeAnew(ports, request.params, signal);
        // The container is of the branch, so it needs the branch's checkout whatever its first session works in.
        await ensureCheckout(git, repo, '', { pull: refresh, signal, onProgress });
      }),
    'workspace.checkout': (request, context) =>
      longStep(ports, request, context, isOpening, async (say, signal) => {
        const { repo, worktree } = request.params;
        const onProgress = (line: string) => say(transferSentence(line) ?? 'Fetching the repository …');
        const { path, branch } = await ensureCheckout(git, repo, worktree, { pull: autoPull, signal, onProgress });
        return { path, branch, inside: worktree === '' ? '' : posix.join(WORKTREES_FOLDER, worktree) };
      }),
    'workspace.tidy': async ({ params: { repo, worktree, path, session } }, { signal, log }) => {
      // Main checkouts outlive their sessions.
      if (worktree === '') return { kept: '', path };
      const container = await containerOf(ports, session as `session/${string}`);
      const folder = posix.join(WORKTREES_FOLDER, worktree);
      const seen = { source: worktreesFolder(ports, repo), target: WORKTREES_FOLDER, workdir: folder };
      const runInside = gitInside(ports, { repo, machine: container?.machine, folder, ...seen });
      const tidied = await removeCheckout(git, repo, worktree, { runInside, signal });
      await deleteLeftover(ports, tidied, signal, log);
      return { kept: tidied.kept, path: tidied.path };
    },
  } satisfies EffectHandlers;
}

/**
 * The last container did not come up, and git on the VM leaves a tree alone that a container has seen. So the main checkout is
 * made anew if nothing in it would be lost; what is in it is looked at in the container that failed.
 */
async function takeAnew(ports: VmWorkspace, of: OfContainer, signal: AbortSignal): Promise<void> {
  const place = mainCheckout(ports, of.repo);
  // Mounts name real places; the folders above may be links of the VM's administrator.
  const checkout = (await followLinks(ports.host.shell, [place], signal)).get(place) ?? place;
  const at = (await containersOf(ports, of, signal)).flatMap(({ id, running, mounts }) =>
    mounts.flatMap(({ source, target }) => (running && source === checkout ? [{ id, target }] : [])),
  )[0];
  const machine = at && { containerId: at.id, remoteUser: '0' };
  const tree = { repo: of.repo, machine, folder: at?.target ?? '', ...mainTree(place) };
  await removeCheckout(ports.git, of.repo, '', { runInside: gitInside(ports, tree), signal });
}

/** `remote: Counting objects: 45% (9/20)` and its like. */
function transferSentence(line: string): string | undefined {
  const match = /^(?:remote: )?(Receiving objects|Resolving deltas|Updating files|Counting objects):\s+(\d+)%/.exec(
    line,
  );
  return match ? `Fetching the repository: ${match[1]?.toLowerCase()}, ${match[2]} %` : undefined;
}
