import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { RepoRef } from '../machines/effects.ts';
import { accept, type Parsed, quoteInput, refuse } from './commandError.ts';
import { checkBranch, checkRepoPart } from './names.ts';

/** What decides how a repository may be named. */
export interface RepoNaming {
  /** For `start repo`; empty if none is configured. */
  readonly defaultOrg: string;
  /** Accept absolute paths (local workspaces only). */
  readonly allowPaths: boolean;
  /** Short names for local paths. */
  readonly localRepos: Readonly<Record<string, string>>;
}

/**
 * Reads `org/repo[@branch]`, `repo[@branch]`, a GitHub address, and for local workspaces a configured name or an
 * absolute path. The branch starts at the first `@` after the name.
 */
export function parseRepoRef(input: string, naming: RepoNaming): Parsed<RepoRef> {
  const address = /^https:\/\/github\.com\/(.+)$/i.exec(input);
  const target = address?.[1]?.replace(/\/$/, '') ?? input;
  if (target.includes('://') || target.startsWith('git@')) {
    return refuse('not a GitHub address', `${quoteInput(input)} is not on GitHub. Write \`org/repo\`.`);
  }
  const nameEnd = target.startsWith('/') ? target.lastIndexOf('/') : 0;
  const at = target.indexOf('@', nameEnd);
  const name = at < 0 ? target : target.slice(0, at);
  let branch = '';
  if (at >= 0) {
    const checked = checkBranch(target.slice(at + 1));
    if (!checked.ok) return checked;
    branch = checked.value;
  }
  const local = Object.hasOwn(naming.localRepos, name) ? naming.localRepos[name] : undefined;
  if (local !== undefined) return accept({ repo: `local/${name}`, source: local, branch });
  if (name.startsWith('/')) return parsePath(name, branch, naming);
  return parseGitHubName(name, branch, naming);
}

function parseGitHubName(name: string, branch: string, naming: RepoNaming): Parsed<RepoRef> {
  const parts = name.split('/');
  if (parts.length > 2) {
    return refuse('too many parts', `${quoteInput(name)} is not a repository. Write \`org/repo\`.`);
  }
  if (parts.length === 1 && naming.defaultOrg === '') {
    const known = Object.keys(naming.localRepos);
    const hint = known.length > 0 ? ` Known here: ${known.map((item) => `\`${item}\``).join(', ')}.` : '';
    return refuse(
      'no default organisation',
      `Which organisation? Write \`org/repo\`; a bare ${quoteInput(name)} works only where a default organisation is configured.${hint}`,
    );
  }
  const org = checkRepoPart(parts.length === 1 ? naming.defaultOrg : (parts[0] ?? ''), 'an organisation');
  if (!org.ok) return org;
  const repo = checkRepoPart((parts.at(-1) ?? '').replace(/\.git$/, ''), 'a repository');
  if (!repo.ok) return repo;
  const full = `${org.value}/${repo.value}`;
  return accept({ repo: full, source: `https://github.com/${full}.git`, branch });
}

function parsePath(path: string, branch: string, naming: RepoNaming): Parsed<RepoRef> {
  if (!naming.allowPaths) {
    return refuse('paths are not allowed', 'Paths work only with a local workspace. Write `org/repo`.');
  }
  if (/[\u0000-\u001f\u007f]/.test(path) || path.split('/').includes('..')) {
    return refuse('bad path', `${quoteInput(path)} is not a plain absolute path. Write it without \`..\`.`);
  }
  const source = posix.normalize(path).replace(/(?<=.)\/$/, '');
  if (source === '/') return refuse('bad path', 'The root folder cannot be a workspace. Name a repository in it.');
  const named = Object.entries(naming.localRepos).find(([, known]) => known === source)?.[0];
  return accept({ repo: `local/${named ?? slugOf(source)}`, source, branch });
}

/** Readable, and different for different paths. */
function slugOf(path: string): string {
  const base = posix
    .basename(path)
    .replace(/[^A-Za-z0-9_-]+/g, '-')
    .replace(/^-+|-+$/g, '');
  const hash = createHash('sha256').update(path).digest('hex').slice(0, 8);
  return `${base.slice(0, 40) || 'folder'}-${hash}`;
}
