/** What this adapter needs of the machine with the containers. Whoever runs commands there fits it in. */

/** A program with its arguments, or shell text with its positional parameters. */
export type Command = readonly string[] | { readonly script: string; readonly args?: readonly string[] };

export interface ShellOptions {
  /** After this the command and everything it started is ended. By default the machine's limit for short commands. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  readonly stdin?: string;
  /** Added to the login environment; not visible in the process table. */
  readonly env?: Readonly<Record<string, string>>;
  readonly maxOutputBytes?: number;
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
}

export interface ShellResult {
  readonly code: number;
  /** Set if a signal ended it. */
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Something was left out of stdout or stderr. */
  readonly truncated: boolean;
}

export interface Shell {
  /** A non-zero exit code is a result. @throws an error with the code SSH_TIMEOUT when the time is over */
  exec(command: Command, options: ShellOptions): Promise<ShellResult>;
  /** Undefined if there is none. @throws TerminalError if it is larger than `maxBytes` */
  readFile(path: string, maxBytes: number, signal?: AbortSignal): Promise<Buffer | undefined>;
  /** Replaces a file whole, or not at all. Its folder must be there. */
  writeFile(path: string, content: string | Uint8Array, mode: number, signal?: AbortSignal): Promise<void>;
}

export type Runtime = 'podman' | 'docker';

/** What a command has printed, line by line, without empty ones. */
export function linesOf({ stdout }: Pick<ShellResult, 'stdout'>): readonly string[] {
  return stdout.split('\n').filter((line) => line !== '');
}
