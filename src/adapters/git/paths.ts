/**
 * Where things are on the VM. Different (repo, branch, worktree) never share a path, and no part of a path is taken from
 * a name without being checked.
 *
 * | what | where |
 * |---|---|
 * | mirror, lock, notes on checkouts | `<repos>/.mirrors/<host>/<org>/<repo>.git`, `.lock`, `.checkouts/<key>/`; no container sees them |
 * | checkout of a branch | `<repos>/<host>/<org>/<repo>[@<branch>]` |
 * | worktree | `<worktrees>/<org>/<repo>/<name>` |
 * | being made or removed | `<repos>/.csm/`, `<worktrees>/.csm/`: outside of what containers see, on the same disk |
 */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { checkWorktree, type RepoName } from './names.ts';

export interface Folders {
  readonly reposPath: string;
  readonly worktreesPath: string;
  /** Where repositories come from, without the repository: `https://github.com`. */
  readonly baseUrl: string;
}

export interface CheckoutPlace {
  readonly path: string;
  /** Unique among the checkouts of a repository; names its lock and its notes. */
  readonly key: string;
  /** Where it is made before it is moved to its path, and unmade after. */
  readonly scratch: string;
}

export function remoteUrl({ baseUrl }: Folders, { org, name }: RepoName): string {
  return `${baseUrl.replace(/\/+$/, '')}/${org}/${name}.git`;
}

/** Without `.git`: what belongs to the mirror stands beside it. */
export function mirrorStem(folders: Folders, { org, name }: RepoName): string {
  return posix.join(folders.reposPath, '.mirrors', hostFolder(folders), org, name);
}

export function checkoutPlace(folders: Folders, repo: RepoName, worktree: string): CheckoutPlace {
  if (worktree !== '') {
    const name = checkWorktree(worktree);
    return {
      path: posix.join(folders.worktreesPath, repo.org, repo.name, name),
      key: `worktree-${name}`,
      scratch: scratch(folders.worktreesPath, mirrorStem(folders, repo), `worktree-${name}`),
    };
  }
  const branch = repo.branch === '' ? '' : `@${branchFolder(repo.branch)}`;
  return {
    path: posix.join(folders.reposPath, hostFolder(folders), repo.org, `${repo.name}${branch}`),
    key: `main${branch}`,
    scratch: scratch(folders.reposPath, mirrorStem(folders, repo), `main${branch}`),
  };
}

function scratch(root: string, stem: string, key: string): string {
  return posix.join(root, '.csm', shortHash(`${stem}\n${key}`));
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** `file:` addresses, which only tests use, have no host. */
function hostFolder({ baseUrl }: Folders): string {
  const { hostname } = new URL(baseUrl);
  return hostname === '' ? 'local' : hostname.replace(/[^A-Za-z0-9.-]/g, '-').replace(/^[.-]+/, '');
}

/** Plain names stay as they are; others get a hash behind a `+`, which no plain name has. */
function branchFolder(branch: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/.test(branch)) return branch;
  const readable = branch.replace(/[^A-Za-z0-9_.-]+/g, '-').slice(0, 80);
  return `${readable}+${shortHash(branch)}`;
}
