// @limit 300
// The same with Docker's own program: its options, its words, its errors. What answers it is Podman's service, which speaks
// Docker's protocol.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  findWorker,
  inspectOurs,
  isFromCopy,
  listOurs,
  readImageLabels,
  removeOurs,
  runInLookout,
} from '../../../src/adapters/devcontainer/index.ts';
import { alone } from '../../support/alone.ts';
import { IMAGE, type Machine, startMachine } from './machine.ts';
import { failure, project } from './project.ts';

alone();

const test = suite<{ machine: Machine }>('with the docker program');
const live = new AbortController().signal;

test.before(async (context) => {
  context.machine = await startMachine({}, { compose: true });
});
test.after(async ({ machine }) => machine?.remove());

test('a repository comes up with its limits and labels, is found, stopped, started and removed', async ({
  machine,
}) => {
  const app = await project(
    machine,
    'whale',
    {
      '.devcontainer/devcontainer.json': JSON.stringify({
        build: { dockerfile: 'Dockerfile' },
        remoteUser: 'root',
        postCreateCommand: 'echo made >/made',
      }),
      '.devcontainer/Dockerfile': `FROM ${IMAGE}\nRUN echo built >/built\n`,
    },
    { runtime: 'docker' },
  );
  const up = await app.up();
  const host = { shell: machine.shell, runtime: 'docker' as const };
  const [ours, ...more] = await listOurs(host, 'test');
  assert.equal(more, []);
  assert.is(ours?.id, up.containerId);
  assert.ok(ours?.running);
  assert.equal(ours?.mounts, [{ source: app.checkout, target: '/workspaces/whale' }]);
  assert.equal(
    ours?.published.map(({ address }) => address),
    ['127.0.0.1'],
  );
  assert.is(await machine.podman('exec', up.containerId, 'cat', '/built', '/made'), 'built\nmade\n');
  const [details] = JSON.parse(await machine.podman('container', 'inspect', up.containerId));
  assert.is(details.HostConfig.Memory, 256 * 1024 ** 2);
  assert.is(details.HostConfig.PidsLimit, 200);
  assert.is(details.HostConfig.NanoCpus, 1_000_000_000);
  assert.ok(ours !== undefined && !(await isFromCopy(host, ours)));
  assert.equal(await findWorker(host, up.containerId, 'nobody'), { running: false, version: '' });

  await machine.podman('stop', '--time', '1', up.containerId);
  assert.is((await inspectOurs(host, up.containerId, 'test'))?.running, false);
  assert.equal(await findWorker(host, up.containerId, 'nobody'), { running: false, version: '' }, 'it does not run');
  await machine.podman('start', up.containerId);
  assert.is((await inspectOurs(host, up.containerId, 'test'))?.running, true);
  await removeOurs(host, up.containerId, 'test');
  assert.is(await inspectOurs(host, up.containerId, 'test'), undefined);
  assert.equal(await findWorker(host, up.containerId, 'nobody'), { running: false, version: '' }, 'it is gone');
  await removeOurs(host, up.containerId, 'test');
});

test('a start command that fails is told, and its container kept', async ({ machine }) => {
  const files = {
    '.devcontainer/devcontainer.json': JSON.stringify({ image: IMAGE, postCreateCommand: 'echo why; exit 3' }),
  };
  const app = await project(machine, 'whale-fails', files, { runtime: 'docker' });
  const { code, human } = await failure(app.up());
  assert.is(code, 'DEVCONTAINER_COMMAND_FAILED');
  assert.match(human, /why/);
});

test("strangers' containers are left alone", async ({ machine }) => {
  const host = { shell: machine.shell, runtime: 'docker' as const };
  const stranger = (await machine.podman('run', '--detach', '--network=none', IMAGE, 'sleep', '1000')).trim();
  assert.is((await failure(removeOurs(host, stranger, 'test'))).code, 'CONTAINER_NOT_OURS');
});

test('what a container has left is looked at behind closed doors', async ({ machine }) => {
  const host = { shell: machine.shell, runtime: 'docker' as const };
  const source = await machine.checkout('whale-left', { 'left.txt': 'left' });
  const lookout = {
    ...{ image: IMAGE, mayFetch: false, user: '65534:65534', keepId: false, workdir: '/csm/checkout' },
    ...{ mount: { source, target: '/csm/checkout' }, limits: { memoryBytes: 256 * 1024 ** 2, pids: 100 } },
  };
  const script = 'cat left.txt; touch here 2>/dev/null && echo wrote; grep -h CapEff /proc/self/status';
  // Podman's service forgets the exit code of what it removes by itself.
  const { stdout } = await runInLookout(host, 'test', lookout, ['sh', '-c', script], live);
  assert.is(stdout.trim(), 'leftCapEff:\t0000000000000000');
  assert.not.match(await machine.podman('ps', '--all', '--format', '{{.Names}}'), /csm-lookout/);
  assert.equal(await readImageLabels(host, [IMAGE, 'localhost/nobody-has-it:1']), []);
});

test.run();
