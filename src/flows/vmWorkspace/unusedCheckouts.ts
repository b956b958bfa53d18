/**
 * Main checkouts that were not used for as long as sessions are kept: one that holds nothing of its own goes, and is made again
 * when it is needed. One with work in it stays, and is looked at again as much later.
 */
import type { Log } from '../../actors/index.ts';
import { removeCheckout } from '../../adapters/git/index.ts';
import type { RepoRef } from '../../machines/effects.ts';
import { deleteLeftover, gitInside, type InsidePorts, mainTree } from './inside.ts';
import { oldOrigins, settleOrigin } from './origins.ts';
import { mainCheckout } from './ports.ts';

export interface UnusedPorts extends InsidePorts {
  readonly log: Log;
}

/** @param isLive whether a chart has a container of that branch, or makes one; asked before each, for it takes a while */
export async function pruneCheckouts(
  ports: UnusedPorts,
  keepDays: number,
  isLive: (repo: RepoRef) => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  for (const { note, repo } of await oldOrigins(ports, keepDays, signal)) {
    if (await isLive(repo)) continue;
    // One that cannot be dealt with keeps none of the others.
    await pruneCheckout(ports, note, repo, signal).catch((error: unknown) => {
      if (signal.aborted) throw error;
      ports.log.warn({ err: error, repo: repo.repo, branch: repo.branch }, 'an unused checkout could not be looked at');
    });
  }
}

async function pruneCheckout(ports: UnusedPorts, note: string, repo: RepoRef, signal: AbortSignal): Promise<void> {
  const tree = { repo, machine: undefined, folder: '', ...mainTree(mainCheckout(ports, repo)) };
  const tidied = await removeCheckout(ports.git, repo, '', { runInside: gitInside(ports, tree), signal });
  await deleteLeftover(ports, tidied, signal, ports.log);
  await settleOrigin(ports, note, tidied.kept !== '', signal);
  ports.log.info({ path: tidied.path, kept: tidied.kept }, 'a checkout was not used for long');
}
