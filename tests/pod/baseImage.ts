/**
 * A base image without a registry: this machine's Node and npm with the libraries they need, and busybox for the rest. It is laid
 * out like the official image of Node, as far as the Dockerfile relies on it.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Podman } from './podman.ts';

const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/** @returns the image's name */
export async function importBaseImage(podman: Podman): Promise<string> {
  const root = join(podman.folder, 'rootfs');
  for (const folder of ['bin', 'usr/local/bin', 'usr/local/lib/node_modules', 'etc/ssl/certs', 'root', 'home/node']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  mkdirSync(join(root, 'tmp'));
  chmodSync(join(root, 'tmp'), 0o1777);

  copyProgram(process.execPath, root, 'usr/local/bin/node');
  copyGlibc(process.execPath, root);
  copyProgram(which('busybox'), root, 'bin/busybox');
  execFileSync('chroot', [root, '/bin/busybox', '--install', '-s', '/bin']);
  // Scripts begin with #!/usr/bin/env.
  symlinkSync('../bin', join(root, 'usr/bin'));
  const npm = dirname(dirname(realpathSync(which('npm'))));
  cpSync(npm, join(root, 'usr/local/lib/node_modules/npm'), { recursive: true });
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'));

  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n');
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nnode:x:1000:\n');
  writeFileSync(join(root, 'etc/nsswitch.conf'), 'hosts: files dns\n');
  if (existsSync(CERTIFICATES)) copyFileSync(CERTIFICATES, join(root, CERTIFICATES));

  const archive = join(podman.folder, 'rootfs.tar');
  execFileSync('tar', ['-C', root, '-cf', archive, '.']);
  const image = 'localhost/node-base:test';
  await podman.run('import', '--change', 'ENV PATH=/usr/local/bin:/usr/bin:/bin', archive, image);
  rmSync(root, { recursive: true });
  rmSync(archive);
  return image;
}

/** With the libraries it is linked to, at the same paths. */
function copyProgram(program: string, root: string, to: string): void {
  copyFileSync(realpathSync(program), join(root, to));
  for (const [, library] of librariesOf(program).matchAll(/(\/\S+\.so\S*)/g)) {
    if (library === undefined) continue;
    mkdirSync(join(root, dirname(library)), { recursive: true });
    copyFileSync(realpathSync(library), join(root, library));
  }
}

/** The rest of the C library: native add-ons of packages, and look-ups of names, load parts that Node is not linked to. */
function copyGlibc(program: string, root: string): void {
  const libc = /(\/\S+\/libc\.so\.6)/.exec(librariesOf(program))?.[1];
  if (libc === undefined) throw new Error(`${program} uses no glibc`);
  for (const name of readdirSync(dirname(libc))) {
    if (!/^lib(rt|resolv|nss_dns|nss_files|util)\.so\.\d+$/.test(name)) continue;
    copyFileSync(realpathSync(join(dirname(libc), name)), join(root, dirname(libc), name));
  }
}

function librariesOf(program: string): string {
  try {
    return execFileSync('ldd', [program], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    // Linked statically: it needs none.
    return '';
  }
}

function which(program: string): string {
  return execFileSync('sh', ['-c', 'command -v "$0"', program], { encoding: 'utf8' }).trim();
}
