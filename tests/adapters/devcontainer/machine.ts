/**
 * A machine with containers, all of it in one folder: real podman with storage of its own, the real devcontainer CLI, and
 * a small image made of this machine's own programs, so that nothing is fetched.
 */
import { execFile, spawn } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Shell } from '../../../src/adapters/devcontainer/index.ts';
import { localShell } from './localShell.ts';

const run = promisify(execFile);

export const IMAGE = 'localhost/slim:1';
export const CLI = resolve('node_modules/@devcontainers/cli/devcontainer.js');

export interface Machine {
  readonly folder: string;
  readonly shell: Shell;
  /** What the user of the machine has in their environment. */
  readonly env: Readonly<Record<string, string>>;
  podman(...args: readonly string[]): Promise<string>;
  /** A checkout with these files. @returns its folder */
  checkout(name: string, files: Readonly<Record<string, string>>): Promise<string>;
  /** A folder outside every checkout. */
  state(name: string): Promise<string>;
  remove(): Promise<void>;
}

/** @param extraEnv more of the user's environment. @param compose also serve the socket that compose programs talk to */
export async function startMachine(
  extraEnv: Readonly<Record<string, string>> = {},
  { compose = false }: { compose?: boolean } = {},
): Promise<Machine> {
  const folder = await mkdtemp(join(tmpdir(), 'csm-devcontainer-'));
  const socket = `unix://${join(folder, 'podman.sock')}`;
  const env = { ...(await configure(folder)), ...(compose ? { DOCKER_HOST: socket } : {}), ...extraEnv };
  const service = compose ? spawn('podman', ['system', 'service', '--time=0', socket], { env, cwd: '/' }) : undefined;
  const podman = async (...args: readonly string[]): Promise<string> =>
    (await run('podman', args, { env, cwd: '/', maxBuffer: 64 * 1024 * 1024 })).stdout;
  const remove = async (): Promise<void> => {
    service?.kill();
    await podman('rm', '--force', '--all', '--time', '0').catch(() => '');
    await podman('network', 'rm', '--force', 'isolated').catch(() => '');
    await run('umount', ['--recursive', join(folder, 'graph', 'overlay')]).catch(() => '');
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await importImage(folder, env);
    await podman('network', 'create', 'isolated');
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    folder,
    shell: localShell(env),
    env,
    podman,
    checkout: async (name, files) => {
      const path = join(folder, 'repos', name);
      await mkdir(path, { recursive: true });
      for (const [file, text] of Object.entries(files)) {
        await mkdir(dirname(join(path, file)), { recursive: true });
        await writeFile(join(path, file), text);
      }
      return path;
    },
    state: async (name) => {
      const path = join(folder, 'state', name);
      await mkdir(path, { recursive: true });
      return path;
    },
    remove,
  };
}

/** Limits and runtime are what a container may have inside a container; everything is kept below the folder. */
async function configure(folder: string): Promise<Record<string, string>> {
  await mkdir(join(folder, 'networks'), { recursive: true });
  await mkdir(join(folder, 'home'), { recursive: true });
  await mkdir(join(folder, 'tmp'), { recursive: true });
  await writeFile(
    join(folder, 'containers.conf'),
    [
      '[containers]',
      'default_ulimits = ["nofile=20000:20000", "nproc=4096:4096"]',
      '[engine]',
      'runtime = "runc"',
      'cgroup_manager = "cgroupfs"',
      'events_logger = "file"',
      '[network]',
      'network_backend = "netavark"',
      `network_config_dir = "${join(folder, 'networks')}"`,
    ].join('\n'),
  );
  await writeFile(
    join(folder, 'storage.conf'),
    `[storage]\ndriver = "overlay"\ngraphroot = "${join(folder, 'graph')}"\nrunroot = "${join(folder, 'run')}"\n`,
  );
  await mkdir(join(folder, 'bin'));
  await symlink(CLI, join(folder, 'bin', 'devcontainer'));
  return {
    PATH: `${join(folder, 'bin')}:${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    HOME: join(folder, 'home'),
    TMPDIR: join(folder, 'tmp'),
    CONTAINERS_CONF: join(folder, 'containers.conf'),
    CONTAINERS_STORAGE_CONF: join(folder, 'storage.conf'),
    LANG: 'C.UTF-8',
  };
}

/** busybox, bash, what the devcontainer CLI runs inside, and the libraries that Node needs of a distribution. */
async function importImage(folder: string, env: Record<string, string>): Promise<void> {
  const root = join(folder, 'root');
  for (const name of ['bin', 'etc', 'proc', 'root', 'sys', 'tmp', 'usr/bin', 'var']) {
    await mkdir(join(root, name), { recursive: true });
  }
  await chmod(join(root, 'tmp'), 0o1777);
  await cp('/bin/busybox', join(root, 'bin/busybox'));
  const { stdout: applets } = await run('/bin/busybox', ['--list']);
  for (const applet of applets.trim().split('\n')) {
    if (!['busybox', 'bash'].includes(applet)) await symlink('busybox', join(root, 'bin', applet));
  }
  for (const program of ['/bin/bash', '/usr/bin/getent']) await copyWithLibraries(program, root);
  await copyLibraries(process.execPath, root);
  // Of the C library, whatever else is in an image.
  await copyFiles(['/lib/x86_64-linux-gnu/librt.so.1'], root);
  await writeFile(
    join(root, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/bash\nvscode:x:1000:1000::/home/vscode:/bin/bash\n',
  );
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nvscode:x:1000:\n');
  await writeFile(join(root, 'etc/os-release'), await readFile('/etc/os-release'));
  await writeFile(join(root, 'etc/profile'), '');
  await mkdir(join(root, 'home/vscode'), { recursive: true });
  const tar = join(folder, 'root.tar');
  await run('tar', ['-C', root, '-cf', tar, '.']);
  await run('podman', ['import', '--change', 'ENV PATH=/usr/local/bin:/usr/bin:/bin', tar, IMAGE], { env, cwd: '/' });
  await rm(root, { recursive: true });
  await rm(tar);
}

async function copyWithLibraries(program: string, root: string): Promise<void> {
  await copyFiles([program], root);
  await copyLibraries(program, root);
}

async function copyLibraries(program: string, root: string): Promise<void> {
  const { stdout } = await run('ldd', [program]);
  const found = stdout.matchAll(/(?:=> |^\s+)(\/\S+) \(/gm);
  await copyFiles(
    [...found].map(([, path = '']) => path),
    root,
  );
}

async function copyFiles(paths: readonly string[], root: string): Promise<void> {
  for (const path of paths) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await cp(path, join(root, path), { dereference: true });
  }
}
