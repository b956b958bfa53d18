/**
 * A bare copy of a repository that no container ever sees. Made beside its place and moved there whole; brought up to
 * date under a lock. It holds branches and tags, not the thousands of other refs a forge keeps.
 */
import { TerminalError } from '../../actors/index.ts';
import type { RepoRef } from '../../machines/effects.ts';
import { EXIT } from './errors.ts';
import { checkBranch, checkRepo, similar } from './names.ts';
import { mirrorStem, remoteUrl } from './paths.ts';
import { type GitOptions, runScript } from './run.ts';

export interface Mirror {
  readonly path: string;
  /** The branch that was asked for, or the default one. */
  readonly branch: string;
}

/** Of a mirror, before they are put together. */
const MOST_PACKS = 20;

/**
 * $1 stem, $2 address, $3 whether to bring an existing one up to date, $4 the branch or nothing.
 * Prints the branch; or, with exit code 65, those there are.
 */
const ENSURE = `
stem=$1 url=$2 refresh=$3 branch=$4
mirror=$stem.git new=$stem.new
umask 022
mkdir -p -- "\${stem%/*}" || exit 1
# The lock goes with the process that holds it, however that ends. What is found half made is from a dead one; git's own
# lock files among it would stop every later fetch. No ref's name ends like one.
exec 9>>"$stem.lock" || exit 1
flock 9 || exit 1
rm -rf -- "$new" "$mirror"/objects/pack/tmp_* "$mirror"/objects/??/tmp_obj_*
[ ! -d "$mirror" ] || find "$mirror" -name "*.lock" -type f -delete

update() {
  # Asked first: the answer is small, and says at once whether the repository is there for us.
  head=$(git ls-remote --symref -- "$url" HEAD) || return 1
  head=$(printf "%s\\n" "$head" | sed -n 's|^ref: \\(refs/heads/[^[:space:]]*\\)[[:space:]]HEAD$|\\1|p')
  git -C "$1" fetch --progress --prune --no-tags --no-recurse-submodules --no-write-fetch-head \\
    -- "$url" "+refs/heads/*:refs/heads/*" "+refs/tags/*:refs/tags/*" || return 1
  [ -z "$head" ] || git -C "$1" symbolic-ref HEAD "$head" || return 1
  # When it was last of use.
  touch -- "$1"
  # Every fetch leaves a pack, and git tidies up by itself nowhere here. Without room for it the mirror is as good as before.
  [ "$(find "$1/objects/pack" -name "*.pack" | wc -l)" -lt ${MOST_PACKS} ] ||
    git -C "$1" repack --quiet -d --geometric=2 || git -C "$1" repack --quiet -a -d || true
}

if [ ! -d "$mirror" ]; then
  git init --quiet --bare --template= -- "$new" || exit 1
  update "$new" || { code=$?; rm -rf -- "$new"; exit "$code"; }
  mv -T -- "$new" "$mirror" || exit 1
elif [ "$refresh" = 1 ] || { [ -n "$branch" ] && ! git -C "$mirror" show-ref --verify --quiet "refs/heads/$branch"; }; then
  update "$mirror" || exit 1
fi

if [ -z "$branch" ]; then
  # Not the short form: where a tag has the same name, that is not the branch's.
  branch=$(git -C "$mirror" symbolic-ref HEAD) || exit 1
  branch=\${branch#refs/heads/}
  git -C "$mirror" show-ref --verify --quiet "refs/heads/$branch" || exit ${EXIT.empty}
fi
if git -C "$mirror" show-ref --verify --quiet "refs/heads/$branch"; then
  printf "%s\\n" "$branch"
else
  git -C "$mirror" for-each-ref --format="%(refname:lstrip=2)" refs/heads
  exit ${EXIT.branchMissing}
fi
`;

/**
 * Makes sure of the mirror and of the branch in it. An existing one is brought up to date if `refresh` is set or the
 * branch is not in it yet.
 * @param onProgress what git reports while it transfers
 * @throws TerminalError (GIT_NOT_FOUND, GIT_AUTH, GIT_NO_ACCESS, GIT_BRANCH_MISSING, GIT_EMPTY, GIT_DISK_FULL, ...),
 *   RetryableError (GIT_NETWORK, GIT_TIMEOUT)
 */
export async function ensureMirror(
  options: GitOptions,
  repo: RepoRef,
  call: { readonly refresh: boolean; readonly signal: AbortSignal; readonly onProgress?: (line: string) => void },
): Promise<Mirror> {
  const name = checkRepo(repo);
  const stem = mirrorStem(options, name);
  const result = await runScript(options, {
    what: 'clone',
    repo: repo.repo,
    script: ENSURE,
    args: [stem, remoteUrl(options, name), call.refresh ? '1' : '', name.branch],
    trusted: [`${stem}.git`, `${stem}.new`, ...fileSource(options, name.org, name.name)],
    remote: true,
    timeoutMs: options.timeoutMs,
    signal: call.signal,
    answers: [EXIT.branchMissing, EXIT.empty],
    onProgress: call.onProgress,
  });
  if (result.code === EXIT.empty) {
    throw new TerminalError('GIT_EMPTY', `${repo.repo} has no commits on its default branch`, {
      human: `${repo.repo} is empty. Push a first commit to it, then \`retry\`.`,
    });
  }
  if (result.code === EXIT.branchMissing) throw branchMissing(repo, result.stdout.split('\n').filter(Boolean));
  // The default branch's name is the forge's word.
  return { path: `${stem}.git`, branch: checkBranch(result.stdout.replace(/\n$/, '')) };
}

/** With a `file:` address git works in the source itself. */
function fileSource({ baseUrl }: GitOptions, org: string, name: string): readonly string[] {
  return baseUrl.startsWith('file:') ? [`${new URL(baseUrl).pathname.replace(/\/+$/, '')}/${org}/${name}.git`] : [];
}

function branchMissing(repo: RepoRef, branches: readonly string[]): TerminalError {
  const near = similar(repo.branch, branches);
  const hint =
    near.length > 0
      ? `Did you mean ${near.map((branch) => `\`${branch}\``).join(', ')}?`
      : `It has ${branches.length} other${branches.length === 1 ? '' : 's'}.`;
  return new TerminalError('GIT_BRANCH_MISSING', `${repo.repo} has no branch ${repo.branch}`, {
    human: `${repo.repo} has no branch \`${repo.branch}\`. ${hint}`,
  });
}
