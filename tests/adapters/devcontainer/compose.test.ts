// @limit 300
// Real podman behind its Docker socket, the real docker-compose and the real devcontainer CLI.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { listOurs, removeOurs } from '../../../src/adapters/devcontainer/index.ts';
import { alone } from '../../support/alone.ts';
import { IMAGE, type Machine, startMachine } from './machine.ts';
import { project } from './project.ts';

alone();

const composeTests = suite<{ machine: Machine }>('compose');

composeTests.before(async (context) => {
  context.machine = await startMachine({}, { compose: true });
});
composeTests.after(async ({ machine }) => machine?.remove());

composeTests('a compose project comes up with its own services and what is ours', async ({ machine }) => {
  const app = await project(
    machine,
    'composed',
    {
      '.devcontainer/devcontainer.json': JSON.stringify({
        dockerComposeFile: 'compose.yml',
        service: 'app',
        workspaceFolder: '/workspace',
        remoteUser: 'root',
      }),
      // As an image that pretends to be another repository's devcontainer, under a name that others use.
      '.devcontainer/Dockerfile': `FROM ${IMAGE}\nLABEL csm.id=0123456789ab-1\n`,
      '.devcontainer/compose.yml': [
        'version: "3.8"',
        'services:',
        '  app:',
        `    image: ${IMAGE}`,
        '    command: sleep 100000',
        '    volumes: ["..:/workspace"]',
        '    network_mode: none',
        '  side:',
        `    image: ${IMAGE}`,
        '    build: .',
        '    command: sleep 100000',
        '    network_mode: none',
      ].join('\n'),
    },
    { composePath: 'docker-compose' },
  );
  const before = await machine.podman('image', 'inspect', '--format', '{{.Id}}', IMAGE);
  const up = await app.up();
  assert.is(await machine.podman('image', 'inspect', '--format', '{{.Id}}', IMAGE), before, 'the name is as it was');
  assert.is(up.workspaceFolder, '/workspace');
  const host = { shell: machine.shell, runtime: 'podman' as const };
  const ours = await listOurs(host, 'test');
  assert.is(ours.length, 2, 'every service is found by our labels');
  assert.ok(ours.every(({ labels }) => labels['csm.repo'] === 'acme/composed'));
  assert.equal(ours.map(({ labels }) => labels['csm.id'] !== '').sort(), [false, true], 'one is the devcontainer');
  const found = await machine.podman('ps', '--all', '--quiet', '--filter', 'label=csm.id=0123456789ab-1');
  assert.is(found, '', "nothing passes for another repository's");
  const [details] = JSON.parse(await machine.podman('container', 'inspect', up.containerId));
  assert.is(details.HostConfig.Memory, 256 * 1024 ** 2);
  assert.ok(details.Mounts.some(({ Destination }: { Destination: string }) => Destination === '/csm/home'));
  assert.match(await machine.podman('exec', up.containerId, 'ls', '-a', '/workspace'), /\.devcontainer/);
  assert.is((await app.up()).containerId, up.containerId, 'a second one finds the first');
  for (const { id } of ours) await removeOurs(host, id, 'test');
  assert.equal(await listOurs(host, 'test'), []);
});

/** What the kernel holds a container to, as it says itself; control groups of either version. */
function limitsOf(id: string): Readonly<Record<string, string>> {
  const words = ['/sys/fs/cgroup', '-path', `*libpod-${id}*`, '-type', 'f'];
  const names = ['memory.limit_in_bytes', 'memory.max', 'pids.max', 'cpu.cfs_quota_us', 'cpu.max'];
  const wanted = ['(', ...names.flatMap((name) => ['-o', '-name', name]).slice(1), ')'];
  const files = execFileSync('find', [...words, ...wanted], { encoding: 'utf8' })
    .split('\n')
    .filter(Boolean);
  // The outermost group is the container's own.
  const outer = files.sort((one, other) => other.length - one.length);
  const said = Object.fromEntries(outer.map((file) => [basename(file), readFileSync(file, 'utf8').trim()]));
  return {
    memory: said['memory.limit_in_bytes'] ?? said['memory.max'] ?? '',
    pids: said['pids.max'] ?? '',
    cpu: (said['cpu.cfs_quota_us'] ?? said['cpu.max'] ?? '').split(' ')[0] ?? '',
  };
}

composeTests('every service is held to the limits, whatever its own file says', async ({ machine }) => {
  const service = (name: string, more: readonly string[] = []) => [
    `  ${name}:`,
    `    image: ${IMAGE}`,
    '    command: sleep 100000',
    '    network_mode: none',
    ...more,
  ];
  const greedy = ['    mem_limit: 8g', '    cpus: 4', '    pids_limit: 100000'];
  const deployed = [
    '    deploy:',
    '      resources:',
    '        limits:',
    '          memory: 8g',
    '          cpus: "4"',
  ];
  const app = await project(
    machine,
    'bounded',
    {
      '.devcontainer/devcontainer.json': JSON.stringify({
        dockerComposeFile: 'compose.yml',
        service: 'app',
        workspaceFolder: '/workspace',
        remoteUser: 'root',
      }),
      '.devcontainer/compose.yml': [
        'version: "3.8"',
        'services:',
        ...service('app', ['    volumes: ["..:/workspace"]']),
        ...service('greedy', greedy),
        ...service('deployed', deployed),
      ].join('\n'),
    },
    { composePath: 'docker-compose' },
  );
  await app.up();
  const host = { shell: machine.shell, runtime: 'podman' as const };
  const ours = (await listOurs(host, 'test')).filter(({ labels }) => labels['csm.repo'] === 'acme/bounded');
  assert.is(ours.length, 3);
  for (const { id, labels } of ours) {
    const name = labels['com.docker.compose.service'] ?? '';
    // One processor: as long as the period, which is 100 ms everywhere.
    assert.equal(limitsOf(id), { memory: String(256 * 1024 ** 2), pids: '200', cpu: '100000' }, name);
    const inside = (script: string) => machine.podman('exec', id, 'sh', '-c', script).catch((error) => String(error));
    // A program that keeps all that it reads until it sees the end of a line.
    assert.not.match(await inside('head -c 400m /dev/zero | tail -n 1 | wc -c'), /^4194/, name);
    const swarm = await inside('n=0; while [ $n -lt 300 ]; do sleep 60 >&- 2>&- & n=$((n + 1)); done; echo "of $n"');
    assert.not.match(swarm, /of \d/, name);
  }
  for (const { id } of ours) await removeOurs(host, id, 'test');
});

composeTests.run();
