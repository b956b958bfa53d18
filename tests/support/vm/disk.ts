/** What is on a VM's disk before it is switched on for the first time. */
import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { keygen } from '../sshd.ts';

const run = promisify(execFile);

/** Limits and runtime are what containers may have where the machine itself is one. */
const CONTAINERS_CONF = `[containers]
default_ulimits = ["nofile=20000:20000", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
network_config_dir = "/etc/containers/networks"
`;
const STORAGE_CONF = `[storage]
driver = "overlay"
graphroot = "/var/lib/containers/storage"
runroot = "/run/containers/storage"
[storage.options]
additionalimagestores = ["/opt/images"]
`;

/** The user who logs in may use podman, that is, be root by another name. */
const PASSWD = 'claude:x:0:0::/home/claude:/bin/bash\n';

const sshdConfig = (env: Readonly<Record<string, string>>) => `Port 22
HostKey /opt/ssh/host_ed25519
HostKey /opt/ssh/host_rsa
PidFile /run/sshd.pid
AuthorizedKeysFile /opt/ssh/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 100:30:200
LogLevel ERROR
SetEnv ${Object.entries(env)
  .map(([name, value]) => `${name}=${value}`)
  .join(' ')}
`;

/**
 * @param env of users who log in
 * @param mounts folders of this machine that are there, read-only, below /opt, by their names there
 */
export async function prepareDisk(
  folder: string,
  env: Readonly<Record<string, string>>,
  mounts: Readonly<Record<string, string>>,
): Promise<void> {
  const folders = ['containers', 'disk', 'etc/containers/networks', 'home/claude/repos', 'home/claude/worktrees'];
  const more = ['opt/bin', 'opt/lib/devcontainers-cli', 'opt/ssh', 'root', 'tmp', 'var-tmp'];
  for (const name of [...folders, ...more]) await mkdir(join(folder, name), { recursive: true });
  for (const name of ['tmp', 'var-tmp']) await chmod(join(folder, name), 0o1777);
  await writeFile(join(folder, 'etc/containers/containers.conf'), CONTAINERS_CONF);
  await writeFile(join(folder, 'etc/containers/storage.conf'), STORAGE_CONF);
  await writeFile(join(folder, 'etc/containers/policy.json'), '{"default":[{"type":"insecureAcceptAnything"}]}');
  for (const name of ['passwd', 'group', 'shadow']) {
    const own = { passwd: PASSWD, group: '', shadow: 'claude:*:1::::::\n' }[name] ?? '';
    await writeFile(join(folder, 'etc', name), own + (await readFile(join('/etc', name), 'utf8')), { mode: 0o644 });
  }
  const lines = Object.entries(mounts).map(([place, source]) => `${place}\t${source}\n`);
  await writeFile(join(folder, 'mounts'), lines.join(''));
  await writeFile(join(folder, 'opt/bin/node'), '');
  await symlink('../lib/devcontainers-cli/devcontainer.js', join(folder, 'opt/bin/devcontainer'));
  const ssh = join(folder, 'opt/ssh');
  await writeFile(join(ssh, 'sshd_config'), sshdConfig(env));
  await writeFile(join(ssh, 'hostname'), 'csm-vm');
  for (const type of ['ed25519', 'rsa']) keygen(join(ssh, `host_${type}`), type);
  // The key is the gateway's; only its public half belongs on the VM.
  keygen(join(folder, 'key'), 'ed25519');
  await run('cp', [join(folder, 'key.pub'), join(ssh, 'authorized_keys')]);
}
