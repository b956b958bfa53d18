import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { RepoRef } from '../../machines/effects.ts';

/** Where the local workspace keeps things, below one data folder. */
export interface LocalPaths {
  /** Bare copy of a source; no agent ever sees it. */
  mirror(repo: RepoRef): string;
  /** The main checkout of a branch. */
  main(repo: RepoRef): string;
  worktree(repo: RepoRef, name: string): string;
  /** A worker's pid, port, log and state. */
  worker(container: string): string;
}

export function localPaths(dataDir: string): LocalPaths {
  return {
    mirror: (repo) => join(dataDir, 'mirrors', `${repoFolder(repo)}.git`),
    main: (repo) =>
      join(dataDir, 'repos', repo.branch === '' ? repoFolder(repo) : `${repoFolder(repo)}@${unique(repo.branch)}`),
    worktree: (repo, name) => join(dataDir, 'worktrees', repoFolder(repo), unique(name)),
    worker: (container) => join(dataDir, 'workers', `${slug(container)}-${shortHash(container)}`),
  };
}

/** `org/name` stays readable; two sources that share a name do not share a folder. */
function repoFolder({ repo, source }: RepoRef): string {
  return join(...repo.split('/').map(slug), shortHash(source));
}

/** Names are validated before they come here; this keeps even a wrong one inside its folder. */
function slug(name: string): string {
  const cleaned = name.replace(/[^A-Za-z0-9_.-]+/g, '-').replace(/^[.-]+/, '');
  return cleaned === '' ? '_' : cleaned;
}

/** Two names that look alike as folders do not share one. */
function unique(name: string): string {
  return slug(name) === name ? name : `${slug(name)}-${shortHash(name)}`;
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
