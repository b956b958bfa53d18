/**
 * The hardware of a VM: namespaces of its own for processes, network, mounts and names. They are bound to this process: when
 * it ends, however it ends, the kernel ends every process in them, and with those mounts, containers, interfaces and ports go.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const BOOT = fileURLToPath(new URL('boot.sh', import.meta.url));
const CLI = fileURLToPath(new URL('../../../node_modules/@devcontainers/cli', import.meta.url));
/** Ends with this process even if that is killed. */
const BOUND = ['setpriv', '--pdeathsig', 'KILL'];
const PATH = '/opt/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** What the VM's user has in their environment. */
export const USER_ENV = { PATH, HOME: '/home/claude', USER: 'claude', LANG: 'C.UTF-8' };

export interface Machine {
  /** Runs a program inside, as the user. Rejects if it fails. @returns what it printed */
  run(program: string, ...args: string[]): Promise<string>;
  /** Starts a program inside and leaves it to the caller. */
  spawn(program: string, ...args: string[]): ChildProcess;
  /** Ends everything in it at once, as a power cut does. */
  powerOff(): Promise<void>;
  powerOn(): Promise<void>;
  /** The file of its network namespace, until it is switched off. */
  network(): string;
}

export interface Hardware {
  /** The VM's disk. */
  readonly folder: string;
  /** Of the image store. */
  readonly images: string;
  /** Of the interface on this machine's side. */
  readonly cable: string;
  /** This machine's end and the VM's. */
  readonly addresses: { readonly ours: string; readonly theirs: string };
  /** Size of the file system that holds repositories. */
  readonly diskMegabytes: number;
}

/** Not switched on yet. @returns the machine, and what takes its disk away for good */
export async function buildMachine(hardware: Hardware): Promise<Machine & { scrap(): Promise<void> }> {
  const { folder, images, cable, addresses } = hardware;
  const disk = await holdDisk(join(folder, 'disk'), hardware.diskMegabytes);
  let power: { readonly process: ChildProcess; readonly init: number } | undefined;

  const enter = (program: string, args: readonly string[]): readonly [string, string[]] => {
    if (!power) throw new Error('The VM is switched off.');
    const inside = ['--target', String(power.init), '--all', `--wdns=${USER_ENV.HOME}`];
    // Twice: once for the one who enters, once for what is inside, which is another process.
    return ['setpriv', [...BOUND.slice(1), 'nsenter', ...inside, '--', ...BOUND, program, ...args]];
  };
  const powerOff = async (): Promise<void> => {
    if (!power) return;
    const { process: child } = power;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await ended;
    power = undefined;
    // The kernel takes the interface away a little later.
    await run('ip', ['link', 'delete', cable]).catch(() => undefined);
    await removeGroups(storageIn(folder));
  };
  const powerOn = async (): Promise<void> => {
    const spaces = ['--pid', '--net', '--ipc', '--uts', '--mount', '--fork', '--kill-child', '--mount-proc'];
    const boot = ['bash', BOOT, folder, images, process.execPath, CLI];
    const mounts = ['nsenter', `--mount=/proc/${disk.pid}/ns/mnt`, '--wd=/'];
    const child = spawn(mounts[0] ?? '', [...mounts.slice(1), ...BOUND, 'unshare', ...spaces, ...boot], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH },
    });
    await said(child, 'booted');
    const children = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
    const init = Number(children.trim());
    power = { process: child, init };
    const { ours, theirs } = addresses;
    await run('ip', ['link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(init)]);
    await run('ip', ['address', 'add', `${ours}/30`, 'dev', cable]);
    await run('ip', ['link', 'set', cable, 'up']);
    const inside = ['--target', String(init), '--net', '--', 'ip'];
    await run('nsenter', [...inside, 'address', 'add', `${theirs}/30`, 'dev', 'eth0']);
    await run('nsenter', [...inside, 'link', 'set', 'eth0', 'up']);
  };

  return {
    run: async (program, ...args) => {
      const [enterer, words] = enter(program, args);
      return (await run(enterer, words, { env: USER_ENV, maxBuffer: 64 * 1024 * 1024 })).stdout;
    },
    spawn: (program, ...args) => {
      const [enterer, words] = enter(program, args);
      return spawn(enterer, words, { env: USER_ENV, stdio: ['ignore', 'pipe', 'pipe'] });
    },
    powerOff,
    powerOn,
    network: () => `/proc/${power?.init}/ns/net`,
    scrap: async () => {
      await powerOff();
      if (disk.exitCode === null && disk.signalCode === null) {
        const ended = once(disk, 'exit');
        disk.kill('SIGKILL');
        await ended;
      }
    },
  };
}

/** A file system of its own for repositories, so that it can be full. It outlives reboots, not the returned process. */
async function holdDisk(folder: string, megabytes: number): Promise<ChildProcess> {
  const mount = `mount -t tmpfs -o mode=755,size=${megabytes}m csm-vm "$1" && mkdir "$1/repos" "$1/worktrees" && echo held && exec sleep infinity`;
  const holder = spawn('setpriv', [...BOUND.slice(1), 'unshare', '--mount', 'sh', '-c', mount, 'sh', folder], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  await said(holder, 'held');
  return holder;
}

/** Resolves when the process has printed the word; rejects with its errors if it ends before. */
async function said(child: ChildProcess, word: string): Promise<void> {
  let errors = '';
  child.stderr?.on('data', (data) => {
    errors += data;
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (data) => {
      if (String(data).includes(word)) resolve();
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`It ended before it was ${word}: ${errors}`)));
  });
}

const GROUPS = '/sys/fs/cgroup';

/** Of the containers on a VM's disk. */
export function storageIn(folder: string): string {
  return join(folder, 'containers/storage');
}

/**
 * Podman makes control groups for its containers outside of every namespace; without processes they can go.
 * @param storage podman's, with the containers
 */
export async function removeGroups(storage: string): Promise<void> {
  const containers = await readdir(join(storage, 'overlay-containers')).catch(() => []);
  const known = new Set(containers.filter((name) => /^[0-9a-f]{64}$/.test(name)));
  if (known.size === 0) return;
  const all = await run('find', [GROUPS, '-maxdepth', '3', '-type', 'd', '-name', 'libpod-*']);
  for (const path of all.stdout.trim().split('\n')) {
    const id = /libpod-(?:conmon-)?([0-9a-f]{64})$/.exec(path)?.[1];
    if (id !== undefined && known.has(id)) await removeGroup(path);
  }
}

async function removeGroup(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeGroup(join(path, entry.name));
  // A killed process leaves its group a moment after it is gone; what stays then is swept at the next start.
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const gone = await rmdir(path).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
    );
    if (gone) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
