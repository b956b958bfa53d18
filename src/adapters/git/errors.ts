/** What git can fail of, in this program's words: read from what it prints, which is stable with LC_ALL=C. */
import { RetryableError, TerminalError } from '../../actors/index.ts';

export interface Asked {
  /** `clone`, `fetch`, ...: for the log. */
  readonly what: string;
  /** `org/name`. */
  readonly repo: string;
  /** Host the repository comes from. */
  readonly from: string;
  readonly token: string;
}

/** The exit codes our scripts use for what they find out themselves; git's own are 1, 128 and 129. */
export const EXIT = { branchMissing: 65, empty: 66, inTheWay: 67 } as const;

/** As shells tell of a program that a signal ended. */
const KILLED = 128 + 9;
const TERMINATED = 128 + 15;

interface Kind {
  readonly code: string;
  readonly pattern: RegExp;
  readonly retry: boolean;
  readonly human: (asked: Asked) => string;
}

/** In order: the first that fits counts. */
const KINDS: readonly Kind[] = [
  {
    code: 'GIT_DISK_FULL',
    pattern: /no space left on device|disk quota exceeded|file too large/i,
    retry: false,
    human: ({ repo }) => `The VM's disk is full: there is no room for ${repo}. Free some space there, then \`retry\`.`,
  },
  {
    code: 'GIT_KILLED',
    // The last two as dash and bash say it.
    pattern: /died of signal (9|15)\b|^(Killed|Terminated)$|^\S+: line \d+: +\d+ (Killed|Terminated)\b/m,
    retry: true,
    human: ({ what, repo }) =>
      `On the VM git was ended from outside in the middle of its work (${what} of ${repo}), most likely for want of memory. It will be tried again; if that repeats, look at the VM's memory and its system log.`,
  },
  {
    code: 'GIT_AUTH',
    pattern: /authentication failed|invalid username or password|requested URL returned error: 401/i,
    retry: false,
    human: ({ repo, from, token }) =>
      token === ''
        ? `${from} asks for a login for ${repo}. Set SM_GH_TOKEN to a token that may read it.`
        : `${from} does not accept SM_GH_TOKEN. It may have expired; make a new one.`,
  },
  {
    code: 'GIT_NOT_FOUND',
    pattern:
      /could not read (username|password)|repository .*not found|not found|does not appear to be a git repository|does not exist/i,
    retry: false,
    human: ({ repo, from, token }) =>
      token === ''
        ? `${from} knows no public repository ${repo}. Check the spelling; for a private one set SM_GH_TOKEN.`
        : `${from} knows no repository ${repo} that SM_GH_TOKEN may read. Check the spelling and what the token is allowed.`,
  },
  {
    code: 'GIT_NO_ACCESS',
    pattern: /requested URL returned error: 403|access denied|permission to .* denied|SAML/i,
    retry: false,
    human: ({ repo, from }) =>
      `${from} does not let SM_GH_TOKEN read ${repo}. Give the token access to it (and authorise it for single sign-on).`,
  },
  {
    code: 'GIT_TLS',
    pattern: /certificate|SSL (routines|peer)/i,
    retry: false,
    human: ({ from }) =>
      `The certificate of ${from} is not trusted on the VM. Install the authority's certificate there.`,
  },
  {
    code: 'GIT_NETWORK',
    pattern:
      /could not resolve host|failed to connect|couldn't connect|connection (timed out|refused|reset|was reset)|network is unreachable|early eof|the remote end hung up|operation too slow|rpc failed|returned error: (429|5\d\d)|empty reply|transfer closed|unexpected disconnect/i,
    retry: true,
    human: ({ from }) => `The VM could not reach ${from}. It will be tried again; check the VM's network and firewall.`,
  },
  {
    code: 'GIT_BROKEN',
    pattern: /fsck|invalid object|bad object|corrupt|index-pack failed|unpack-objects failed/i,
    retry: false,
    human: ({ repo }) => `${repo} contains objects git considers broken or dangerous, so it was not taken.`,
  },
  {
    code: 'GIT_PERMISSION',
    pattern: /permission denied|read-only file system|operation not permitted/i,
    retry: false,
    human: () => 'The VM user may not write there. Check the owner of SM_REPOS_BASE_PATH and SM_WORKTREES_PATH.',
  },
];

/** @param said what git wrote to stderr */
export function gitError(asked: Asked, exitCode: number, said: string): TerminalError | RetryableError {
  const text = scrub(said, asked.token).trim();
  const reason =
    text.split('\n').findLast((line) => /^(fatal|error|remote: (fatal|error))/i.test(line)) ??
    text.split('\n').at(-1) ??
    '';
  const message = `git ${asked.what} of ${asked.repo}: exit code ${exitCode}: ${reason.slice(0, 500)}`;
  const wasKilled = exitCode === KILLED || exitCode === TERMINATED;
  const kind = KINDS.find(({ code, pattern }) => pattern.test(text) || (wasKilled && code === 'GIT_KILLED'));
  if (kind?.retry) return new RetryableError(kind.code, message, { human: kind.human(asked) });
  const human = kind?.human(asked) ?? `git could not ${asked.what} ${asked.repo}: ${reason.slice(0, 200)}`;
  return new TerminalError(kind?.code ?? 'GIT_FAILED', message, { human });
}

/** The token may stand in what git repeats: as it is, or in the header's form. */
export function scrub(text: string, token: string): string {
  const noLogin = text.replace(/(https?:\/\/)[^/\s@]+@/gi, '$1[secret]@');
  if (token === '') return noLogin;
  const header = Buffer.from(`x-access-token:${token}`).toString('base64');
  return noLogin
    .replaceAll(token, '[secret]')
    .replaceAll(header, '[secret]')
    .replaceAll(encodeURIComponent(token), '[secret]');
}

/** What the shell throws, in git's words where they say more. */
export function shellError(asked: Asked, timeoutMs: number, error: unknown): unknown {
  if (error instanceof RetryableError && error.code.endsWith('TIMEOUT')) {
    const minutes = Math.max(1, Math.round(timeoutMs / 60_000));
    return new RetryableError('GIT_TIMEOUT', `git ${asked.what} of ${asked.repo}: not done within ${timeoutMs} ms`, {
      human: `It took longer than ${minutes} min to ${asked.what} ${asked.repo}, so that was ended. It will be tried again; SM_GIT_TIMEOUT_SECS sets the limit.`,
      cause: error,
    });
  }
  return error;
}
