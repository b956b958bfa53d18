/**
 * podman and buildah with images, containers and configuration in a folder of their own, so that nothing of the machine's is
 * seen or touched. Works as root on machines that are containers themselves: limits that need more capabilities are left
 * out, and no systemd is asked for anything.
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const LOTS = 64 * 1024 * 1024;

/** Locks are in the folder, too: the machine has some two thousand, and a test that is killed gives none back. */
const containersConf = (folder: string): string => `
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=4096:4096"]
[network]
network_backend = "netavark"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
tmp_dir = "${folder}/libpod"
`;

export interface Podman {
  readonly folder: string;
  /** @returns stdout and stderr. @throws Error with both when the command fails. */
  run(...args: readonly string[]): Promise<string>;
  /** Like `run`, for commands whose exit code is an answer. */
  ask(...args: readonly string[]): Promise<{ readonly code: number; readonly said: string }>;
  /** Ends the containers and removes everything. */
  close(): Promise<void>;
}

export function createPodman(): Podman {
  // Not below $TMPDIR: overlay file systems do not nest, and it may be one.
  const folder = mkdtempSync('/var/tmp/csm-podman-');
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  mkdirSync(join(folder, 'tmp'));
  const env = {
    PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: folder,
    TMPDIR: join(folder, 'tmp'),
    CONTAINERS_CONF: file('containers.conf', containersConf(folder)),
    CONTAINERS_STORAGE_CONF: file(
      'storage.conf',
      `[storage]\ndriver = "overlay"\ngraphroot = "${folder}/graph"\nrunroot = "${folder}/run"\n`,
    ),
    DISABLE_HC_SYSTEMD: 'true',
  };
  const ask: Podman['ask'] = async (...args) => {
    try {
      const { stdout, stderr } = await promisify(execFile)('podman', args, { env, maxBuffer: LOTS });
      return { code: 0, said: stdout + stderr };
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'number') throw error;
      const { stdout, stderr } = error as { stdout?: string; stderr?: string };
      return { code: error.code, said: `${stdout}${stderr}` };
    }
  };
  const cleanUp = (): void => {
    execFileSync('podman', ['rm', '--all', '--force', '--time=0'], { env, stdio: 'ignore' });
    for (const mount of mountsBelow(folder)) execFileSync('umount', [mount]);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  process.once('exit', cleanUp);
  return {
    folder,
    ask,
    async run(...args) {
      const { code, said } = await ask(...args);
      if (code !== 0) throw new Error(`podman ${args.join(' ')} ended with ${code}:\n${said}`);
      return said.trim();
    },
    async close() {
      cleanUp();
      process.off('exit', cleanUp);
    },
  };
}

/** The innermost first. */
function mountsBelow(folder: string): string[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${folder}/`))
    .sort((left, right) => right.length - left.length);
}
