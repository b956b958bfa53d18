/**
 * The worker bundle on the VM: brought there once per version, for every container to mount. A folder holds
 * `versions/<variant>@<version>/` and for each variant a link to its newest version; `npm run worker:bundle` makes it.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createGzip } from 'node:zlib';
import { z } from 'zod';
import { RetryableError, TerminalError } from '../../actors/index.ts';
import type { Shell, ShellResult } from './shell.ts';

export interface Bundle {
  /** `linux-x64-glibc`: system, architecture, C library. */
  readonly variant: string;
  /** The worker's version with a hash of all contents. */
  readonly version: string;
}

export interface InstalledBundle extends Bundle {
  /** False if the VM had it already. */
  readonly uploaded: boolean;
}

export interface InstallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Bytes sent so far. */
  readonly onProgress?: (variant: string, bytes: number) => void;
  /** Bytes sent at once; default 8 MiB. */
  readonly chunkBytes?: number;
}

const CHUNK_BYTES = 8 * 1024 * 1024;
const SHORT_MS = 60_000;
/** Unpacking half a gigabyte on a slow disk. */
const UNPACK_MS = 15 * 60_000;
const DESCRIPTION = 'bundle.json';

/** They become names of folders. */
const Description = z.object({
  variant: z.string().regex(/^linux-[a-z0-9_]+-[a-z]+$/),
  version: z.string().regex(/^[0-9][0-9A-Za-z.+-]*$/),
});

/** Takes what an upload that was given up a day ago has left. $1: folder. Prints a new one to upload into. */
const PREPARE = `
umask 022
mkdir -p -- "$1/versions" || exit 1
find "$1" -maxdepth 1 -name '.upload.*' -mmin +1440 -exec rm -rf -- {} +
mktemp -d -- "$1/.upload.XXXXXXXX"
`;

/**
 * $1: folder, $2: the upload, $3: variant, $4: version, $5: SHA-256 of all parts. The version appears whole, and then the link
 * to it is exchanged in one step; containers that run keep seeing the files they have open. The newest three versions of a
 * variant stay, for containers that still use them.
 */
const PUBLISH = `
umask 022
root=$1 upload=$2 variant=$3 version=$4
name=versions/$variant@$version
if [ ! -d "$root/$name" ]; then
  found=$(cat -- "$upload"/part.* | sha256sum) || exit 1
  [ "\${found%% *}" = "$5" ] || { echo "what arrived is not what was sent" >&2; exit 65; }
  mkdir -- "$upload/new" && cat -- "$upload"/part.* | tar -xzf - --no-same-owner -C "$upload/new" || exit 1
  touch -- "$upload/new" && { mv -T -- "$upload/new" "$root/$name" || [ -d "$root/$name" ] || exit 1; }
fi
rm -rf -- "$upload"
ln -s -- "$name" "$root/.$variant.$$" && mv -fT -- "$root/.$variant.$$" "$root/$variant" || exit 1
ls -1dt -- "$root/versions/$variant@"* | tail -n +4 | while read -r old; do
  [ "$old" = "$root/$name" ] || rm -rf -- "$old"
done
`;

/** What a local folder holds. @throws TerminalError if that is nothing */
export async function readBundles(localFolder: string): Promise<readonly Bundle[]> {
  const names = await readdir(localFolder).catch(() => []);
  const bundles: Bundle[] = [];
  for (const name of names.filter((name) => name.startsWith('linux-')).sort()) {
    const text = await readFile(join(localFolder, name, DESCRIPTION), 'utf8').catch(() => '');
    const bundle = parseDescription(text);
    if (bundle?.variant === name) bundles.push(bundle);
  }
  if (bundles.length > 0) return bundles;
  throw new TerminalError('BUNDLE_MISSING', `No worker bundle in ${localFolder}`, {
    human: `There is no worker bundle in ${localFolder} of the gateway. Make one: \`npm run worker:bundle -- ${localFolder}\`.`,
  });
}

/**
 * Brings every variant of a local folder to the VM, if it has another version or none. The VM needs GNU tar and coreutils.
 * May be called at any time and by several at once.
 * @throws TerminalError or RetryableError with `human`; what the shell throws
 */
export async function installBundle(
  shell: Shell,
  localFolder: string,
  remoteFolder: string,
  options: InstallOptions = {},
): Promise<readonly InstalledBundle[]> {
  const installed: InstalledBundle[] = [];
  for (const bundle of await readBundles(localFolder)) {
    const path = `${remoteFolder}/${bundle.variant}/${DESCRIPTION}`;
    const there = parseDescription((await shell.readFile(path, 1024 * 1024, options.signal))?.toString() ?? '');
    const uploaded = there?.version !== bundle.version;
    if (uploaded) await upload(shell, join(localFolder, bundle.variant), remoteFolder, bundle, options);
    installed.push({ ...bundle, uploaded });
  }
  return installed;
}

async function upload(
  shell: Shell,
  source: string,
  remoteFolder: string,
  { variant, version }: Bundle,
  { signal, onProgress, chunkBytes = CHUNK_BYTES }: InstallOptions,
): Promise<void> {
  const prepared = await shell.exec({ script: PREPARE, args: [remoteFolder] }, { timeoutMs: SHORT_MS, signal });
  if (prepared.code !== 0) throw installError(remoteFolder, prepared);
  const folder = prepared.stdout.trim();
  try {
    const hash = createHash('sha256');
    let sent = 0;
    let number = 0;
    for await (const chunk of packed(source, chunkBytes)) {
      hash.update(chunk);
      number += 1;
      await shell.writeFile(`${folder}/part.${String(number).padStart(6, '0')}`, chunk, 0o600, signal);
      sent += chunk.length;
      onProgress?.(variant, sent);
    }
    const args = [remoteFolder, folder, variant, version, hash.digest('hex')];
    const published = await shell.exec({ script: PUBLISH, args }, { timeoutMs: UNPACK_MS, signal });
    if (published.code !== 0) throw installError(remoteFolder, published);
  } catch (error) {
    // Without the signal: it may be what ended the upload. If the VM is gone, the next upload clears up.
    await shell.exec(['rm', '-rf', '--', folder], { timeoutMs: SHORT_MS }).catch(() => undefined);
    throw error;
  }
}

/** The folder as a gzipped tar, in pieces. */
async function* packed(folder: string, chunkBytes: number): AsyncGenerator<Buffer> {
  const tar = spawn('tar', ['-C', `${folder}/`, '--owner=0', '--group=0', '--numeric-owner', '-cf', '-', '.'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  tar.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = new Promise<number | null>((resolve) => {
    tar.once('error', () => resolve(null));
    tar.once('close', resolve);
  });
  try {
    let chunks: Buffer[] = [];
    let size = 0;
    for await (const data of tar.stdout.pipe(createGzip({ level: 1 }))) {
      chunks.push(data);
      size += data.length;
      if (size < chunkBytes) continue;
      yield Buffer.concat(chunks);
      chunks = [];
      size = 0;
    }
    if (size > 0) yield Buffer.concat(chunks);
    if ((await ended) !== 0) throw new TerminalError('BUNDLE_UNREADABLE', `tar of ${folder}: ${said.trim()}`);
  } finally {
    tar.kill('SIGKILL');
  }
}

function parseDescription(text: string): Bundle | undefined {
  try {
    const read = Description.safeParse(JSON.parse(text));
    return read.success ? read.data : undefined;
  } catch {
    // None, or half of one: it is brought anew.
    return undefined;
  }
}

function installError(folder: string, { code, stderr }: ShellResult): Error {
  const last = stderr.trim().split('\n').at(-1) ?? '';
  if (/no space left on device|disk quota exceeded/i.test(stderr)) {
    return new TerminalError('VM_DISK_FULL', last, {
      human: 'The disk of the VM is full; the worker bundle needs about 1 GB. Free some space there, then retry.',
    });
  }
  if (/permission denied|read-only file system/i.test(stderr)) {
    return new TerminalError('BUNDLE_FOLDER', last, {
      human: `The VM's user may not write ${folder} (SM_WORKER_MOUNT). Make it there: \`sudo install -d -o USER ${folder}\`.`,
    });
  }
  return new RetryableError('BUNDLE_INSTALL', `exit code ${code}: ${last}`, {
    human: `The worker bundle could not be put on the VM: ${last}`,
  });
}
