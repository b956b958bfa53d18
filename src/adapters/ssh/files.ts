/** Small files on the VM, through commands: no second protocol, no second set of limits. */
import { TerminalError } from '../../actors/index.ts';
import { ExitError } from './errors.ts';
import type { ExecOptions, RawResult } from './execOn.ts';
import type { Command } from './wrapper.ts';

type Exec = (command: Command, options: ExecOptions) => Promise<RawResult>;

const FILE_TIMEOUT_MS = 60_000;

/** Beside its place and then moved there: a reader sees the old file or the new one. It is private until it is whole. */
const WRITE = `
umask 077
new=$(mktemp -- "$1.XXXXXXXX") || exit 1
trap 'rm -f -- "$new"' EXIT
trap 'exit 1' TERM
cat >"$new" && chmod -- "$2" "$new" && mv -fT -- "$new" "$1"
`;

const NOT_THERE = 66;
const READ = `[ -e "$1" ] || exit ${NOT_THERE}
exec cat -- "$1"`;

export async function writeRemoteFile(
  exec: Exec,
  file: {
    readonly path: string;
    readonly content: string | Uint8Array;
    readonly mode: number;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<void> {
  const { path, content, mode, signal } = file;
  mustBeAbsolute(path);
  const result = await exec(
    { script: WRITE, args: [path, mode.toString(8).padStart(4, '0')] },
    { stdin: content, timeoutMs: FILE_TIMEOUT_MS, signal },
  );
  if (result.code !== 0) throw new ExitError(`write ${path}`, result.code, result.stderr.toString());
}

export async function readRemoteFile(
  exec: Exec,
  file: { readonly path: string; readonly maxBytes: number; readonly signal?: AbortSignal | undefined },
): Promise<Buffer | undefined> {
  const { path, maxBytes, signal } = file;
  mustBeAbsolute(path);
  const result = await exec(
    { script: READ, args: [path] },
    { timeoutMs: FILE_TIMEOUT_MS, maxOutputBytes: maxBytes, signal },
  );
  if (result.code === NOT_THERE) return undefined;
  if (result.code !== 0) throw new ExitError(`read ${path}`, result.code, result.stderr.toString());
  if (result.truncated) {
    throw new TerminalError('SSH_FILE_TOO_BIG', `${path} on the VM is larger than ${maxBytes} bytes`);
  }
  return result.stdout;
}

function mustBeAbsolute(path: string): void {
  if (!path.startsWith('/')) throw new TerminalError('SSH_COMMAND', `Not an absolute path: ${path}`);
}
