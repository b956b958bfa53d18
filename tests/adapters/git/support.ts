/** A root folder with a repository `acme/web` in it, and the adapter pointed at it. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failureOf } from '../../../src/actors/index.ts';
import type { GitOptions, RunInside } from '../../../src/adapters/git/index.ts';
import type { RepoRef } from '../../../src/machines/effects.ts';
import { makeRepository, type TestRepository } from '../../support/gitServer.ts';
import { localShell } from '../../support/localShell.ts';

export interface Ground {
  readonly root: string;
  readonly source: TestRepository;
  readonly options: GitOptions;
  readonly repos: string;
  readonly worktrees: string;
  /** Must never appear. */
  readonly marker: string;
}

export function layGround(options: Partial<GitOptions> = {}): Ground {
  const root = mkdtempSync(join(tmpdir(), 'csm-git-'));
  const repos = join(root, 'vm', 'repos');
  const worktrees = join(root, 'vm', 'worktrees');
  mkdirSync(repos, { recursive: true });
  mkdirSync(worktrees, { recursive: true });
  const source = makeRepository(join(root, 'forge'), 'acme/web');
  writeFileSync(join(source.work, 'a.txt'), 'a\n');
  source.commit('first');
  source.git('branch', 'side');
  source.push();
  return {
    root,
    source,
    repos,
    worktrees,
    marker: join(root, 'marker'),
    options: {
      shell: localShell(),
      reposPath: repos,
      worktreesPath: worktrees,
      baseUrl: `file://${join(root, 'forge')}`,
      token: () => '',
      timeoutMs: 60_000,
      ...options,
    },
  };
}

export function clear({ root }: Ground): void {
  rmSync(root, { recursive: true, force: true });
}

export function repoRef(branch = '', repo = 'acme/web'): RepoRef {
  return { repo, source: `https://github.com/${repo}.git`, branch };
}

export const live = new AbortController().signal;

/** The code and the words of what it rejects with. */
export async function refusalOf(promise: Promise<unknown>): Promise<{ code: string; message: string; human: string }> {
  return promise.then(
    (value) => ({ code: 'none', message: JSON.stringify(value), human: '' }),
    (error: unknown) => failureOf(error),
  );
}

export const notAsked: RunInside = async (path) => {
  throw new Error(`asked for ${path}`);
};

/** Files and folders anywhere below that are neither whole nor locks nor notes. */
export function leftovers(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /(^|\/)(\.csm\/[^/]+|[^/]+\.new|tmp_[^/]*)$/.test(path),
  );
}
