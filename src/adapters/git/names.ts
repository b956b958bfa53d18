/**
 * Names that reach git and paths, checked once more where they do. The chat refuses bad ones with friendlier words; this
 * is for whatever finds a way around it.
 */
import { TerminalError } from '../../actors/index.ts';
import type { RepoRef } from '../../machines/effects.ts';

export interface RepoName {
  readonly org: string;
  readonly name: string;
  /** Empty: the default branch. */
  readonly branch: string;
}

const PART = /^(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/;

/** @throws TerminalError */
export function checkRepo(repo: RepoRef): RepoName {
  if (repo.source.startsWith('/')) {
    throw new TerminalError('GIT_NAME', `a path: ${JSON.stringify(repo.source)}`, {
      human: 'Paths work only with a local workspace. Write `org/repo`.',
    });
  }
  const parts = repo.repo.split('/');
  const [org = '', name = ''] = parts;
  if (parts.length !== 2 || !PART.test(org) || !PART.test(name)) {
    throw refused(`not the name of a repository: ${JSON.stringify(repo.repo)}`);
  }
  if (repo.branch !== '') checkBranch(repo.branch);
  return { org, name, branch: repo.branch };
}

/** git-check-ref-format(1) with `--branch`, and never anything an option could be. @throws TerminalError */
export function checkBranch(branch: string): string {
  const isWrong =
    branch === '' ||
    Buffer.byteLength(branch) > 200 ||
    /^[-/]|[/.]$|\/\/|\.\.|@\{|[\u0000-\u0020\u007f~^:?*[\\]/.test(branch) ||
    branch === '@' ||
    branch === 'HEAD' ||
    branch.split('/').some((part) => part.startsWith('.') || part.endsWith('.lock'));
  if (isWrong) throw refused(`not the name of a branch: ${JSON.stringify(branch)}`);
  return branch;
}

/** A worktree's name is a folder and a branch. @throws TerminalError */
export function checkWorktree(name: string): string {
  if (!PART.test(name)) throw refused(`not the name of a worktree: ${JSON.stringify(name)}`);
  return checkBranch(name);
}

function refused(what: string): TerminalError {
  return new TerminalError('GIT_NAME', what, { human: `That is ${what}.` });
}

/** Branches that may have been meant: the same but for case, one inside the other, or with few letters changed. */
export function similar(wanted: string, branches: readonly string[]): readonly string[] {
  const score = (branch: string): number => {
    const a = wanted.toLowerCase();
    const b = branch.toLowerCase();
    if (a === b) return 0;
    if (Math.min(a.length, b.length) >= 3 && (a.includes(b) || b.includes(a))) return 1;
    const shared = pairs(a).filter((pair) => pairs(b).includes(pair)).length;
    const likeness = (2 * shared) / (pairs(a).length + pairs(b).length || 1);
    return likeness >= 0.5 ? 3 - likeness : 9;
  };
  return branches
    .map((branch) => ({ branch, score: score(branch) }))
    .filter((entry) => entry.score < 9)
    .sort((one, two) => one.score - two.score || (one.branch < two.branch ? -1 : 1))
    .slice(0, 5)
    .map(({ branch }) => branch);
}

function pairs(word: string): string[] {
  return Array.from({ length: Math.max(0, word.length - 1) }, (_, index) => word.slice(index, index + 2));
}
