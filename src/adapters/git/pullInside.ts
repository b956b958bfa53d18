/**
 * Bringing a checkout up to date that a container has seen. git on the VM never reads it again, so git in the container does it:
 * it is sent what the mirror has and the checkout lacks. Forward only; what is not committed stays as it is.
 */
import type { RepoRef } from '../../machines/effects.ts';
import { checkRepo } from './names.ts';
import { mirrorStem } from './paths.ts';
import { type GitOptions, runScript } from './run.ts';

export interface SeenCheckout {
  readonly repo: RepoRef;
  /** As it was made. */
  readonly branch: string;
  /** What runs a program in the container, in the checkout, as its user, with `INSIDE`: `podman exec --interactive ...`. */
  readonly inside: readonly string[];
}

/** `elsewhere`: another branch is checked out; `apart`: it has commits of its own; `changed`: changes of its own are in the way. */
export type Pulled = 'current' | 'updated' | 'elsewhere' | 'apart' | 'changed';

/** For git in a container: whatever the repository configures stays there; hooks and monitors are off all the same. */
export const INSIDE: readonly (readonly [string, string])[] = [
  ['safe.directory', '*'],
  ['core.fsmonitor', 'false'],
  ['core.hooksPath', '/dev/null'],
  ['core.pager', 'cat'],
];

/** The container's git may be anything, and the mirror waits for it. */
const MOST_MS = 2 * 60_000;

const EXIT = { elsewhere: 71, apart: 72, changed: 73 } as const;

/** In the container. $1: branch. What HEAD is, and what the forge's branch was when it was last looked at. */
const TIPS = `git rev-parse --quiet --verify HEAD || echo none; git rev-parse --quiet --verify "refs/remotes/origin/$1"`;

/**
 * In the container. $1: branch. What it lacks comes by stdin, if it lacks anything. Whoever does it, the agent's user can work on
 * with what comes of it, as with a new checkout.
 */
const MERGE = `
umask 0
command -v git >/dev/null || { echo "fatal: the container has no git" >&2; exit 1; }
bundle=$(mktemp) || exit 1
trap 'rm -f -- "$bundle"' EXIT
cat >"$bundle" || exit 1
there=refs/remotes/origin/$1
[ "$(git symbolic-ref -q HEAD)" = "refs/heads/$1" ] || exit ${EXIT.elsewhere}
[ ! -s "$bundle" ] ||
  git fetch --quiet --no-write-fetch-head --no-recurse-submodules --no-tags -- "$bundle" "+refs/heads/$1:$there" || exit 1
! git merge-base --is-ancestor "$there" HEAD || { echo current; exit 0; }
git merge-base --is-ancestor HEAD "$there" || exit ${EXIT.apart}
git merge --quiet --ff-only "$there" >&2 || exit ${EXIT.changed}
`;

/**
 * On the VM. $1 mirror's stem, $2 branch, $3 and $4 scripts for the container, then what runs a program there. What the container
 * says it has is a hint: it is looked up in the mirror before it is used.
 */
const PULL = `
stem=$1 branch=$2 tips=$3 merge=$4
shift 4
mirror=$stem.git
exec 9>>"$stem.lock" && flock -s 9 || exit 1
head=$(git -C "$mirror" rev-parse --verify --quiet "refs/heads/$branch^{commit}") || exit 1
said=$("$@" sh -c "$tips" sh "$branch" </dev/null | head -c 200 | tr '\\n' ' ' | tr -dc '0-9a-f ')
tip=\${said%% *} known=\${said#* }
known=\${known%% *}
[ "$tip" != "$head" ] || { echo current; exit 0; }
if [ "$known" = "$head" ]; then
  "$@" sh -c "$merge" sh "$branch" </dev/null
  exit $?
fi
if [ -n "$known" ] && git -C "$mirror" cat-file -e "$known^{commit}" 2>/dev/null &&
  ! git -C "$mirror" merge-base --is-ancestor "$head" "$known"; then since=^$known; else since=; fi
git -C "$mirror" bundle create --quiet - "refs/heads/$branch" $since | "$@" sh -c "$merge" sh "$branch"
`;

/** @throws TerminalError, RetryableError if it could not be tried */
export async function pullInside(
  options: GitOptions,
  { repo, branch, inside }: SeenCheckout,
  signal: AbortSignal,
): Promise<Pulled> {
  const stem = mirrorStem(options, checkRepo(repo));
  const { code, stdout } = await runScript(options, {
    what: 'pull',
    repo: repo.repo,
    script: PULL,
    args: [stem, branch, TIPS, MERGE, ...inside],
    trusted: [`${stem}.git`],
    remote: false,
    timeoutMs: Math.min(options.timeoutMs, MOST_MS),
    signal,
    answers: Object.values(EXIT),
  });
  switch (code) {
    case EXIT.elsewhere:
      return 'elsewhere';
    case EXIT.apart:
      return 'apart';
    case EXIT.changed:
      return 'changed';
    default:
      return stdout.startsWith('current') ? 'current' : 'updated';
  }
}
