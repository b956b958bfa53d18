// @limit 240
// At which bridges of the VM containers are, on real podman, asked by its own program and by Docker's.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bridgesOf, type Shell } from '../../../src/adapters/devcontainer/index.ts';
import { alone } from '../../support/alone.ts';
import { IMAGE, type Machine, startMachine } from './machine.ts';
import { failure } from './project.ts';

alone();

const test = suite<{ machine: Machine }>('networks of containers');
test.before(async (context) => {
  context.machine = await startMachine({}, { compose: true });
});
test.after(async ({ machine }) => machine?.remove());

const create = async ({ podman }: Machine, ...options: string[]) =>
  (await podman('create', ...options, IMAGE, 'sleep', '1000')).trim();

test('a container is where its networks are, whether it runs, has ended or never began', async ({ machine }) => {
  const { podman, shell } = machine;
  const host = { shell, runtime: 'podman' as const };
  await podman('network', 'create', 'further');
  const bridge = async (name: string) => JSON.parse(await podman('network', 'inspect', name))[0].network_interface;
  const [isolated, further] = [await bridge('isolated'), await bridge('further')];
  assert.is.not(isolated, further);

  const one = await create(machine, '--network=isolated');
  const both = await create(machine, '--network=isolated', '--network=further');
  assert.equal(await bridgesOf(host, [one]), [isolated]);
  assert.equal([...(await bridgesOf(host, [one, both]))].sort(), [isolated, further].sort());
  await podman('start', both);
  assert.equal([...(await bridgesOf(host, [both]))].sort(), [isolated, further].sort());
  await podman('kill', both);
  await podman('wait', both);
  assert.equal([...(await bridgesOf(host, [both]))].sort(), [isolated, further].sort());

  const shared = await create(machine, `--network=container:${one}`);
  const [alone, loud] = [await create(machine, '--network=none'), await create(machine, '--network=host')];
  assert.equal(await bridgesOf(host, [one, shared, alone]), [isolated]);
  assert.equal(await bridgesOf(host, [one, loud]), [isolated, '(host)']);
  assert.match((await bridgesOf(host, [shared])).join(), /^(podman\d+|\(container:[0-9a-f]{64}\))$/);
  assert.equal(await bridgesOf(host, []), []);
  await podman('rm', '--force', shared, alone);
  assert.match((await failure(bridgesOf(host, [one, alone]))).code, /^CONTAINER_/);
});

test('as Docker says it, a bridge has the name in its options or one made of its id; other drivers have none', async () => {
  const id = 'f'.repeat(64);
  const unasked = async (): Promise<never> => {
    throw new Error('nobody asks for files');
  };
  const answering = (networks: object[]): Shell => ({
    readFile: unasked,
    writeFile: unasked,
    exec: async (command) => ({
      code: 0,
      stderr: '',
      signal: null,
      truncated: false,
      stdout: JSON.stringify(
        Array.isArray(command) && command[1] === 'network'
          ? networks
          : [{ Id: id, HostConfig: { NetworkMode: 'x' }, NetworkSettings: { Networks: { x: {} } } }],
      ),
    }),
  });
  const seen = (network: object) =>
    bridgesOf({ shell: answering([{ Name: 'x', Id: 'a'.repeat(64), ...network }]), runtime: 'docker' }, [id]);
  assert.equal(await seen({ Driver: 'bridge', Options: {} }), ['br-aaaaaaaaaaaa']);
  assert.equal(await seen({ Driver: 'bridge', Options: { 'com.docker.network.bridge.name': 'agents0' } }), ['agents0']);
  assert.equal(await seen({ Driver: 'macvlan', Options: { parent: 'eth0' } }), ['(macvlan x)']);
  assert.is((await failure(seen({ Driver: 7 }))).code, 'CONTAINER_NETWORKS');
});

test.run();
