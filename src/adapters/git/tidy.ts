/**
 * Removing a checkout, if nothing in it would be lost. A tree that a container has seen is looked at inside that
 * container; if it cannot be, the tree stays.
 */
import { RetryableError } from '../../actors/index.ts';
import type { RepoRef } from '../../machines/effects.ts';
import { checkoutScript, findCheckout, type Note } from './checkout.ts';
import { type GitOptions, runScript } from './run.ts';
import type { RunInside, ShellResult } from './shell.ts';

export interface Tidied {
  readonly removed: boolean;
  /** Why it was kept, to complete "... was kept: "; empty if it was not. */
  readonly kept: string;
  readonly path: string;
  /** What could not be deleted, because it belongs to a user of a container; out of the way, to be deleted as that user. */
  readonly leftover: string;
}

type Look = (args: readonly string[]) => Promise<ShellResult>;

/** Out of the way first, in one step: what is half deleted is never taken for a checkout. */
const REMOVE = `${checkoutScript.prepare}
[ -d "$target" ] && [ ! -L "$target" ] || exit 0
gone=$scratch.gone-$(date +%s)-$$
mv -T -- "$target" "$gone" || exit 1
rm -f -- "$notes/note" "$notes/seen"
rm -rf -- "$gone" 2>/dev/null || printf "%s\\n" "$gone"
`;

/** @param worktree empty for the main checkout. @throws RetryableError, TerminalError */
export async function removeCheckout(
  options: GitOptions,
  repo: RepoRef,
  worktree: string,
  { runInside, signal }: { readonly runInside: RunInside; readonly signal: AbortSignal },
): Promise<Tidied> {
  const { place, note } = await findCheckout(options, repo, worktree, signal);
  const { path } = place;
  if (!note) return { removed: false, kept: '', path, leftover: '' };
  const kept = await workIn(path, note, lookAt(options, repo, path, note, runInside, signal));
  if (kept !== '') return { removed: false, kept, path, leftover: '' };
  const { stdout } = await checkoutScript.run(options, repo, place, {
    what: 'remove the checkout of',
    script: REMOVE,
    args: [],
    call: { signal },
  });
  return { removed: true, kept: '', path, leftover: stdout.trimEnd() };
}

function lookAt(
  options: GitOptions,
  repo: RepoRef,
  path: string,
  { seen }: Note,
  runInside: RunInside,
  signal: AbortSignal,
): Look {
  if (seen) return (args) => runInside(path, args, signal);
  return (args) =>
    runScript(options, {
      what: 'look at',
      repo: repo.repo,
      script: 'tree=$1; shift; exec git -C "$tree" "$@"',
      args: [path, ...args],
      trusted: [path],
      remote: false,
      timeoutMs: 60_000,
      signal,
    });
}

/** @returns what would be lost; empty if nothing. @throws RetryableError if the VM could not be asked */
async function workIn(path: string, note: Note, look: Look): Promise<string> {
  const found: string[] = [];
  try {
    const changes = linesOf(await look(['status', '--porcelain', '--untracked-files=normal']));
    if (changes.length > 0) found.push(`uncommitted changes (${some(changes.map((line) => line.slice(3)))})`);
    const unpushed = linesOf(await look(['rev-list', '--count', 'HEAD', '--branches', '--not', '--remotes']));
    if (!/^\d{1,9}$/.test(unpushed[0] ?? '')) throw new Error('git in it does not count');
    if (unpushed[0] !== '0') found.push(`${unpushed[0]} commits that are not pushed (made on \`${note.branch}\`)`);
    const stashed = linesOf(await look(['stash', 'list']));
    if (stashed.length > 0) found.push(`stashed changes (${stashed.length})`);
  } catch (error) {
    // Whoever has no connection knows nothing of the tree. One that takes too long to look at would do so again.
    if (error instanceof RetryableError && !error.code.endsWith('TIMEOUT')) throw error;
    const why = error instanceof Error ? error.message : String(error);
    return `it could not be looked at (${asCode(why)})`;
  }
  return found.length === 0 ? '' : `it has ${found.join(' and ')}, in \`${path}\` on the VM`;
}

function linesOf({ code, stdout, stderr }: ShellResult): string[] {
  if (code !== 0) throw new Error(`git in it ended with exit code ${code}: ${stderr.trim().split('\n').at(-1)}`);
  return stdout.split('\n').filter((line) => line !== '');
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, 3).map(asCode);
  return names.length > 3 ? `${shown.join(', ')} and ${names.length - 3} more` : shown.join(', ');
}

/** What a container says is shown as it is: it pings nobody, draws nothing, and is short. */
function asCode(text: string): string {
  return `\`${text.replace(/[`\u0000-\u001f\u007f]/g, "'").slice(0, 200)}\``;
}
