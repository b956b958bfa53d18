/**
 * Where git runs. The SSH connection to the VM has this shape; tests run the same commands on their own machine.
 *
 * Promises of an implementation: arguments, input and environment arrive as they are and the last two do not show in the
 * process table; a command past its time, or given up, is ended with all it started; what it throws is a RetryableError
 * or TerminalError, and for a command past its time the code ends with `TIMEOUT`.
 */
export interface ShellOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly maxOutputBytes?: number;
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
}

export interface ShellResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Shell {
  /** Shell text with its positional parameters; a non-zero exit code is a result. */
  exec(
    command: { readonly script: string; readonly args?: readonly string[] },
    options: ShellOptions,
  ): Promise<ShellResult>;
}

/**
 * git inside the container that has seen a tree: what the tree configures runs there, not on the VM. Rejects if the
 * container cannot be asked.
 * @param path the tree as the VM names it
 */
export type RunInside = (path: string, args: readonly string[], signal: AbortSignal) => Promise<ShellResult>;
