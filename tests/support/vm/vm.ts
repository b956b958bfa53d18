/**
 * A VM on this machine: a real sshd, real podman with storage of its own, Node and the devcontainer CLI, in namespaces of its
 * own. It reaches this machine's end of its cable, where tests put a git server and a model, and nothing else. Whatever
 * happens to the test, nothing of it stays behind but a folder, which the next VM sweeps away.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { until } from '../sshd.ts';
import { prepareDisk } from './disk.ts';
import { imageStore } from './images.ts';
import { buildMachine, USER_ENV } from './machine.ts';
import { takeSlot } from './slots.ts';

export interface Vm {
  /** Where its sshd listens, port 22. */
  readonly address: string;
  /** This machine, as the VM and its containers see it. */
  readonly hostAddress: string;
  readonly user: string;
  /** Text of the private key that is let in. */
  readonly key: string;
  /** Of the host key, as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
  readonly reposPath: string;
  readonly worktreesPath: string;
  /** The folder of this machine that holds the VM's disk, but for the repositories. */
  readonly folder: string;
  /** Runs a shell script inside, as the user. Rejects if it fails. @returns what it printed, without a newline at the end */
  sh(script: string, ...args: string[]): Promise<string>;
  podman(...args: string[]): Promise<string>;
  /** Full ids of all containers, running or not. */
  containers(): Promise<string[]>;
  /** Command lines of all that runs inside, containers included. */
  processes(): Promise<string[]>;
  /** Kills what runs inside, containers included, with such a command line. Rejects if there is nothing. */
  kill(commandLine: RegExp): Promise<void>;
  /** All processes and running containers end at once, as with a power cut; the disk is kept; sshd comes back. */
  reboot(): Promise<void>;
  /** sshd ends, with all its connections, and comes back. What was started over them may go on. */
  restartSshd(): Promise<void>;
  powerOff(): Promise<void>;
  powerOn(): Promise<void>;
  /** The file of its network namespace, until it is switched off: where tests lay further cables to. */
  network(): string;
  /** Files and processes (arguments, environments) that have the text in them, containers included. */
  traces(text: string): Promise<string[]>;
  /** Leaves so many bytes for repositories. */
  fillDisk(leaveBytes?: number): Promise<void>;
  freeDisk(): Promise<void>;
  /** Somebody else's program listens there. @returns what ends it */
  takePort(port: number): Promise<() => Promise<void>>;
  /** A running container that is not ours. @returns its full id */
  foreignContainer(image: string, ...options: string[]): Promise<string>;
  close(): Promise<void>;
}

/** The text itself is in no argument here. */
const TRACES = `
grep -rslF -f /opt/pattern /home /root /run /tmp /var/tmp /var/lib/containers
for file in /proc/[0-9]*/cmdline /proc/[0-9]*/environ; do
  tr '\\0' '\\n' <"$file" 2>/dev/null | grep -qF -f /opt/pattern && echo "$file"
done
true`;

const REPOS = '/home/claude/repos';

export interface VmOptions {
  /** Size of the file system that holds repositories. */
  readonly diskMegabytes?: number;
  /** Folders of this machine that are there, read-only, below /opt, by their names there. */
  readonly mounts?: Readonly<Record<string, string>>;
  /** Serve the socket that compose programs talk to. */
  readonly compose?: boolean;
}

const SOCKET = 'unix:///run/podman.sock';

export async function startVm({ diskMegabytes = 256, mounts = {}, compose = false }: VmOptions = {}): Promise<Vm> {
  const images = await imageStore();
  const slot = await takeSlot();
  const { folder, addresses } = slot;
  await prepareDisk(folder, { PATH: USER_ENV.PATH, ...(compose ? { DOCKER_HOST: SOCKET } : {}) }, mounts);
  const machine = await buildMachine({ folder, images, cable: slot.cable, addresses, diskMegabytes });
  const close = async (): Promise<void> => {
    await machine.scrap();
    await slot.free();
  };

  const sh = async (script: string, ...args: string[]): Promise<string> =>
    (await machine.run('sh', '-c', script, 'sh', ...args)).replace(/\n$/, '');
  const podman = (...args: string[]): Promise<string> => machine.run('podman', ...args);
  const startSshd = async (): Promise<void> => {
    // Its own name must be absolute: it starts itself again for each connection.
    // It says why it does not start.
    await machine.run('/usr/sbin/sshd', '-e', '-f', '/opt/ssh/sshd_config');
    await until('sshd answers', () => greets(addresses.theirs, 22));
  };
  const powerOn = async (): Promise<void> => {
    await machine.powerOn();
    if (compose) await sh(`setsid podman system service --time=0 ${SOCKET} >/dev/null 2>&1 </dev/null &`);
    await startSshd();
  };
  try {
    await powerOn();
    await podman('network', 'create', 'isolated');
    return {
      address: addresses.theirs,
      hostAddress: addresses.ours,
      user: USER_ENV.USER,
      key: await readFile(join(folder, 'key'), 'utf8'),
      fingerprint: fingerprintOf(join(folder, 'opt/ssh/host_ed25519.pub')),
      reposPath: REPOS,
      worktreesPath: '/home/claude/worktrees',
      folder,
      sh,
      podman,
      containers: async () =>
        (await podman('ps', '--all', '--no-trunc', '--quiet')).split('\n').filter((id) => id !== ''),
      processes: async () => (await sh('ps -ww -eo args= --no-headers')).split('\n'),
      kill: async (commandLine) => {
        const lines = (await sh('ps -ww -eo pid=,args=')).split('\n');
        const found = lines.flatMap((line) => {
          const [, pid = '', args = ''] = /^\s*(\d+) (.*)$/.exec(line) ?? [];
          return commandLine.test(args) ? [pid] : [];
        });
        await sh('kill -KILL "$@"', ...found);
      },
      reboot: async () => {
        await machine.powerOff();
        await powerOn();
      },
      restartSshd: async () => {
        await sh('pkill -KILL -x sshd');
        // One that starts while the port is still taken listens for IPv6 alone, and complains to nobody.
        await until('the port is free', async () => (await sh("ss -Hltn 'sport = :22'")).trim() === '');
        await startSshd();
      },
      traces: async (text) => {
        await writeFile(join(folder, 'opt/pattern'), text);
        const found = await sh(TRACES);
        await rm(join(folder, 'opt/pattern'));
        return found.split('\n').filter((line) => line !== '');
      },
      powerOff: machine.powerOff,
      powerOn,
      network: machine.network,
      fillDisk: async (leaveBytes = 0) => {
        const free = Number(await sh('df --output=avail --block-size=1 "$1" | tail -n 1', REPOS));
        await sh('fallocate --length "$1" "$2/.ballast"', String(free - leaveBytes), REPOS);
      },
      freeDisk: async () => {
        await sh('rm -f "$1/.ballast"', REPOS);
      },
      takePort: async (port) => {
        const script = 'require("net").createServer().listen(+process.argv[1], () => console.log("listening"))';
        const stranger = machine.spawn('node', '-e', script, String(port));
        await new Promise<void>((resolve, reject) => {
          stranger.stdout?.once('data', () => resolve());
          stranger.once('exit', () => reject(new Error(`Nobody can listen on port ${port}.`)));
        });
        return async () => {
          const ended = once(stranger, 'exit');
          stranger.kill('SIGKILL');
          if (stranger.exitCode === null && stranger.signalCode === null) await ended;
        };
      },
      foreignContainer: async (image, ...options) =>
        (await podman('run', '--detach', '--network=none', ...options, image, 'sleep', 'infinity')).trim(),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function fingerprintOf(publicKey: string): string {
  return execFileSync('ssh-keygen', ['-lf', publicKey], { encoding: 'utf8' }).split(' ')[1] ?? '';
}

/** Whether somebody listens there who speaks first, as SSH servers do. */
function greets(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}
