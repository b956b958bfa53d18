/** Mirrors, main checkouts and worktrees on the VM, as steps of charts. */
import { posix } from 'node:path';
import type { EffectHandlers } from '../../actors/index.ts';
import { ensureCheckout, ensureMirror, markSeen, removeCheckout } from '../../adapters/git/index.ts';
import { WORKTREES_FOLDER } from '../../policy/devcontainer/index.ts';
import { deleteAsContainerUser, gitInside } from './inside.ts';
import { withNews } from './news.ts';
import { containerOf, type VmWorkspace } from './ports.ts';

export function checkoutHandlers(ports: VmWorkspace) {
  const { git } = ports;
  const { autoPull } = ports.config.git;

  return {
    'workspace.mirror': (request, context) =>
      withNews(ports, request, context, async (say) => {
        const { repo } = request.params;
        const { signal } = context;
        const onProgress = (line: string) => {
          const sentence = transferSentence(line);
          if (sentence !== undefined) say(sentence);
        };
        await ensureMirror(git, repo, { refresh: autoPull, signal, onProgress });
        // The container is of the branch, so it needs the branch's checkout whatever its first session works in.
        await ensureCheckout(git, repo, '', { pull: autoPull, signal, onProgress });
      }),
    'workspace.checkout': (request, context) =>
      withNews(ports, request, context, async (say) => {
        const { repo, worktree } = request.params;
        const { signal } = context;
        const onProgress = (line: string) => say(transferSentence(line) ?? 'Fetching the repository …');
        const { path, branch } = await ensureCheckout(git, repo, worktree, { pull: autoPull, signal, onProgress });
        // The session's agent comes next, and it is in the container.
        await markSeen(git, repo, worktree, signal);
        return { path, branch, inside: worktree === '' ? '' : posix.join(WORKTREES_FOLDER, worktree) };
      }),
    'workspace.tidy': async ({ params: { repo, worktree, path, session } }, { signal, log }) => {
      // Main checkouts outlive their sessions.
      if (worktree === '') return { kept: '', path };
      const container = await containerOf(ports, session as `session/${string}`);
      const inside = posix.join(WORKTREES_FOLDER, worktree);
      const runInside = gitInside(ports, container?.machine, inside);
      const tidied = await removeCheckout(git, repo, worktree, { runInside, signal });
      if (tidied.leftover !== '' && !(await deleteAsContainerUser(ports, tidied.leftover, signal))) {
        log.warn(
          { path: tidied.leftover },
          'a removed worktree belongs to a user of its container and stays on the disk',
        );
      }
      return { kept: tidied.kept, path: tidied.path };
    },
  } satisfies EffectHandlers;
}

/** `remote: Counting objects: 45% (9/20)` and its like. */
function transferSentence(line: string): string | undefined {
  const match = /^(?:remote: )?(Receiving objects|Resolving deltas|Updating files|Counting objects):\s+(\d+)%/.exec(
    line,
  );
  return match ? `Fetching the repository: ${match[1]?.toLowerCase()}, ${match[2]} %` : undefined;
}
