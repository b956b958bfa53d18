/** What this adapter needs of the machine with the containers; the SSH connection to the VM has this shape. */
export interface ShellOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly stdin?: string;
  readonly maxOutputBytes?: number;
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
