import { readFile, readlink, realpath, rm } from 'node:fs/promises';
import path from 'node:path';

/** What a running server writes about itself into `postmaster.pid` of its data. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  /** It takes connections; before that it starts up or recovers. */
  readonly ready: boolean;
}

/** The file as it is: it may be left over from a server that was killed. Half-written files read as absent. */
export async function readPostmaster(cluster: string): Promise<Postmaster | undefined> {
  const text = await readFile(path.join(cluster, 'postmaster.pid'), 'utf8').catch(() => '');
  // Lines: pid, data folder, start time, port, socket folder, listen address, shared memory, status.
  const lines = text.split('\n').map((line) => line.trim());
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  return { pid, port: Number(lines[3]) || 0, ready: lines[7] === 'ready' };
}

/** Whether that process lives and is a server of this data, not somebody who was given its number later. */
export async function isServing(cluster: string, pid: number): Promise<boolean> {
  if (!isAlive(pid)) return false;
  if (process.platform !== 'linux') return true;
  // A server works in its data folder.
  const cwd = await readlink(`/proc/${pid}/cwd`).catch((error: NodeJS.ErrnoException) => error.code);
  if (cwd === 'EACCES') return true;
  return cwd === (await realpath(cluster));
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Removes what a killed server left, once it is certain that nothing serves this data. */
export async function clearPostmaster(cluster: string): Promise<void> {
  await rm(path.join(cluster, 'postmaster.pid'), { force: true });
}
