/** A file system for a container: installed Debian packages of this machine, copied file by file, with what they link to. */
import { execFile } from 'node:child_process';
import { lstat, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const PACKAGES = [
  ...[
    'base-files',
    'bash',
    'ca-certificates',
    'coreutils',
    'curl',
    'dash',
    'debianutils',
    'findutils',
    'git',
    'grep',
    'gzip',
  ],
  ...['hostname', 'libc-bin', 'libc6', 'libgcc-s1', 'libstdc++6', 'login', 'passwd', 'procps', 'sed', 'tar'],
  'util-linux',
];
const NOT_NEEDED = /^\/usr\/share\/(?:doc|locale|man|info|lintian|bash-completion|bug)\/|^\/usr\/share\/doc-base/;
/** Debian keeps these below /usr and links to them. */
const MERGED = ['bin', 'sbin', 'lib', 'lib64'];

/** `name version` of each, one a line. Rejects if one is not installed. */
export async function packageVersions(packages: readonly string[]): Promise<string> {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's format
  return (await run('dpkg-query', ['--show', '--showformat=${Package} ${Version}\n', ...packages])).stdout;
}

export async function writeRoot(root: string): Promise<void> {
  for (const folder of ['dev', 'etc', 'home', 'proc', 'root', 'run', 'sys', 'tmp', 'usr', 'var/tmp', 'workspaces']) {
    await mkdir(join(root, folder), { recursive: true });
  }
  for (const name of MERGED) {
    await mkdir(join(root, 'usr', name), { recursive: true });
    await symlink(`usr/${name}`, join(root, name));
  }
  const files = await filesOf(PACKAGES);
  const programs = files.filter((path) => /^\/(?:usr\/)?s?bin\/|^\/usr\/lib\/git-core\//.test(path));
  await copy([...files, ...(await librariesOf(programs))], root);
  await run('chmod', ['1777', join(root, 'tmp'), join(root, 'var/tmp')]);
  await account(root);
}

async function filesOf(packages: readonly string[]): Promise<string[]> {
  const { stdout } = await run('dpkg-query', ['--listfiles', ...packages], { maxBuffer: 16 * 1024 * 1024 });
  const paths = [...new Set(stdout.split('\n'))].filter((path) => path.startsWith('/') && !NOT_NEEDED.test(path));
  const kept: string[] = [];
  for (const path of paths) {
    const found = await lstat(path).catch(() => undefined);
    if (found && (found.isFile() || found.isSymbolicLink())) kept.push(path);
  }
  return kept;
}

/** What the programs link to, symbolic links and their targets. Scripts link to nothing. */
async function librariesOf(programs: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  const { stdout } = await run('sh', ['-c', 'for file; do ldd "$file" 2>/dev/null; done; true', 'sh', ...programs], {
    maxBuffer: 64 * 1024 * 1024,
  });
  for (const [, path = ''] of stdout.matchAll(/(\/\S+) \(0x/g)) found.add(path);
  const targets = await run('readlink', ['--canonicalize', ...found]);
  for (const path of targets.stdout.trim().split('\n')) found.add(path);
  return [...found];
}

async function copy(paths: readonly string[], root: string): Promise<void> {
  const list = `${root}.list`;
  await writeFile(list, paths.join('\n'));
  const pipe = 'tar -C / --no-recursion -cf - --files-from "$1" | tar -C "$2" --keep-directory-symlink -xf -';
  await run('bash', ['-o', 'pipefail', '-c', pipe, 'bash', list, root], { maxBuffer: 16 * 1024 * 1024 });
}

/** The users that images for devcontainers have: root and, by default not used, `vscode`. */
async function account(root: string): Promise<void> {
  await writeFile(
    join(root, 'etc/passwd'),
    [
      'root:x:0:0:root:/root:/bin/bash',
      'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin',
      'vscode:x:1000:1000::/home/vscode:/bin/bash',
      '',
    ].join('\n'),
  );
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\nvscode:x:1000:\n');
  await writeFile(join(root, 'etc/shadow'), 'root:*:1::::::\nvscode:*:1::::::\n', { mode: 0o600 });
  await writeFile(join(root, 'etc/nsswitch.conf'), 'passwd: files\ngroup: files\nhosts: files dns\n');
  await writeFile(join(root, 'etc/profile'), '');
  await writeFile(join(root, 'etc/os-release'), await readFile('/etc/os-release'));
  await mkdir(join(root, 'home/vscode'), { recursive: true });
  await run('chown', ['1000:1000', join(root, 'home/vscode')]);
}
