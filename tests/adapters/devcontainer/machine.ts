/** A machine with containers, all of it in one folder: real podman with storage of its own, the real devcontainer CLI. */
import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Shell } from '../../../src/adapters/devcontainer/index.ts';
import { imageStore, STOCK } from '../../support/vm/images.ts';
import { isUsed, lock } from '../../support/vm/lock.ts';
import { removeGroups } from '../../support/vm/machine.ts';
import { localShell } from './localShell.ts';

const run = promisify(execFile);

export const IMAGE = STOCK;
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
  await sweep();
  const folder = await mkdtemp(join(tmpdir(), PREFIX));
  const letGo = await lock(join(folder, HELD));
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
    await removeGroups(join(folder, 'graph'));
    await letGo();
    await rm(folder, { recursive: true, force: true });
  };
  try {
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

const PREFIX = 'csm-devcontainer-';
const HELD = 'held';
/** Between making a folder and holding it. */
const NEW_MS = 60_000;

/** Folders of tests that were killed; all else of them has ended with them. */
async function sweep(): Promise<void> {
  for (const name of (await readdir(tmpdir())).filter((name) => name.startsWith(PREFIX))) {
    const folder = join(tmpdir(), name);
    const made = await stat(folder).catch(() => undefined);
    if (made === undefined || Date.now() - made.mtimeMs < NEW_MS) continue;
    if (await isUsed(join(folder, HELD))) continue;
    await removeGroups(join(folder, 'graph'));
    await rm(folder, { recursive: true, force: true });
  }
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
    [
      '[storage]',
      'driver = "overlay"',
      `graphroot = "${join(folder, 'graph')}"`,
      `runroot = "${join(folder, 'run')}"`,
      '[storage.options]',
      `additionalimagestores = ["${await imageStore()}"]`,
    ].join('\n'),
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
