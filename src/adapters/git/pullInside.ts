/**
 * Bringing a checkout up to date that a container has seen. git on the VM never reads it again, so git in the container does it:
 * it is sent what the mirror has and the checkout lacks. Forward only; what is not committed stays as it is.
 */
import { TerminalError } from '../../actors/index.ts';
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

/**
 * `elsewhere`: another branch is checked out; `apart`: it has commits of its own; `changed`: changes of its own are in the way;
 * `busy`: the mirror was being fetched all the time; `late`: git in the container took too long and was ended.
 */
export type Pulled = 'current' | 'updated' | 'elsewhere' | 'apart' | 'changed' | 'busy' | 'late';

/** For git in a container: whatever the repository configures stays there; hooks and monitors are off all the same. */
export const INSIDE: readonly (readonly [string, string])[] = [
  ['safe.directory', '*'],
  ['core.fsmonitor', 'false'],
  ['core.hooksPath', '/dev/null'],
  ['core.pager', 'cat'],
  ['merge.autoStash', 'false'],
];

/** In all. What is run in the container is ended there before that: ending the way to it leaves it running. */
const MOST_MS = 2 * 60_000;
const LOCK_SECONDS = 25;
const INSIDE_SECONDS = 40;

const EXIT = { elsewhere: 71, apart: 72, changed: 73, busy: 74, late: 75 } as const;

/** In the container. $1: branch. What HEAD is, and what the forge's branch was when it was last looked at. */
const TIPS = `git rev-parse --quiet --verify HEAD || echo none; git rev-parse --quiet --verify "refs/remotes/origin/$1"`;

/**
 * In the container. $1: branch, $2: its commit in the mirror. What the checkout lacks comes by stdin, if it lacks anything. Whoever
 * does it, the agent's user can work on with what comes of it, as with a new checkout. Files that git ignores are somebody's, too.
 */
const MERGE = `
umask 0
command -v git >/dev/null || { echo "fatal: the container has no git" >&2; exit 1; }
bundle=$(mktemp) || exit 1
trap 'rm -f -- "$bundle"' EXIT
cat >"$bundle" || exit 1
there=refs/remotes/origin/$1
bounded() {
  if command -v timeout >/dev/null; then timeout ${INSIDE_SECONDS} "$@"; else "$@"; fi
  code=$?
  # As GNU and as busybox tell it.
  case $code in 124 | 143) exit ${EXIT.late} ;; esac
  return $code
}
[ "$(git symbolic-ref -q HEAD)" = "refs/heads/$1" ] || exit ${EXIT.elsewhere}
[ ! -s "$bundle" ] ||
  bounded git fetch --quiet --no-write-fetch-head --no-recurse-submodules --no-tags -- "$bundle" "+refs/heads/$1:$there" || exit 1
[ "$(git rev-parse --quiet --verify "$there")" = "$2" ] || { echo "fatal: what was pushed did not arrive" >&2; exit 1; }
! git merge-base --is-ancestor "$there" HEAD || { echo current; exit 0; }
git merge-base --is-ancestor HEAD "$there"
case $? in 0) ;; 1) exit ${EXIT.apart} ;; *) exit 1 ;; esac
bounded git merge --quiet --ff-only --no-overwrite-ignore "$there" >&2
case $? in 0) echo updated ;; 1) exit ${EXIT.changed} ;; *) exit 1 ;; esac
`;

/**
 * On the VM. $1 mirror's stem, $2 branch, $3 and $4 scripts for the container, then what runs a program there. What the container
 * says it has is a hint: it is looked up in the mirror before it is used. The mirror is held only while it is read: whatever goes on
 * in the container, others can fetch.
 */
const PULL = `
stem=$1 branch=$2 tips=$3 merge=$4
shift 4
mirror=$stem.git
said=$("$@" sh -c "$tips" sh "$branch" </dev/null | head -c 200 | tr '\\n' ' ' | tr -dc '0-9a-f ')
tip=\${said%% *} known=\${said#* }
known=\${known%% *}
exec 9>>"$stem.lock" || exit 1
flock -s -w ${LOCK_SECONDS} 9 || exit ${EXIT.busy}
head=$(git -C "$mirror" rev-parse --verify --quiet "refs/heads/$branch^{commit}") || exit 1
[ "$tip" != "$head" ] || { echo current; exit 0; }
exec 8</dev/null
if [ "$known" != "$head" ]; then
  if [ -n "$known" ] && git -C "$mirror" cat-file -e "$known^{commit}" 2>/dev/null &&
    ! git -C "$mirror" merge-base --is-ancestor "$head" "$known"; then since=^$known; else since=; fi
  news=$(mktemp) || exit 1
  git -C "$mirror" bundle create --quiet "$news" "refs/heads/$branch" $since && exec 8<"$news"
  code=$?
  rm -f -- "$news"
  [ "$code" = 0 ] || exit 1
fi
exec 9>&-
"$@" sh -c "$merge" sh "$branch" "$head" <&8
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
  const answer = ANSWERS.find((answer) => EXIT[answer] === code);
  if (answer !== undefined) return answer;
  const said = stdout.trim();
  if (said === 'current' || said === 'updated') return said;
  throw new TerminalError('GIT_INSIDE', `unexpected answer of ${inside.at(-1)}: ${said.slice(0, 100)}`, {
    human: `what git in the container answered was not understood`,
  });
}

const ANSWERS = ['elsewhere', 'apart', 'changed', 'busy', 'late'] as const satisfies readonly (keyof typeof EXIT)[];
