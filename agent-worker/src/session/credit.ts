// Who asked is credited in commits: a hook in the checkout's own hooks folder adds a trailer to what the agent commits. All of it is
// done by the agent's user, since the checkout is the agent's: a worker that is root would follow its links anywhere.
// A repository that has hooks of its own kind keeps them; there the agent's instructions have to do.
import { execFile } from 'node:child_process';
import type { AgentUser } from './agentUser.ts';
import { MARK } from './environment.ts';

/** The session option (in its environment) with the address of people. */
export const ADDRESS = 'CSM_COAUTHOR_ADDRESS';

const OURS = 'claude-session-manager: credits who asked';

/** Runs for what processes of an agent commit, never for people or for commits that are only moved. */
const HOOK = `#!/bin/sh
# ${OURS}
[ -n "\${${MARK}-}" ] || exit 0
case \${2-} in merge|squash|commit) exit 0 ;; esac
who=$(cat "$(git rev-parse --absolute-git-dir)/asked-by" 2>/dev/null) || exit 0
[ -n "$who" ] || exit 0
git interpret-trailers --in-place --if-exists addIfDifferent --trailer "Co-authored-by: $who" "$1"
`;

/** $1: who asked, $2: the hook, $3: by what it is known. */
const INSTALL = `
set -eu
dir=$(git rev-parse --absolute-git-dir)
printf '%s\\n' "$1" > "$dir/asked-by"
[ -z "$(git config --get core.hooksPath || true)" ] || exit 0
hooks=$(git rev-parse --git-path hooks)
hook=$hooks/prepare-commit-msg
if [ -e "$hook" ] && ! grep -qF "$3" "$hook"; then exit 0; fi
mkdir -p "$hooks"
printf '%s' "$2" > "$hook.new"
chmod 755 "$hook.new"
mv -f "$hook.new" "$hook"
`;

const TIMEOUT_MS = 10_000;

export interface Asker {
  /** The checkout. */
  readonly cwd: string;
  /** As in front of a prompt. */
  readonly author: string;
  /** Address of a person, with `{name}` for the name; empty: nobody is credited. */
  readonly address: string;
}

/** `alice <alice@chat.example.com>`, or nothing for what cannot be an author. */
export function creditOf({ author, address }: Pick<Asker, 'author' | 'address'>): string {
  if (address === '' || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(author)) return '';
  const mail = address.replaceAll('{name}', author);
  return /^[^\s<>@]+@[^\s<>@]+$/.test(mail) ? `${author} <${mail}>` : '';
}

/** What is committed from now on credits this person. Resolves without a repository, too. @throws what git or the shell said */
export function creditAsker(
  asker: Asker,
  { runAs, path, home }: { readonly runAs: AgentUser | undefined; readonly path: string; readonly home: string },
): Promise<void> {
  const credit = creditOf(asker);
  if (credit === '') return Promise.resolve();
  return new Promise((resolve, reject) => {
    execFile(
      'sh',
      ['-c', INSTALL, 'sh', credit, HOOK, OURS],
      {
        cwd: asker.cwd,
        env: { PATH: path, HOME: home, LC_ALL: 'C.UTF-8' },
        timeout: TIMEOUT_MS,
        ...(runAs ? { uid: runAs.uid, gid: runAs.gid } : {}),
      },
      (error, _stdout, stderr) => {
        if (error && !/not a git repository/.test(stderr)) reject(new Error(stderr.trim() || error.message));
        else resolve();
      },
    );
  });
}
