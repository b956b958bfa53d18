/** One script with git in it, on the VM, with everything around it that must never be forgotten. */
import { gitEnvironment } from './environment.ts';
import { type Asked, gitError, scrub, shellError } from './errors.ts';
import type { Folders } from './paths.ts';
import type { Shell, ShellResult } from './shell.ts';

export interface GitOptions extends Folders {
  readonly shell: Shell;
  /** Read for every command, so that it can be renewed; empty: none. */
  readonly token: () => string;
  /** For cloning and fetching. */
  readonly timeoutMs: number;
}

export interface ScriptCall {
  readonly what: string;
  readonly repo: string;
  readonly script: string;
  readonly args: readonly string[];
  /** Folders git may work in. */
  readonly trusted: readonly string[];
  /** Talks to the other side: gets the token. */
  readonly remote: boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Exit codes besides 0 that are an answer. */
  readonly answers?: readonly number[];
  readonly onProgress?: ((line: string) => void) | undefined;
}

/** Enough for the branches of a large repository. */
const OUTPUT_BYTES = 4 * 1024 * 1024;

/** @throws TerminalError, RetryableError; no text of which holds the token */
export async function runScript(options: GitOptions, call: ScriptCall): Promise<ShellResult> {
  const token = options.token();
  const asked: Asked = { what: call.what, repo: call.repo, from: new URL(options.baseUrl).host, token };
  const { onProgress } = call;
  let result: ShellResult;
  try {
    result = await options.shell.exec(
      { script: call.script, args: call.args },
      {
        timeoutMs: call.timeoutMs,
        signal: call.signal,
        env: gitEnvironment({ baseUrl: options.baseUrl, token }, call.trusted, call.remote),
        maxOutputBytes: OUTPUT_BYTES,
        ...(onProgress && {
          onLine: (line, stream) => {
            if (stream === 'stderr') onProgress(scrub(line, token));
          },
        }),
      },
    );
  } catch (error) {
    throw shellError(asked, call.timeoutMs, error);
  }
  if (result.code === 0 || call.answers?.includes(result.code)) return result;
  throw gitError(asked, result.code, result.stderr);
}
