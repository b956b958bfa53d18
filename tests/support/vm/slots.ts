/**
 * Each VM has a numbered place on this machine: a folder, an interface and a network of two addresses. Who holds a place is
 * written in it, so that the places of test runs that were killed can be taken again.
 */
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { removeGroups, storageIn } from './machine.ts';

const run = promisify(execFile);
const PLACES = '/var/tmp/csm-test-vms';
const MOST = 200;
/** Between making a place and writing whose it is. */
const NEW_MS = 60_000;

export interface Slot {
  readonly folder: string;
  readonly cable: string;
  readonly addresses: { readonly ours: string; readonly theirs: string };
  free(): Promise<void>;
}

/** Takes a place that nobody has, after clearing those whose holders are gone. */
export async function takeSlot(): Promise<Slot> {
  await mkdir(PLACES, { recursive: true });
  await sweep();
  for (let number = 0; number < MOST; number += 1) {
    const folder = join(PLACES, String(number));
    const taken = await mkdir(folder).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') return false;
        throw error;
      },
    );
    if (!taken) continue;
    await writeFile(join(folder, 'owner'), `${process.pid} ${await startTime(process.pid)}`);
    return {
      folder,
      cable: cableOf(number),
      // A part of 10.0.0.0/8 that is unlikely to be in use here; nothing routes it.
      addresses: { ours: `10.213.${number}.1`, theirs: `10.213.${number}.2` },
      free: () => clear(number),
    };
  }
  throw new Error(`All ${MOST} places for VMs of tests are taken.`);
}

/** Clears the places of processes that are no more. Their own processes ended with them. */
export async function sweep(): Promise<void> {
  for (const name of await readdir(PLACES).catch(() => [])) {
    if (/^\d+$/.test(name) && (await isAbandoned(join(PLACES, name)))) await clear(Number(name));
  }
}

async function isAbandoned(folder: string): Promise<boolean> {
  const owner = await readFile(join(folder, 'owner'), 'utf8').catch(() => '');
  const [pid = '', since = ''] = owner.split(' ');
  if (since !== '') return (await startTime(Number(pid))) !== since;
  const made = await stat(folder).catch(() => undefined);
  return made !== undefined && Date.now() - made.mtimeMs > NEW_MS;
}

async function clear(number: number): Promise<void> {
  const folder = join(PLACES, String(number));
  await run('ip', ['link', 'delete', cableOf(number)]).catch(() => undefined);
  await removeGroups(storageIn(folder));
  await run('rm', ['-rf', '--one-file-system', folder]);
}

function cableOf(number: number): string {
  return `csmvm${number}`;
}

/** In clock ticks since the machine started; with the id it names a process for good. Empty if there is none. */
async function startTime(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
