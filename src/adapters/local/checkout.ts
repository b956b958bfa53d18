/**
 * Checkouts: a bare mirror per source, and from it own clones (no hard links, no alternates), each with its own `.git`.
 * Everything is made in a temporary folder and renamed, so a half one is never seen; and made once, so asking again is safe.
 */
import { access, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { RepoRef } from '../../machines/effects.ts';
import { git } from './git.ts';
import type { LocalPaths } from './paths.ts';

export interface Checkout {
  readonly path: string;
  readonly branch: string;
}

/** Makes sure of the mirror. An existing one is brought up to date only when `refresh` is set. */
export async function ensureMirror(
  paths: LocalPaths,
  repo: RepoRef,
  refresh: boolean,
  signal: AbortSignal,
): Promise<string> {
  const mirror = paths.mirror(repo);
  if (await exists(mirror)) {
    if (refresh) await git(mirror, ['fetch', '--prune', 'origin'], signal);
    return mirror;
  }
  await makeWhole(mirror, (folder) => git(dirname(folder), ['clone', '--mirror', '--', repo.source, folder], signal));
  return mirror;
}

/** The main checkout of the branch, or the worktree of that name on a branch of its own. */
export async function ensureCheckout(
  paths: LocalPaths,
  repo: RepoRef,
  worktree: string,
  signal: AbortSignal,
): Promise<Checkout> {
  const path = worktree === '' ? paths.main(repo) : paths.worktree(repo, worktree);
  if (!(await exists(path))) {
    const mirror = await ensureMirror(paths, repo, true, signal);
    await makeWhole(path, (folder) => cloneInto(folder, mirror, repo, worktree, signal));
  }
  return { path, branch: (await git(path, ['symbolic-ref', '--short', 'HEAD'], signal)).trim() };
}

async function cloneInto(
  folder: string,
  mirror: string,
  repo: RepoRef,
  worktree: string,
  signal: AbortSignal,
): Promise<void> {
  const branch = repo.branch === '' ? [] : ['--branch', repo.branch];
  await git(dirname(folder), ['clone', '--no-hardlinks', ...branch, '--', mirror, folder], signal);
  await git(folder, ['remote', 'set-url', 'origin', repo.source], signal);
  if (worktree !== '') await git(folder, ['switch', '--create', worktree], signal);
}

/**
 * Removes a worktree unless something in it would be lost. It is moved away first: half of a worktree is never seen, whenever
 * this process dies.
 * @returns why it was kept, or an empty string
 */
export async function removeIfClean(path: string, signal: AbortSignal): Promise<string> {
  if (!(await exists(path))) return '';
  const changes = await git(path, ['status', '--porcelain'], signal);
  if (changes.trim() !== '') return 'it has uncommitted changes';
  const unpushed = await git(path, ['rev-list', '--count', '--branches', '--not', '--remotes'], signal);
  if (unpushed.trim() !== '0') return 'it has commits that are not pushed';
  if ((await git(path, ['stash', 'list'], signal)).trim() !== '') return 'it has stashed changes';
  await aside(path, (part) => rename(path, part));
  return '';
}

/** Builds a folder beside its place and moves it there whole. Another one that was quicker wins. */
async function makeWhole(target: string, make: (folder: string) => Promise<unknown>): Promise<void> {
  try {
    await aside(target, async (part) => {
      await make(part);
      await rename(part, target);
    });
  } catch (error) {
    if (!(await exists(target))) throw error;
  }
}

/** Longer than any work on a part may take. */
const ABANDONED_MS = 2 * 60 * 60 * 1000;

/** Works in a folder beside the target, which is removed afterwards, with those of processes that died over them. */
async function aside(target: string, work: (part: string) => Promise<void>): Promise<void> {
  const parts = join(dirname(target), '.parts');
  await mkdir(parts, { recursive: true });
  const part = await mkdtemp(join(parts, `${basename(target)}-`));
  try {
    await work(join(part, 'whole'));
  } finally {
    await rm(part, { recursive: true, force: true });
  }
  for (const name of await readdir(parts)) {
    const path = join(parts, name);
    const made = (await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now();
    if (Date.now() - made > ABANDONED_MS) await rm(path, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
