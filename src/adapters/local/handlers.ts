/**
 * The local workspace: checkouts in a data folder and workers as processes of this machine. There are no walls around the
 * agent, so its tools ask by default. For development and for a machine that is a sandbox itself.
 */
import { mkdir } from 'node:fs/promises';
import type { EffectHandlers } from '../../actors/index.ts';
import { ensureCheckout, ensureMirror, removeIfClean } from './checkout.ts';
import { localPaths } from './paths.ts';
import { ensureWorker, findWorker, stopWorker } from './worker.ts';

export interface LocalWorkspaceOptions {
  readonly dataDir: string;
  readonly workerCommand: readonly string[];
  /** The whole environment of workers and, through them, of agents. */
  readonly env: Readonly<Record<string, string>>;
  readonly agentIdleSeconds: number;
  /** Bring the mirror up to date at every container start. */
  readonly autoPull: boolean;
  readonly tokenHash: (container: string, generation: number) => string;
}

export function localWorkspaceHandlers(options: LocalWorkspaceOptions) {
  const paths = localPaths(options.dataDir);
  const identity = (container: string, generation: number) => `${container}#${generation}`;

  return {
    'workspace.mirror': async ({ params: { repo } }, { signal }) => {
      await ensureMirror(paths, repo, options.autoPull, signal);
    },
    // A local workspace runs no configuration of the repository on the host, publishes no ports and has no walls.
    'workspace.admit': async () => {},
    'workspace.vet': async () => {},
    'workspace.reserve': async () => {},
    'workspace.compare': async () => ({ changed: false }),
    'workspace.checkWalls': async () => {},
    'workspace.up': async ({ params: { container } }) => {
      await mkdir(paths.worker(container), { recursive: true, mode: 0o700 });
    },
    'workspace.startWorker': async ({ params: { container, generation } }, { signal }) => {
      const folder = paths.worker(container);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const endpoint = await ensureWorker(
        {
          folder,
          command: options.workerCommand,
          identity: identity(container, generation),
          tokenHash: options.tokenHash(container, generation),
          env: options.env,
          agentIdleSeconds: options.agentIdleSeconds,
        },
        signal,
      );
      return { endpoint, identity: identity(container, generation) };
    },
    'workspace.inspect': async ({ params: { container, generation } }) => {
      const endpoint = await findWorker(paths.worker(container), identity(container, generation));
      return { found: endpoint === undefined ? 'noWorker' : 'worker', endpoint: endpoint ?? '' };
    },
    'workspace.remove': async ({ params: { container } }) => {
      await stopWorker(paths.worker(container));
    },
    'workspace.checkout': async ({ params: { repo, worktree } }, { signal }) => {
      const { path, branch } = await ensureCheckout(paths, repo, worktree, signal);
      return { path, branch };
    },
    'workspace.tidy': async ({ params: { worktree, path } }, { signal }) => {
      const kept = worktree === '' || path === '' ? '' : await removeIfClean(path, signal);
      return { kept, path };
    },
  } satisfies EffectHandlers;
}
