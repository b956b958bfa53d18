// @limit 300
// The VM of tests is what it claims to be, and nothing of it stays behind.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../../src/actors/index.ts';
import { connectVm } from '../../../src/adapters/ssh/index.ts';
import { until } from '../sshd.ts';
import { STOCK, WITH_NODE } from './images.ts';
import { sweep } from './slots.ts';
import { startVm, type Vm } from './vm.ts';

const test = suite<{ vm: Vm }>('vm');

test.before(async (context) => {
  context.vm = await startVm();
});
test.after(async ({ vm }) => vm?.close());

const ssh = (vm: Vm) =>
  connectVm({
    host: vm.address,
    port: 22,
    user: vm.user,
    key: { text: vm.key },
    hostKey: { pins: [{ fingerprint: vm.fingerprint }] },
    log: silentLog,
    times: { firstBackoffMs: 50, maxBackoffMs: 200, graceSeconds: 1 },
  });

test('who logs in has a home, Node, podman and the devcontainer CLI', async ({ vm }) => {
  const connection = ssh(vm);
  try {
    const script = 'id -un; echo $HOME; node --version; devcontainer --version; podman --version';
    const { stdout } = await connection.exec({ script }, { timeoutMs: 60_000 });
    const [user, home, node, cli, podman] = stdout.split('\n');
    assert.equal([user, home, node], ['claude', '/home/claude', process.version]);
    assert.match(cli ?? '', /^0\./);
    assert.match(podman ?? '', /^podman version/);
  } finally {
    await connection.close();
  }
});

test('nothing but its own disk can be written to', async ({ vm }) => {
  for (const folder of ['/', '/etc', '/usr', '/var/lib', '/opt/images', import.meta.dirname]) {
    assert.match(await vm.sh('touch "$1/mark"', folder).catch(String), /Read-only|No such file/, folder);
  }
  assert.is(
    await vm.sh('for folder in ~ ~/repos ~/worktrees /root /tmp /var/tmp /run; do touch $folder/mark; done'),
    '',
  );
});

test('containers start from the prepared images; the stock one has no Node', async ({ vm }) => {
  const ask = (image: string, script: string) =>
    vm.podman('run', '--rm', '--network=none', image, 'bash', '-c', script);
  assert.match(await ask(STOCK, 'git --version; id -un vscode; command -v node || echo none'), /vscode\nnone/);
  assert.is((await ask(WITH_NODE, 'node --version')).trim(), process.version);
});

test('a container reaches this machine through the cable and nothing beyond it', async ({ vm }) => {
  const server = createServer((_, response) => response.end('hello')).listen(0, vm.hostAddress);
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const dial = (host: string) =>
    vm.podman(
      ...['run', '--rm', '--network=isolated', WITH_NODE, 'bash', '-c'],
      `(exec 3<>/dev/tcp/${host} && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3) 2>&1; true`,
    );
  try {
    assert.match(await dial(`${vm.hostAddress}/${port}`), /hello$/);
    assert.match(await dial('192.0.2.1/443'), /unreachable/i);
  } finally {
    server.close();
  }
});

test('a reboot ends all that runs and keeps what is on its disks', async ({ vm }) => {
  await vm.sh('echo kept > repos/kept; echo kept > kept');
  const id = (await vm.podman('run', '--detach', '--network=isolated', STOCK, 'sleep', '4711')).trim();
  const sleeps = async () => (await vm.processes()).includes('sleep 4711');
  await until('it runs', sleeps);
  const boot = () => vm.sh('cat /proc/sys/kernel/random/boot_id');
  const earlier = await boot();
  await vm.reboot();
  assert.is.not(await boot(), earlier);
  assert.not.ok(await sleeps());
  assert.equal(await vm.containers(), [id]);
  assert.is((await vm.podman('inspect', '--format', '{{.State.Running}}', id)).trim(), 'false');
  await vm.podman('start', id);
  await until('it runs again', sleeps);
  assert.is(await vm.sh('cat repos/kept kept'), 'kept\nkept');
  await vm.podman('rm', '--force', '--time=0', id);
});

test('sshd comes back after a restart, which cuts every connection', async ({ vm }) => {
  const connection = ssh(vm);
  try {
    const lost = connection.exec({ script: 'sleep 1000' }, { timeoutMs: 60_000 }).catch((error: unknown) => error);
    await until('the command runs', async () => (await vm.processes()).includes('sleep 1000'));
    await vm.restartSshd();
    assert.instance(await lost, Error);
    assert.is((await connection.exec({ script: 'echo back' }, { timeoutMs: 60_000 })).stdout, 'back\n');
  } finally {
    await connection.close();
  }
});

test('the disk for repositories fills up and has room again', async ({ vm }) => {
  await vm.fillDisk(1_000);
  const write = () => vm.sh('head -c 100000 /dev/zero > repos/more').catch((error: unknown) => String(error));
  assert.match(await write(), /No space left/);
  await vm.freeDisk();
  assert.is(await write(), '');
});

test('traces of a text are found in files, arguments and environments', async ({ vm }) => {
  assert.equal(await vm.traces('a-text-to-be-found'), []);
  await vm.sh('echo a-text-to-be-found >/tmp/trace');
  const id = await vm.foreignContainer(STOCK, '--env=TRACE=a-text-to-be-found');
  const found = await vm.traces('a-text-to-be-found');
  assert.ok(found.includes('/tmp/trace') && found.some((path) => path.endsWith('/environ')), found.join(' '));
  await vm.podman('rm', '--force', '--time=0', id);
});

test('a stranger holds a port until it is let go', async ({ vm }) => {
  const letGo = await vm.takePort(50_051);
  const listening = () => vm.sh('ss -Hltn "sport = :50051"');
  assert.match(await listening(), /50051/);
  await letGo();
  assert.is(await listening(), '');
});

test('nothing is left of a VM whose test was killed', async () => {
  const script = [
    `const { startVm } = await import(${JSON.stringify(fileURLToPath(new URL('vm.ts', import.meta.url)))});`,
    `const { STOCK } = await import(${JSON.stringify(fileURLToPath(new URL('images.ts', import.meta.url)))});`,
    'const vm = await startVm();',
    "const id = await vm.foreignContainer(STOCK, '--env=MARK=left');",
    'console.log(JSON.stringify({ id, folder: vm.folder, address: vm.address }));',
    'await new Promise(() => setInterval(() => {}, 1000));',
  ].join('\n');
  const killed = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((resolve) => killed.stdout.once('data', (data) => resolve(String(data))));
  const { id, folder, address } = JSON.parse(line) as { id: string; folder: string; address: string };
  const groups = () => execFileSync('find', ['/sys/fs/cgroup', '-name', `libpod*${id}`], { encoding: 'utf8' });
  assert.is.not(groups(), '');
  killed.kill('SIGKILL');
  await until(
    'its interface is gone',
    () => !execFileSync('ip', ['-o', 'address'], { encoding: 'utf8' }).includes(folderNet(address)),
  );
  const processes = execFileSync('ps', ['-ww', '-eo', 'args='], { encoding: 'utf8' });
  assert.not.match(processes, new RegExp(`${id}|${folder}/`));
  assert.not.match(execFileSync('cat', ['/proc/mounts'], { encoding: 'utf8' }), new RegExp(`${folder}/`));
  await sweep();
  assert.is(existsSync(folder), false);
  assert.is(groups(), '');
});

/** The part of the address that both ends of the cable share. */
function folderNet(address: string): string {
  return address.replace(/\d+$/, '');
}

test('closing leaves nothing', async () => {
  const vm = await startVm();
  await vm.foreignContainer(STOCK);
  const { folder, address } = vm;
  await vm.close();
  assert.is(existsSync(folder), false);
  assert.not.match(execFileSync('ip', ['-o', 'address'], { encoding: 'utf8' }), new RegExp(folderNet(address)));
  assert.not.match(execFileSync('ps', ['-ww', '-eo', 'args='], { encoding: 'utf8' }), new RegExp(`${folder}/`));
});

test.run();
