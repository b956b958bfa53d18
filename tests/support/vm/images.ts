/**
 * Images for containers of tests, made of this machine's own Debian packages, so that nothing is fetched. They are made once
 * per machine and kept in a store that any podman can read beside its own (`additionalimagestores`).
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { lock } from './lock.ts';
import { PACKAGES, packageVersions, writeRoot } from './rootfs.ts';

const run = promisify(execFile);

/** What a team's ordinary image has: a shell, git, the usual tools, the user `vscode`. No Node. */
export const STOCK = 'localhost/csm-stock:1';
/** The same with Node, also under the name that the product description's devcontainer.json uses. */
export const WITH_NODE = 'localhost/csm-node:1';
export const DESCRIBED = 'ghcr.io/myorg/devcontainer-rust:latest';

const CACHE = '/var/tmp/csm-test-images';

/** @returns the folder of the store, for `additionalimagestores`. Makes it if it is not there; that takes half a minute. */
export async function imageStore(): Promise<string> {
  const key = await recipeKey();
  const store = join(CACHE, key);
  await mkdir(CACHE, { recursive: true });
  if (existsSync(store)) return store;
  const unlock = await lock(join(CACHE, 'lock'));
  try {
    if (!existsSync(store)) await make(store);
  } finally {
    await unlock();
  }
  return store;
}

/** Another recipe, another Node or another version of a package makes other images. */
async function recipeKey(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of ['images.ts', 'rootfs.ts']) {
    hash.update(await readFile(fileURLToPath(new URL(file, import.meta.url))));
  }
  return hash
    .update(process.version)
    .update(await packageVersions(PACKAGES))
    .digest('hex')
    .slice(0, 16);
}

async function make(store: string): Promise<void> {
  const folder = await mkdtemp(join(CACHE, 'new-'));
  try {
    const root = join(folder, 'root');
    await writeRoot(root);
    await writeFile(
      join(folder, 'storage.conf'),
      `[storage]\ndriver = "overlay"\ngraphroot = "${folder}/graph"\nrunroot = "${folder}/run"\n`,
    );
    const node = join(folder, 'node');
    await mkdir(node);
    await run('cp', ['--dereference', process.execPath, join(node, 'node')]);
    await writeFile(join(node, 'Containerfile'), `FROM ${STOCK}\nCOPY --chmod=0755 node /usr/local/bin/node\n`);
    const script = [
      'set -e',
      `tar -C "$1/root" -cf "$1/root.tar" .`,
      `podman import --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' "$1/root.tar" "$2"`,
      `podman build --tag "$3" --tag "$4" "$1/node"`,
    ].join('\n');
    // Podman mounts its storage onto itself; in a mount namespace of its own that is gone when it is done.
    await run(
      'unshare',
      ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', folder, STOCK, WITH_NODE, DESCRIBED],
      {
        cwd: '/',
        env: { PATH: process.env.PATH, HOME: folder, CONTAINERS_STORAGE_CONF: join(folder, 'storage.conf') },
        maxBuffer: 16 * 1024 * 1024,
      },
    );
    await rename(join(folder, 'graph'), store);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
