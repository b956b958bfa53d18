/** Mirrors, main checkouts and worktrees on the VM, as steps of charts. */
import { posix } from 'node:path';
import type { EffectHandlers, Log } from '../../actors/index.ts';
import { ensureCheckout, ensureMirror, removeCheckout } from '../../adapters/git/index.ts';
import type { Address } from '../../machines/addresses.ts';
import type { ContainerContext } from '../../machines/container/context.ts';
import { WORKTREES_FOLDER } from '../../policy/devcontainer/index.ts';
import { deleteLeftover, gitInside, mainTree } from './inside.ts';
import { longStep } from './news.ts';
import { originOf } from './origins.ts';
import { containerOf, mainCheckout, type OfContainer, type VmWorkspace, worktreesFolder } from './ports.ts';
import { findMounted, orWhyNot, pullForSession, pullMain, tell } from './pull.ts';
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
        if (fresh) await takeAnew(ports, request.params, { signal, log: context.log });
        // The container is of the branch, so it needs the branch's checkout whatever its first session works in.
        await ensureCheckout(git, repo, '', { pull: refresh, signal, onProgress });
      }),
    'workspace.checkout': (request, context) =>
      longStep(ports, request, context, isOpening, async (say, signal) => {
        const { repo, worktree, session } = request.params;
        const onProgress = (line: string) => say(transferSentence(line) ?? 'Fetching the repository …');
        const { path, branch } = await ensureCheckout(git, repo, worktree, { pull: autoPull, signal, onProgress });
        if (autoPull && worktree === '') {
          await pullForSession(ports, session as Address, repo, { signal, log: context.log });
        }
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
 * made anew if nothing in it would be lost; what is in it is looked at in the container that failed. If something would be, what
 * was pushed is pulled there. If that does not work either, whoever waits is told: otherwise the old configuration would fail
 * again and again, whatever is pushed.
 */
async function takeAnew(
  ports: VmWorkspace,
  of: OfContainer,
  { signal, log }: { readonly signal: AbortSignal; readonly log: Log },
): Promise<void> {
  const place = mainCheckout(ports, of.repo);
  const at = await findMounted(ports, of.repo, signal);
  const machine = at && { containerId: at.containerId, remoteUser: '0' };
  const tree = { repo: of.repo, machine, folder: at?.folder ?? '', ...mainTree(place) };
  const runInside = gitInside(ports, tree);
  const { kept } = await removeCheckout(ports.git, of.repo, '', { runInside, signal });
  if (kept === '') return;
  const why = await pullKept(ports, of, at, { signal, log });
  if (why === '') return;
  const { guests = [] } = ((await ports.runtime.read(of.container))?.context ?? {}) as Partial<ContainerContext>;
  const text = `What was pushed since does not count: the checkout on the VM was kept as it is (${kept}), and it could not be pulled (${why}). To begin with what was pushed, move \`${place}\` away on the VM, then \`@claude retry\`.`;
  await tell(
    ports,
    guests.map(({ session }) => session),
    text,
    log,
  );
}

/** @returns why it could not be pulled; empty if it is up to date */
async function pullKept(
  ports: VmWorkspace,
  { repo }: OfContainer,
  at: Awaited<ReturnType<typeof findMounted>>,
  { signal, log }: { readonly signal: AbortSignal; readonly log: Log },
): Promise<string> {
  if (at === undefined) return 'there is no container to do it in';
  const remoteUser = (await originOf(ports, { repo }, signal))?.user ?? '0';
  return orWhyNot(() => pullMain(ports, repo, { ...at, remoteUser }, signal), repo, { signal, log });
}

/** `remote: Counting objects: 45% (9/20)` and its like. */
function transferSentence(line: string): string | undefined {
  const match = /^(?:remote: )?(Receiving objects|Resolving deltas|Updating files|Counting objects):\s+(\d+)%/.exec(
    line,
  );
  return match ? `Fetching the repository: ${match[1]?.toLowerCase()}, ${match[2]} %` : undefined;
}
