/** The server process of the development database. */
import { spawn } from 'node:child_process';
import { open, readFile, rename, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DevError } from './errors.ts';
import { failure } from './postgresFailure.ts';
import { asUser, cannotRun, type Programs } from './postgresPrograms.ts';
import type { RunAs } from './postgresUser.ts';
import { clearPostmaster, isAlive, isServing, readPostmaster } from './postmasterPid.ts';

/** Recovery after a crash is part of it. */
export const START_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 20_000;
const ATTEMPTS = 6;
const LONGEST_LOG = 5_000_000;

/** The server of this data: the one that runs already, or a new one. */
export async function ensureServer(
  cluster: string,
  programs: Programs,
  user: RunAs | undefined,
): Promise<{ pid: number; adopted: boolean }> {
  for (let attempt = 1; ; attempt += 1) {
    const running = await findRunning(cluster);
    if (running !== undefined) return { pid: running, adopted: true };
    const outcome = await startServer(cluster, programs, user);
    if (typeof outcome === 'number') return { pid: outcome, adopted: false };
    // The port was taken first, another start was quicker, or processes of a killed server still hold its memory.
    const passing =
      /Address already in use|could not bind|postmaster\.pid" already exists|memory block .* still in use/;
    if (!passing.test(outcome) || attempt === ATTEMPTS) {
      throw failure('PostgreSQL did not start', outcome, path.dirname(cluster));
    }
    await pause(500);
  }
}

/** What a killed server left behind is cleared. */
async function findRunning(cluster: string): Promise<number | undefined> {
  const found = await readPostmaster(cluster);
  if (!found) return undefined;
  if (await isServing(cluster, found.pid)) return found.pid;
  await clearPostmaster(cluster);
  return undefined;
}

/** @returns the process, or what it said before it ended */
async function startServer(cluster: string, { postgres }: Programs, user: RunAs | undefined): Promise<number | string> {
  const logFile = path.join(path.dirname(cluster), 'server.log');
  const settings = {
    port: await freePort(),
    listen_addresses: '127.0.0.1',
    // Every way in asks for the password; a socket would be one more to guard.
    unix_socket_directories: '',
    max_connections: 200,
    // A killed server leaves nothing outside its cluster.
    dynamic_shared_memory_type: 'mmap',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  if ((await sizeOf(logFile)) > LONGEST_LOG) await rename(logFile, `${logFile}.old`);
  const said = await sizeOf(logFile);
  const output = await open(logFile, 'a', 0o600);
  try {
    const child = spawn(postgres, ['-D', cluster, ...args], {
      ...asUser(user),
      // Its own process group: Ctrl-C in the terminal is for the one who started it.
      detached: true,
      stdio: ['ignore', output.fd, output.fd],
    });
    let ended: Error | 'exited' | undefined;
    child.once('error', (error) => {
      ended = error;
    });
    child.once('exit', () => {
      ended = 'exited';
    });
    child.unref();
    const deadline = Date.now() + START_DEADLINE_MS;
    while (!ended && Date.now() < deadline) {
      const found = await readPostmaster(cluster);
      if (found?.ready && found.pid === child.pid) return child.pid;
      await pause(25);
    }
    if (ended instanceof Error) throw cannotRun(postgres, user, ended);
    if (!ended) child.kill('SIGQUIT');
  } finally {
    await output.close();
  }
  return (await readFile(logFile)).subarray(said).toString('utf8');
}

async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => undefined))?.size ?? 0;
}

/** Clients are cut off and everything is written down; a server that does not manage is ended hard and recovers later. */
export async function stopServer(cluster: string, pid: number): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    if (!(await isServing(cluster, pid))) return;
    try {
      process.kill(pid, signal);
    } catch (cause) {
      if (!isAlive(pid)) return;
      const next = `Stop it as that user: kill -INT ${pid}`;
      throw new DevError('POSTGRES_NOT_OURS', `PostgreSQL (process ${pid}) belongs to another user.`, next, cause);
    }
    const deadline = Date.now() + STOP_DEADLINE_MS;
    while (Date.now() < deadline) {
      if (!(await isServing(cluster, pid))) return;
      await pause(25);
    }
  }
  const next = `kill -9 ${pid}; nothing committed is lost.`;
  throw new DevError('POSTGRES_DOES_NOT_STOP', `PostgreSQL (process ${pid}) does not end.`, next);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
