/**
 * What agents are given to identify themselves with: from the gateway's own environment, else from a file on the VM that only
 * its owner can read. Values go by stdin, never in arguments.
 */
import { TerminalError } from '../../actors/index.ts';
import type { Shell } from '../../adapters/devcontainer/index.ts';

/** Any one of these lets an agent reach a model. */
const CREDENTIALS = ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN'];
/** Not needed everywhere. */
const OPTIONAL = ['ANTHROPIC_BASE_URL', 'GH_TOKEN'];

const FILE_LIMIT_BYTES = 64 * 1024;
const EXIT = { absent: 65, notAFile: 66, foreign: 67, readable: 68 } as const;

/** The file that is looked at is the one that is read: it is open before it is judged. */
const READ = `
{ [ -e "$1" ] && [ -r "$1" ]; } || exit ${EXIT.absent}
exec 3<"$1"
set -- $(stat -Lc '%F|%a|%u' /proc/self/fd/3 | tr ' |' '_ ')
case $1 in regular*) ;; *) exit ${EXIT.notAFile} ;; esac
[ "$3" = "$(id -u)" ] || [ "$3" = 0 ] || exit ${EXIT.foreign}
case $2 in *00) ;; *) exit ${EXIT.readable} ;; esac
cat <&3
`;

export interface SecretSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** On the VM; null: none. */
  readonly file: string | null;
  /** Names that agents are to have. */
  readonly names: readonly string[];
}

/**
 * @returns those that were found, by name
 * @throws TerminalError SECRETS_FILE, SECRET_MISSING
 */
export async function readSecrets(
  shell: Shell,
  { env, file, names }: SecretSources,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const stored = file === null ? new Map<string, string>() : parseSecrets(await readFile(shell, file, signal), file);
  const found: Record<string, string> = {};
  for (const name of new Set([...names, ...CREDENTIALS, ...OPTIONAL])) {
    const value = env[name] || stored.get(name);
    if (value) found[name] = value;
  }
  const where = `Set it in the gateway's environment${file === null ? ', or in the file that SM_VM_SECRETS_FILE names' : `, or in ${file} on the VM`}.`;
  if (!CREDENTIALS.some((name) => name in found)) {
    throw missing('ANTHROPIC_API_KEY', `Agents have no key for a model: \`ANTHROPIC_API_KEY\` is missing. ${where}`);
  }
  const absent = names.find((name) => !(name in found) && !OPTIONAL.includes(name) && !CREDENTIALS.includes(name));
  if (absent !== undefined) throw missing(absent, `\`${absent}\` is missing, which SM_AGENT_ENV names. ${where}`);
  return found;
}

function missing(name: string, human: string): TerminalError {
  return new TerminalError('SECRET_MISSING', `${name} is set nowhere`, { human });
}

async function readFile(shell: Shell, file: string, signal: AbortSignal): Promise<string> {
  const { code, stdout, truncated } = await shell.exec(
    { script: READ, args: [file] },
    { signal, maxOutputBytes: FILE_LIMIT_BYTES },
  );
  if (code === 0 && !truncated) return stdout;
  throw new TerminalError('SECRETS_FILE', `${file}: exit code ${code}`, { human: fileProblem(file, code) });
}

function fileProblem(file: string, code: number): string {
  switch (code) {
    case EXIT.absent:
      return `The VM has no file ${file} that its user can read. SM_VM_SECRETS_FILE names it.`;
    case EXIT.foreign:
      return `${file} on the VM belongs to another user, so it is not used. Its owner must be the VM's user or root.`;
    case EXIT.readable:
      return `${file} on the VM can be read by others, so it is not used. There: \`chmod 600 ${file}\`.`;
    default:
      return `${file} on the VM is not a small file of lines like NAME=value. SM_VM_SECRETS_FILE names it.`;
  }
}

/** Lines of `NAME=value`, with quotes around the value or without; empty lines and those that begin with `#` do not count. */
export function parseSecrets(text: string, file: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const match = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*?)\s*$/.exec(line);
    if (!match) {
      throw new TerminalError('SECRETS_FILE', `${file}: line ${index + 1} is not NAME=value`, {
        human: `Line ${index + 1} of ${file} on the VM is not of the form NAME=value.`,
      });
    }
    const [, name = '', raw = ''] = match;
    found.set(name, /^(["']).*\1$/.test(raw) && raw.length > 1 ? raw.slice(1, -1) : raw);
  }
  return found;
}

/**
 * Something that is to be done once. Each call tries, until one has succeeded: a machine that is away at the first one is there at a
 * later one.
 */
export function untilDone(act: () => Promise<unknown>, onFailure: (error: unknown) => void): () => Promise<void> {
  let isDone = false;
  return async () => {
    if (isDone) return;
    await act().then(() => {
      isDone = true;
    }, onFailure);
  };
}
