/**
 * Checkouts: each with its own `.git`, copied from the mirror and moved into place whole. What is known of one (its
 * branch, whether a container has seen it) is noted beside the mirror, where no container can change it: a tree that a
 * container has seen may hold anything, and git on the VM never reads it again.
 */
import { TerminalError } from '../../actors/index.ts';
import type { RepoRef } from '../../machines/effects.ts';
import { EXIT } from './errors.ts';
import { ensureMirror } from './mirror.ts';
import { checkRepo, type RepoName } from './names.ts';
import { type CheckoutPlace, checkoutPlace, mirrorStem, remoteUrl } from './paths.ts';
import { type GitOptions, runScript } from './run.ts';

export interface Checkout {
  readonly path: string;
  /** As it was made; the agent may have switched since. */
  readonly branch: string;
  readonly isNew: boolean;
}

/** What is noted of a checkout that is there. */
export interface Note {
  /** The branch that was asked for, empty for the default one; and the one that was. */
  readonly asked: string;
  readonly base: string;
  readonly branch: string;
  /** A container was given it. */
  readonly seen: boolean;
}

export interface CheckoutCall {
  /** Bring an existing one up to date if that needs no decision and no container has seen it. */
  readonly pull: boolean;
  readonly signal: AbortSignal;
  readonly onProgress?: (line: string) => void;
}

/**
 * $1 stem, $2 key, $3 target, $4 where it is made or unmade. Holds the checkout's lock. What is noted of each checkout has
 * a folder of its own: no checkout's name is another one's mark.
 */
const PREPARE = `
stem=$1 key=$2 target=$3 scratch=$4
mirror=$stem.git notes=$stem.checkouts/$key
umask 022
mkdir -p -- "$notes" "\${scratch%/*}" "\${target%/*}" || exit 1
exec 8>>"$notes/lock" || exit 1
flock 8 || exit 1

# What stands there without our note was not made by us.
show() {
  { [ -e "$target" ] || [ -L "$target" ]; } || return 0
  { [ -f "$notes/note" ] && [ -d "$target" ] && [ ! -L "$target" ]; } || exit ${EXIT.inTheWay}
  cat -- "$notes/note"
  if [ -e "$notes/seen" ]; then echo seen; else echo unseen; fi
  exit 0
}

# Who only looks does not wait for a fetch.
hold_mirror() {
  exec 9>>"$stem.lock" || exit 1
  flock -s 9 || exit 1
}
`;

const LOOK = `${PREPARE}
show`;

/** $5 address, $6 what was asked for, $7 base branch, $8 the worktree's branch or nothing. */
const MAKE = `${PREPARE}
url=$5 asked=$6 base=$7 branch=$8
show
hold_mirror
rm -rf -- "$scratch"
# git does not say why a file could not be written; what room there is does.
fail() {
  needed=$(du -sk -- "$mirror" | cut -f1)
  room=$(df -Pk -- "\${scratch%/*}" | tail -n 1 | tr -s ' ' | cut -d' ' -f4)
  [ "$room" -gt "$needed" ] || echo "error: no space left on device: $room KiB" >&2
  rm -rf -- "$scratch"
  exit 1
}
# A worktree whose branch was pushed before goes on with it.
start=$base
if [ -n "$branch" ] && git -C "$mirror" show-ref --verify --quiet "refs/heads/$branch"; then start=$branch; fi
git clone --progress --no-hardlinks --no-recurse-submodules --template= --branch "$start" -- "$mirror" "$scratch" || fail
git -C "$scratch" remote set-url -- origin "$url" || fail
if [ -n "$branch" ] && [ "$start" != "$branch" ]; then
  git -C "$scratch" switch --quiet --no-track --create "$branch" || fail
fi
rm -f -- "$notes/seen"
# The folder of the worktrees is mounted in containers: they see a new one, and may change it, as soon as it is there.
[ -z "$branch" ] || : >"$notes/seen" || fail
# Whoever the container lets the agent be can work in it. Around it stands a folder that nobody else on this machine enters.
if chmod 700 -- "\${target%/*/*}" 2>/dev/null; then chmod -R a+rwX -- "$scratch" || fail; fi
printf "%s\\n%s\\n%s\\n" "$asked" "$base" "\${branch:-$base}" >"$notes/note.new" || fail
mv -fT -- "$notes/note.new" "$notes/note" || fail
mv -T -- "$scratch" "$target" || fail
`;

/** $5 the branch. Forward only: a tree with work of its own is left alone. */
const PULL = `${PREPARE}
branch=$5
[ -d "$target" ] && [ ! -L "$target" ] && [ ! -e "$notes/seen" ] || exit 0
hold_mirror
# Of a git that was killed: we hold the lock, so nobody works here.
find "$target/.git" -name "*.lock" -type f -delete
git -C "$target" fetch --quiet --no-write-fetch-head --no-recurse-submodules \\
  -- "$mirror" "+refs/heads/*:refs/remotes/origin/*" || exit 1
[ "$(git -C "$target" symbolic-ref HEAD)" = "refs/heads/$branch" ] || exit 0
git -C "$target" merge-base --is-ancestor HEAD "refs/remotes/origin/$branch" || exit 0
git -C "$target" merge --quiet --ff-only "refs/remotes/origin/$branch" >&2
`;

/**
 * The checkout of the branch, or the worktree of that name on a branch of its own. One that is there is given as it is,
 * without asking the other side for anything (unless `pull` is set).
 * @throws what `ensureMirror` throws, and TerminalError GIT_IN_THE_WAY, GIT_WORKTREE_TAKEN
 */
export async function ensureCheckout(
  options: GitOptions,
  repo: RepoRef,
  worktree: string,
  call: CheckoutCall,
): Promise<Checkout> {
  const { place, note } = await findCheckout(options, repo, worktree, call.signal);
  if (!note) return makeCheckout(options, repo, worktree, place, call);
  if (worktree !== '' && note.asked !== repo.branch && note.base !== repo.branch) {
    throw new TerminalError('GIT_WORKTREE_TAKEN', `${place.path} was made from ${note.base}, not ${repo.branch}`, {
      human: `There is a worktree \`${worktree}\` already, made from branch \`${note.base}\`. Choose another name.`,
    });
  }
  if (call.pull && !note.seen) {
    await ensureMirror(options, repo, { ...call, refresh: true });
    await onCheckout(options, repo, place, { what: 'pull', script: PULL, args: [note.branch], call });
  }
  return { path: place.path, branch: note.branch, isNew: false };
}

async function makeCheckout(
  options: GitOptions,
  repo: RepoRef,
  worktree: string,
  place: CheckoutPlace,
  call: CheckoutCall,
): Promise<Checkout> {
  const { branch: base } = await ensureMirror(options, repo, { ...call, refresh: true });
  const args = [remoteUrl(options, checkRepo(repo)), repo.branch, base, worktree];
  const { stdout } = await onCheckout(options, repo, place, { what: 'check out', script: MAKE, args, call });
  // Another one that was quicker wins.
  const branch = noteOf(stdout)?.branch ?? (worktree === '' ? base : worktree);
  return { path: place.path, branch, isNew: stdout === '' };
}

/** @returns the place, and what is noted if the checkout is there. @throws TerminalError GIT_IN_THE_WAY */
export async function findCheckout(
  options: GitOptions,
  repo: RepoRef,
  worktree: string,
  signal: AbortSignal,
): Promise<{ readonly place: CheckoutPlace; readonly note: Note | undefined }> {
  const place = checkoutPlace(options, checkRepo(repo), worktree);
  const { stdout } = await onCheckout(options, repo, place, { what: 'find', script: LOOK, args: [], call: { signal } });
  return { place, note: noteOf(stdout) };
}

/**
 * To be called before a container is given a main checkout: from then on git on the VM leaves it alone. Worktrees count as
 * seen from the beginning.
 */
export async function markSeen(
  options: GitOptions,
  repo: RepoRef,
  worktree: string,
  signal: AbortSignal,
): Promise<void> {
  const place = checkoutPlace(options, checkRepo(repo), worktree);
  const script = `${PREPARE}\n: >"$notes/seen"`;
  await onCheckout(options, repo, place, { what: 'note', script, args: [], call: { signal } });
}

interface OnCheckout {
  readonly what: string;
  /** Starts with `PREPARE`. */
  readonly script: string;
  readonly args: readonly string[];
  readonly call: { readonly signal: AbortSignal; readonly onProgress?: (line: string) => void };
}

/** Runs a script about one checkout, under its lock. */
async function onCheckout(
  options: GitOptions,
  repo: RepoRef,
  place: CheckoutPlace,
  { what, script, args, call }: OnCheckout,
) {
  const name: RepoName = checkRepo(repo);
  const stem = mirrorStem(options, name);
  const result = await runScript(options, {
    what,
    repo: repo.repo,
    script,
    args: [stem, place.key, place.path, place.scratch, ...args],
    trusted: [`${stem}.git`, place.scratch, place.path],
    remote: false,
    timeoutMs: options.timeoutMs,
    signal: call.signal,
    answers: [EXIT.inTheWay],
    onProgress: call.onProgress,
  });
  if (result.code !== EXIT.inTheWay) return result;
  throw new TerminalError('GIT_IN_THE_WAY', `${place.path} exists and was not made by us`, {
    human: `\`${place.path}\` on the VM exists already and is not a checkout of ours. Move it away, or use \`--worktree=<name>\`.`,
  });
}

/** What `show` prints. */
function noteOf(text: string): Note | undefined {
  const [asked = '', base, branch, seen] = text.split('\n');
  return base && branch ? { asked, base, branch, seen: seen !== 'unseen' } : undefined;
}

/** For what else is done about a checkout under its lock. */
export const checkoutScript = { prepare: PREPARE, run: onCheckout };
