/** What the container and session charts ask of git, in the shape of effect handlers. */
import type { EffectHandlers } from '../../actors/index.ts';
import { ensureCheckout, markSeen } from './checkout.ts';
import { ensureMirror } from './mirror.ts';
import type { GitOptions } from './run.ts';
import type { RunInside } from './shell.ts';
import { removeCheckout } from './tidy.ts';

export interface GitHandlerOptions extends GitOptions {
  /** Bring what is there up to date before it is used. */
  readonly autoPull: boolean;
  readonly runInside: RunInside;
}

export function gitHandlers(options: GitHandlerOptions) {
  return {
    'workspace.mirror': async ({ params: { repo } }, { signal }) => {
      await ensureMirror(options, repo, { refresh: options.autoPull, signal });
    },
    'workspace.checkout': async ({ params: { repo, worktree } }, { signal }) => {
      const { path, branch } = await ensureCheckout(options, repo, worktree, { pull: options.autoPull, signal });
      // The session's agent comes next, and it is in the container.
      await markSeen(options, repo, worktree, signal);
      return { path, branch };
    },
    'workspace.tidy': async ({ params: { repo, worktree, path } }, { signal }) => {
      // Main checkouts outlive their sessions.
      if (worktree === '') return { removed: false, kept: '', path };
      const tidied = await removeCheckout(options, repo, worktree, { runInside: options.runInside, signal });
      return { removed: tidied.removed, kept: tidied.kept, path: tidied.path };
    },
  } satisfies EffectHandlers;
}
