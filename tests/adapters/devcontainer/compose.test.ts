// @limit 300
// Real podman behind its Docker socket, the real docker-compose and the real devcontainer CLI.
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
    'docker-compose',
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

composeTests.run();
