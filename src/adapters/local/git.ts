/** git, run without a shell, without prompts and without anybody's configuration. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { RetryableError, TerminalError } from '../../actors/index.ts';

const run = promisify(execFile);

const OUTPUT_LIMIT_BYTES = 8 * 1024 * 1024;

/** Failures that may pass by themselves, by what git prints. */
const PASSING = /could not resolve host|connection (timed out|refused|reset)|early eof|the remote end hung up/i;

/**
 * @param args never from a person without validation; a value that may begin with `-` must stand behind `--`
 * @returns what git printed
 * @throws TerminalError or RetryableError with git's last line
 */
export async function git(cwd: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  try {
    const { stdout } = await run('git', ['-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false', ...args], {
      cwd,
      signal,
      maxBuffer: OUTPUT_LIMIT_BYTES,
      env: {
        PATH: process.env.PATH ?? '/usr/bin:/bin',
        HOME: process.env.HOME ?? '/',
        GIT_TERMINAL_PROMPT: '0',
        GIT_CONFIG_NOSYSTEM: '1',
        LC_ALL: 'C',
      },
    });
    return stdout;
  } catch (error) {
    if (signal.aborted) throw new RetryableError('GIT_STOPPED', `git ${args[0] ?? ''} was stopped`, { cause: error });
    throw translate(args[0] ?? '', error);
  }
}

function translate(command: string, error: unknown): Error {
  const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
  const lastLine = stderr.trim().split('\n').at(-1) ?? '';
  const message = `git ${command}: ${lastLine}`;
  const human = `git ${command} failed: ${lastLine}`;
  return PASSING.test(stderr)
    ? new RetryableError('GIT_NETWORK', message, { human, cause: error })
    : new TerminalError('GIT_FAILED', message, { human, cause: error });
}
