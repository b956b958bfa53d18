/** A real sshd of its own: own host keys, own configuration, own port on loopback, in a folder that goes with it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '../../src/actors/index.ts';
import { connectVm, type Vm, type VmOptions } from '../../src/adapters/ssh/index.ts';

export interface TestSshd {
  readonly port: number;
  readonly user: string;
  readonly folder: string;
  /** Text of the private key that is let in. */
  readonly key: string;
  /** `type base64` of the host's key of that type. */
  hostKey(type: 'ed25519' | 'rsa'): string;
  fingerprint(type: 'ed25519' | 'rsa'): string;
  /** New host keys; they show with the next start. */
  renewHostKeys(): void;
  /** Ends it and, with `sessions`, the processes that serve its connections. */
  stop(options?: { readonly sessions: boolean }): Promise<void>;
  start(): Promise<void>;
  /** Process ids of the sshd processes that serve connections. */
  servers(): number[];
  remove(): Promise<void>;
}

const TYPES = ['ed25519', 'rsa'] as const;

export async function startSshd(extra: readonly string[] = []): Promise<TestSshd> {
  const folder = mkdtempSync(join(tmpdir(), 'csm-sshd-'));
  chmodSync(folder, 0o755);
  const root = process.getuid?.() === 0;
  if (root) mkdirSync('/run/sshd', { recursive: true });
  const user = root ? 'csm-vm' : userInfo().username;
  const port = await freePort();
  keygen(join(folder, 'id'), 'ed25519');
  writeFileSync(join(folder, 'authorized_keys'), readFileSync(join(folder, 'id.pub')), { mode: 0o644 });
  const makeHostKeys = (): void => {
    for (const type of TYPES) {
      rmSync(join(folder, `host_${type}`), { force: true });
      keygen(join(folder, `host_${type}`), type);
    }
  };
  makeHostKeys();
  const config = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    ...TYPES.map((type) => `HostKey ${join(folder, `host_${type}`)}`),
    'PidFile none',
    `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'MaxStartups 100:30:200',
    ...extra,
  ];
  writeFileSync(join(folder, 'sshd_config'), `${config.join('\n')}\n`);
  let child: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    // sshd starts itself again for each connection and must know where it is.
    child = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', join(folder, 'sshd_config')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr?.on('data', (data) => {
      said += data;
    });
    const started = child;
    while (!(await answers(port))) {
      if (started.exitCode !== null) throw new Error(`sshd did not start: ${said}`);
      await sleep(20);
    }
  };
  const servers = (): number[] => (child?.pid === undefined ? [] : descendants(child.pid));
  const stop = async (options = { sessions: true }): Promise<void> => {
    const current = child;
    if (!current || current.exitCode !== null || current.signalCode !== null) return;
    const pids = servers();
    const gone = new Promise((resolve) => current.once('exit', resolve));
    current.kill('SIGKILL');
    await gone;
    if (options.sessions) for (const pid of pids) kill(pid);
  };
  const publicKey = (type: string): string =>
    readFileSync(join(folder, `host_${type}.pub`), 'utf8')
      .split(' ')
      .slice(0, 2)
      .join(' ');
  await start();

  return {
    port,
    user,
    folder,
    key: readFileSync(join(folder, 'id'), 'utf8'),
    hostKey: publicKey,
    fingerprint: (type) =>
      execFileSync('ssh-keygen', ['-lf', join(folder, `host_${type}.pub`)], { encoding: 'utf8' }).split(' ')[1] ?? '',
    renewHostKeys: makeHostKeys,
    stop,
    start,
    servers,
    remove: async () => {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A connection to it that pins its key and does not wait long for anything. */
export function connectTo(sshd: TestSshd, options: Partial<VmOptions> = {}): Vm {
  return connectVm({
    host: '127.0.0.1',
    port: sshd.port,
    user: sshd.user,
    key: { text: sshd.key },
    hostKey: { pins: [{ fingerprint: sshd.fingerprint('ed25519') }] },
    log: silentLog,
    ...options,
    times: { firstBackoffMs: 50, maxBackoffMs: 200, graceSeconds: 1, ...options.times },
  });
}

export function keygen(path: string, type: string, passphrase = ''): void {
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-f', path]);
}

/** Command lines of processes that contain the text. */
export function processesWith(text: string): string[] {
  const lines = execFileSync('ps', ['-ww', '-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.includes(text));
}

export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; !(await holds()); await sleep(25)) {
    if (Date.now() > end) throw new Error(`Waited in vain until ${what}`);
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}

/** The sshd processes below one; not the commands they run. */
function descendants(pid: number): number[] {
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid=,comm='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  const below = (parent: number): number[] =>
    rows
      .filter(([, ppid, name]) => Number(ppid) === parent && name === 'sshd')
      .flatMap(([child]) => [Number(child), ...below(Number(child))]);
  return below(pid);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It was quicker.
  }
}
