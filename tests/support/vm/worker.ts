/** The worker bundle as `npm run worker:bundle` makes it, made once for each state of the worker and kept for later runs. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { isUsed, lock, use } from './lock.ts';

const run = promisify(execFile);
const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));
const SCRIPT = 'scripts/build-worker-bundle.mjs';
const CACHE = '/var/tmp/csm-test-workers';
/** Bundles of earlier states of the worker; one is half a gigabyte. */
const KEPT = 2;
/** What a bundle's file of locks is called, after its folder. */
const USED = '.used';

/** @returns its folder, for SM_WORKER_MOUNT; it stays as long as this process runs. The agent worker must be compiled. */
export async function workerBundle(): Promise<string> {
  const folder = join(CACHE, await stateOfWorker());
  await mkdir(CACHE, { recursive: true });
  const unlock = await lock(join(CACHE, 'lock'));
  try {
    await use(`${folder}${USED}`);
    if (existsSync(folder)) return folder;
    await removeOld();
    const fresh = `${folder}.new`;
    await rm(fresh, { recursive: true, force: true });
    await run(process.execPath, [join(REPOSITORY, SCRIPT), fresh], { cwd: REPOSITORY });
    await rename(fresh, folder);
  } finally {
    await unlock();
  }
  return folder;
}

async function stateOfWorker(): Promise<string> {
  const dist = join(REPOSITORY, 'agent-worker/dist');
  const code = (await readdir(dist, { recursive: true })).filter((path) => path.endsWith('.js')).sort();
  const files = [
    SCRIPT,
    'package-lock.json',
    'agent-worker/package.json',
    ...code.map((path) => `agent-worker/dist/${path}`),
  ];
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file}\0`).update(await readFile(join(REPOSITORY, file)));
  return hash.digest('hex').slice(0, 16);
}

/** The newest stay, and those that a test uses at this time. */
async function removeOld(): Promise<void> {
  const found: { readonly path: string; readonly at: number }[] = [];
  for (const name of await readdir(CACHE)) {
    const path = join(CACHE, name);
    if (/^[0-9a-f]+(\.new)?$/.test(name)) found.push({ path, at: (await stat(path)).mtimeMs });
  }
  for (const { path } of found.sort((a, b) => b.at - a.at).slice(KEPT)) {
    if (await isUsed(`${path}${USED}`)) continue;
    for (const old of [path, `${path}${USED}`]) await rm(old, { recursive: true, force: true });
  }
}
