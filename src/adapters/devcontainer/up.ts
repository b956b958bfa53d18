/** `devcontainer up`, from its command line to one of our results. */
import { TerminalError } from '../../actors/index.ts';
import { type CliCall, inCleanEnvironment, upWords } from './cli.ts';
import { upError, upTimeout } from './errors.ts';
import { createLogReader } from './progress.ts';
import { createScrub } from './scrub.ts';
import type { Shell, ShellResult } from './shell.ts';

export interface UpRequest extends CliCall {
  /** Variables that `${localEnv:...}` may read, by name; their values never show in an error. */
  readonly localEnv: Readonly<Record<string, string>>;
  /** Compose project; ignored by other devcontainers. */
  readonly project: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Short sentences, each different from the one before. */
  readonly onProgress?: (sentence: string) => void;
}

export interface UpResult {
  /** Full id. */
  readonly containerId: string;
  readonly remoteUser: string;
  /** The checkout as the container sees it. */
  readonly workspaceFolder: string;
}

/**
 * Brings the devcontainer up, or finds it running. Two at once for one id label would make two containers: the second waits for
 * the first, also for one that a gateway left behind which is gone.
 * @throws StartCommandError with the container that was kept; TerminalError or RetryableError with `human`; what the
 *   shell throws when it loses its connection or is told to give up
 */
export async function devcontainerUp(shell: Shell, request: UpRequest): Promise<UpResult> {
  const { localEnv, timeoutMs, signal, onProgress } = request;
  const scrub = createScrub(Object.values(localEnv));
  let last = '';
  const log = createLogReader((sentence) => {
    last = scrub(sentence);
    onProgress?.(last);
  });
  // What the CLI leaves in its temporary folder goes with the container, and nobody else on the VM can have put anything there.
  const env = { ...localEnv, COMPOSE_PROJECT_NAME: request.project, TMPDIR: request.userData };
  const result = await shell
    .exec(inCleanEnvironment(upWords(request), Object.keys(env), `${request.userData}/up.lock`), {
      timeoutMs,
      signal,
      env,
      maxOutputBytes: 256 * 1024,
      onLine: (line, stream) => {
        if (stream === 'stderr') log.take(line);
      },
    })
    .catch((error: unknown) => {
      if (codeOf(error) === 'SSH_TIMEOUT') throw upTimeout(Math.round(timeoutMs / 1000), last, error);
      throw error;
    });
  return readResult(result, log.lastLines().map(scrub), scrub);
}

/**
 * stdout is one line of JSON; nothing at all if the arguments were wrong.
 * @param lines the last lines of the log, without secrets
 */
export function readResult(
  result: Pick<ShellResult, 'code' | 'stdout' | 'stderr'>,
  lines: readonly string[],
  scrub: (text: string) => string,
): UpResult {
  const answer = parseAnswer(result.stdout);
  const text = (key: string): string => {
    const value = answer[key];
    return typeof value === 'string' ? value : '';
  };
  const containerId = /^[0-9a-f]{64}$/.test(text('containerId')) ? text('containerId') : '';
  if (text('outcome') !== 'success') {
    const message = scrub(`${text('message')}\n${Object.keys(answer).length === 0 ? result.stderr.slice(-2000) : ''}`);
    throw upError({ description: scrub(text('description')), containerId, lines, message, exitCode: result.code });
  }
  if (containerId === '') {
    throw new TerminalError(
      'DEVCONTAINER_UP_FAILED',
      `No full container id in: ${scrub(result.stdout).slice(0, 500)}`,
      {
        human: 'The devcontainer CLI of the VM answers in an unknown way. It must be version 0.89 or newer.',
      },
    );
  }
  return { containerId, remoteUser: text('remoteUser') || 'root', workspaceFolder: text('remoteWorkspaceFolder') };
}

function parseAnswer(stdout: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    // No answer: the caller tells what stderr says.
    return {};
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
