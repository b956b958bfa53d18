/**
 * A container for one command about files that agents have touched, when the container they were touched in is gone. It is no
 * less closed than that one was: it sees the same folder at the same place, cannot change it, and reaches nobody.
 */
import { randomBytes } from 'node:crypto';
import { TerminalError } from '../../actors/index.ts';
import type { Container, Host } from './containers.ts';
import type { ShellResult } from './shell.ts';

export interface Lookout {
  /** An id; or the name of an image, which is fetched if `mayFetch`. */
  readonly image: string;
  readonly mayFetch: boolean;
  /** Who looks; numbers need no entry in the image. */
  readonly user: string;
  /** Podman of a user who is not root: what the container's user has made is theirs. */
  readonly keepId: boolean;
  /**
   * What it sees, and where. The source is absolute, without links, and in no folder that a container may change: what is in
   * such a folder could be a link to anywhere by now.
   */
  readonly mount: { readonly source: string; readonly target: string };
  readonly workdir: string;
  /** 0: none. */
  readonly limits: { readonly memoryBytes: number; readonly pids: number };
}

const TIMEOUT_MS = 60_000;
const FETCH_TIMEOUT_MS = 5 * 60_000;

/** The lookout's name, so that it is known by what it says of itself. */
const LABEL = 'csm.lookout';
/** Those whose answer somebody in this process waits for. */
const waitedFor = new Set<string>();
/** The runtime's own exit codes: it failed; the program cannot be run; there is none. */
const NOT_RUN: readonly number[] = [125, 126, 127];

/**
 * Runs the command and leaves no container behind. Its exit code is a result.
 * @throws TerminalError LOOKOUT_FAILED if it could not be run, and what the shell throws
 */
export async function runInLookout(
  { shell, runtime }: Host,
  instance: string,
  lookout: Lookout,
  words: readonly string[],
  signal: AbortSignal,
): Promise<ShellResult> {
  const name = `csm-lookout-${randomBytes(8).toString('hex')}`;
  const timeoutMs = lookout.mayFetch ? FETCH_TIMEOUT_MS : TIMEOUT_MS;
  const { image, workdir } = lookout;
  const [program = '', ...args] = words;
  const flags = [...closed(lookout), ...(runtime === 'podman' ? ofPodman(lookout) : [])];
  const labels = { 'csm.managed': 'true', 'csm.instance': instance, [LABEL]: name };
  const command = [
    ...[runtime, 'run', '--rm', '--name', name, '--workdir', workdir, '--entrypoint', program, ...flags],
    ...Object.entries(labels).flatMap(([label, value]) => ['--label', `${label}=${value}`]),
    ...[image, ...args],
  ];
  waitedFor.add(name);
  try {
    const result = await shell.exec(command, { timeoutMs, signal, maxOutputBytes: 1024 * 1024 });
    if (!NOT_RUN.includes(result.code)) return result;
    const last = result.stderr.trim().split('\n').at(-1) ?? '';
    throw new TerminalError('LOOKOUT_FAILED', `${program} in ${image}: exit code ${result.code}: ${last}`);
  } catch (error) {
    // Whoever ran it was ended, and it may run on. Without the signal, which may be why; if the VM is gone, it is swept later.
    const remove = [runtime, 'rm', '--force', name];
    await shell.exec(remove, { timeoutMs: TIMEOUT_MS }).catch(() => undefined);
    throw error;
  } finally {
    waitedFor.delete(name);
  }
}

function closed({ user, mount, mayFetch, limits }: Lookout): string[] {
  return [
    ...['--network=none', '--read-only', '--cap-drop=all', '--security-opt=no-new-privileges', '--no-healthcheck'],
    ...['--user', user],
    ...['--mount', `type=bind,source=${mount.source},target=${mount.target},readonly`],
    `--pull=${mayFetch ? 'missing' : 'never'}`,
    ...(limits.memoryBytes > 0 ? [`--memory=${limits.memoryBytes}`] : []),
    ...(limits.pids > 0 ? [`--pids-limit=${limits.pids}`] : []),
  ];
}

function ofPodman({ keepId }: Lookout): string[] {
  // Proxies may have passwords in them.
  return ['--security-opt=label=disable', '--http-proxy=false', ...(keepId ? ['--userns=keep-id'] : [])];
}

/**
 * Nobody waits for what it has to say: its gateway has ended, or could not remove it. Who is not allowed to lead waits for
 * nothing either, so that the leader's word counts for all.
 */
export function isLeftLookout({ labels }: Pick<Container, 'labels'>): boolean {
  const name = labels[LABEL];
  return name !== undefined && !waitedFor.has(name);
}
