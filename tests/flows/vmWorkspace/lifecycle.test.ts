// @limit 480
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the devcontainer CLI
// A container from its repository to its end, step by step, on real parts; every step also twice and in bad company.
import { existsSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { failureOf, RetryableError, silentLog } from '../../../src/actors/index.ts';
import { keyOf } from '../../../src/adapters/devcontainer/index.ts';
import { mainCheckout, portsFolder, stateFolder, stateRoot } from '../../../src/flows/vmWorkspace/ports.ts';
import { sweep } from '../../../src/flows/vmWorkspace/sweep.ts';
import { IMAGE } from '../../adapters/devcontainer/machine.ts';
import { alone } from '../../support/alone.ts';
import { processesWith, until } from '../../support/sshd.ts';
import { FIRST_PORT, startWorld, type World } from './world.ts';

alone();

const test = suite<{ world: World }>('containers on the VM');
test.before(async (context) => {
  context.world = await startWorld();
});
test.after(async ({ world }) => world?.close());

const CONFIG = '.devcontainer/devcontainer.json';
const DOCKERFILE = '.devcontainer/Dockerfile';
const dockerfile = (more: string) => ({ [DOCKERFILE]: `FROM ${IMAGE}\n${more}\n` });
const config = (more: object = {}) => JSON.stringify({ image: IMAGE, remoteUser: 'root', ...more });

async function ids({ machine }: World, repo: string): Promise<string[]> {
  const words = ['ps', '--all', '--quiet', '--no-trunc', '--filter', `label=csm.repo=acme/${repo}`];
  return (await machine.podman(...words)).split('\n').filter((id) => id !== '');
}

async function refusal(promise: Promise<unknown>) {
  return failureOf(
    await promise.then(
      () => new Error('not refused'),
      (error: unknown) => error,
    ),
  );
}

test('every step may run again: one container, one port, and the same answers', async ({ world }) => {
  world.repository('twice', { [CONFIG]: config({ postCreateCommand: 'echo made >> /made' }) });
  const first = await world.bringUp('twice');
  const again = await world.bringUp('twice');
  assert.equal(again, first);
  assert.equal(await ids(world, 'twice'), [first.containerId]);
  assert.is(await world.machine.podman('exec', first.containerId, 'cat', '/made'), 'made\n');
  assert.match(first.bootId, /^[0-9a-f-]{36}$/);
  assert.is(first.workspaceFolder, '/workspaces/acme-twice'.replace('acme-', ''));
});

test('what the container mounts: its checkout and the worktrees of its repository, nothing more of the VM', async ({
  world,
}) => {
  world.repository('mounts', { [CONFIG]: config() });
  const { containerId } = await world.bringUp('mounts');
  const [details] = JSON.parse(await world.machine.podman('container', 'inspect', containerId));
  const bound: string[] = details.Mounts.flatMap((mount: { Type: string; Source: string; Destination: string }) =>
    mount.Type === 'bind' ? [`${mount.Source} at ${mount.Destination}`] : [],
  );
  assert.equal(
    bound.sort(),
    [
      `${mainCheckout(world.ports, { repo: 'acme/mounts', source: '', branch: '' })} at /workspaces/mounts`,
      `${join(world.ground.worktrees, 'acme/mounts')} at /csm/worktrees`,
    ].sort(),
  );
  const made = await world.step('workspace.checkout', 'mounts', { session: 'session/s', worktree: 'later' });
  assert.is(made.inside, '/csm/worktrees/later');
  assert.match(await world.machine.podman('exec', containerId, 'ls', '/csm/worktrees/later'), /devcontainer|\n|^$/);
  assert.ok(existsSync(join(String(made.path), CONFIG)));
});

test('what has become of it is told apart: its worker, itself, the machine', async ({ world }) => {
  world.repository('fates', { [CONFIG]: config() });
  const machine = await world.bringUp('fates');
  const found = async (more = {}) =>
    (await world.step('workspace.inspect', 'fates', { machine: { ...machine, ...more } })).found;
  assert.is(await found(), 'noWorker');
  await world.machine.podman('stop', '--time', '0', machine.containerId);
  assert.is(await found(), 'stopped');
  assert.is(await found({ bootId: 'of another boot' }), 'rebooted');
  assert.equal(await world.bringUp('fates'), machine, 'it is started again, the same one');
  assert.is(await found(), 'noWorker');
  await world.machine.podman('rm', '--force', '--time', '0', machine.containerId);
  assert.is(await found(), 'gone');
});

test('removed, it leaves its home and nothing else; a second time is harmless', async ({ world }) => {
  world.repository('ends', { [CONFIG]: config() });
  const { port, containerId } = await world.bringUp('ends');
  const [details] = JSON.parse(await world.machine.podman('container', 'inspect', containerId));
  const home = details.Mounts.find((mount: { Destination: string }) => mount.Destination === '/csm/home').Name;
  for (let times = 0; times < 2; times += 1) await world.step('workspace.remove', 'ends');
  assert.equal(await ids(world, 'ends'), []);
  assert.not(existsSync(join(portsFolder(world.ports), String(port))));
  assert.not(existsSync(join(stateRoot(world.ports), details.Config.Labels['csm.key'])));
  assert.match(await world.machine.podman('volume', 'ls', '--quiet'), new RegExp(home));
});

test('a new generation takes the place of the one before, home and all', async ({ world }) => {
  world.repository('anew', { [CONFIG]: config() });
  const first = await world.bringUp('anew', 1);
  const second = await world.bringUp('anew', 2);
  assert.is.not(second.containerId, first.containerId);
  assert.equal(await ids(world, 'anew'), [second.containerId]);
});

test('a folder of the checkout that became a link is not followed when a stopped container starts', async ({
  world,
}) => {
  const mounted = config({ mounts: ['source=${localWorkspaceFolder}/data,target=/data,type=bind'] });
  world.repository('swap', { [CONFIG]: mounted, 'data/file': 'of the repository\n' });
  const before = await world.bringUp('swap');
  const secret = join(world.ground.root, 'of-the-vm');
  mkdirSync(secret, { recursive: true });
  writeFileSync(join(secret, 'file'), 'of the VM\n');
  // As an agent could do it from inside; then it ends its container, and what asks for the mount is gone.
  const checkout = mainCheckout(world.ports, { repo: 'acme/swap', source: '', branch: '' });
  renameSync(join(checkout, 'data'), join(checkout, 'data.before'));
  symlinkSync(secret, join(checkout, 'data'));
  await world.machine.podman('stop', '--time', '0', before.containerId);
  const refused = await refusal(world.step('workspace.vet', 'swap', { machine: before }));
  assert.is(refused.code, 'DEVCONTAINER_REFUSED');
  writeFileSync(join(checkout, CONFIG), config());
  const after = await world.bringUp('swap');
  assert.is.not(after.containerId, before.containerId);
  assert.equal(await ids(world, 'swap'), [after.containerId]);
  assert.is((await refusal(world.machine.podman('exec', after.containerId, 'cat', '/data/file'))).code, 'unexpected');
});

test('no container is made before the walls are what they should be', async ({ world }) => {
  world.repository('walled', { [CONFIG]: config() });
  const before = await world.machine.podman('ps', '--all', '--quiet');
  world.raiseWalls = () => Promise.reject(new RetryableError('NFT', 'nft is not there'));
  try {
    assert.is(failureOf(await world.bringUp('walled').catch((error: unknown) => error)).code, 'NFT');
    assert.is(await world.machine.podman('ps', '--all', '--quiet'), before);
    let there = '';
    world.raiseWalls = async () => {
      there = await world.machine.podman('ps', '--all', '--quiet');
    };
    await world.bringUp('walled');
    assert.is(there, before);
  } finally {
    world.raiseWalls = async () => {};
  }
});

test('what was changed after it was vetted is not brought up', async ({ world }) => {
  world.repository('changed', { [CONFIG]: JSON.stringify({ build: { dockerfile: 'Dockerfile' } }), ...dockerfile('') });
  const standing = await world.vetted('changed');
  const checkout = mainCheckout(world.ports, { repo: 'acme/changed', source: '', branch: '' });
  writeFileSync(join(checkout, '.devcontainer/Dockerfile'), dockerfile('RUN --security=insecure id')[DOCKERFILE] ?? '');
  const refused = await refusal(world.step('workspace.up', 'changed', { machine: standing }));
  assert.is(refused.code, 'DEVCONTAINER_CHANGED');
  assert.match(refused.human, /changed while/);
  assert.equal(await ids(world, 'changed'), []);
});

test('compose files are vetted and used while none of the project runs that could change them', async ({ world }) => {
  const compose = (more: readonly string[] = []) =>
    ['version: "3.8"', 'services:', ...['app', 'side'].flatMap((name) => service(name)), ...more, ''].join('\n');
  const service = (name: string) => [
    `  ${name}:`,
    `    image: ${IMAGE}`,
    '    command: sleep 100000',
    '    network_mode: none',
    '    volumes: ["..:/workspace"]',
  ];
  world.repository('project', {
    [CONFIG]: JSON.stringify({ dockerComposeFile: 'compose.yml', service: 'app', workspaceFolder: '/workspace' }),
    '.devcontainer/compose.yml': compose(),
  });
  const standing = await world.bringUp('project');
  const before = await ids(world, 'project');
  assert.is(before.length, 2);
  // The other service lives on when the devcontainer is stopped, and has the checkout.
  await world.machine.podman('stop', '--time', '0', standing.containerId);
  const again = { ...standing, ...(await world.step('workspace.vet', 'project', { machine: standing })) };
  assert.equal(await ids(world, 'project'), []);
  const file = join(
    mainCheckout(world.ports, { repo: 'acme/project', source: '', branch: '' }),
    '.devcontainer/compose.yml',
  );
  writeFileSync(file, compose(['    privileged: true']));
  assert.is((await refusal(world.step('workspace.up', 'project', { machine: again }))).code, 'DEVCONTAINER_CHANGED');
  assert.equal(await ids(world, 'project'), []);
  assert.is((await refusal(world.step('workspace.vet', 'project', { machine: again }))).code, 'DEVCONTAINER_REFUSED');
  writeFileSync(file, compose());
  const up = await world.step('workspace.up', 'project', { machine: again });
  const after = await ids(world, 'project');
  assert.is(after.length, 2);
  assert.ok(after.includes(String(up.containerId)) && !after.some((id) => before.includes(id)));
});

test("a container that says by its label that it is ours, and by its key that it is another's, is left alone", async ({
  world,
}) => {
  world.repository('posed', { [CONFIG]: config() });
  const key = keyOf({ instance: 'here', repo: 'acme/posed', branch: '', generation: 1 });
  const labels = { 'csm.managed': 'true', 'csm.instance': 'here', 'csm.key': '0123456789ab-9', 'csm.id': key };
  const options = Object.entries(labels).map(([name, value]) => `--label=${name}=${value}`);
  const posing = await world.machine.podman('run', '--detach', '--network=none', ...options, IMAGE, 'sleep', '987654');
  const refused = await refusal(world.bringUp('posed'));
  assert.is(refused.code, 'CONTAINER_NOT_OURS');
  assert.match(await world.machine.podman('ps', '--no-trunc', '--quiet'), new RegExp(posing.trim()));
  await world.machine.podman('rm', '--force', '--time', '0', posing.trim());
});

test('RT-40: a stranger who takes the port meanwhile: nothing is left behind, another port is taken', async ({
  world,
}) => {
  world.repository('port', { [CONFIG]: config() });
  const vetted = await world.vetted('port');
  const { port } = vetted;
  const stranger = createServer().listen(port, '127.0.0.1');
  await new Promise((resolve) => stranger.once('listening', resolve));
  try {
    const taken = await refusal(world.step('workspace.up', 'port', { machine: vetted }));
    assert.is(taken.code, 'PORT_TAKEN');
    assert.equal(await ids(world, 'port'), []);
    const other = await world.step('workspace.reserve', 'port', { avoid: [port] });
    assert.is.not(other.port, port);
    assert.ok(Number(other.port) >= FIRST_PORT);
  } finally {
    stranger.close();
  }
});

test('a build that nobody wants any more is ended, with all that it runs', async ({ world }) => {
  world.repository('endless', { [CONFIG]: config({ postCreateCommand: 'sleep 765432' }) });
  const bringing = refusal(world.bringUp('endless'));
  await until('it runs', () => processesWith('sleep 765432').some((line) => !line.includes('podman')));
  world.actor = {
    ...{ address: 'container/acme/endless@', kind: 'container', status: 'active', version: 2, rev: 9 },
    ...{ value: 'removing', context: { generation: 1 }, tags: [], parent: undefined, wakeAt: undefined },
  } as const;
  try {
    assert.is((await bringing).code, 'NOT_WANTED');
  } finally {
    world.actor = undefined;
  }
  await until('the CLI is gone', () => processesWith('devcontainer').every((line) => !line.includes('acme/endless')));
  await world.step('workspace.remove', 'endless');
  await until('what it ran is gone', () => processesWith('sleep 765432').length === 0);
});

test('RT-38: what nobody knows goes; what a chart knows, other installations and strangers stay', async ({ world }) => {
  world.repository('kept', { [CONFIG]: config() });
  world.repository('orphan', { [CONFIG]: config() });
  const kept = await world.bringUp('kept');
  const orphan = await world.bringUp('orphan');
  const run = async (...labels: string[]) =>
    (await world.machine.podman('run', '--detach', '--network=none', ...labels, IMAGE, 'sleep', '987653')).trim();
  const stranger = await run();
  const likeOurs = await run('--label=csm.managed=true');
  const other = await run(
    ...['--label=csm.managed=true', '--label=csm.instance=another', '--label=csm.key=0123456789ab-1'],
  );
  // What a person has made of a container of ours is theirs.
  await world.machine.podman('commit', '--quiet', orphan.containerId, 'localhost/my-own-copy:1');
  const copy = (
    await world.machine.podman('run', '--detach', '--network=none', 'localhost/my-own-copy:1', 'sleep', '987653')
  ).trim();
  const known = [
    {
      status: 'active',
      value: { running: { guests: 'occupied', health: 'healthy' } },
      context: { repo: { repo: 'acme/kept', source: '', branch: '' }, generation: 1 },
    },
    {
      status: 'active',
      value: 'removed',
      context: { repo: { repo: 'acme/orphan', source: '', branch: '' }, generation: 1 },
    },
  ];
  const live = new AbortController().signal;
  for (let times = 0; times < 2; times += 1)
    await sweep({ ...world.ports, known: async () => known, log: silentLog }, live);
  const left = (await world.machine.podman('ps', '--all', '--quiet', '--no-trunc')).split('\n');
  for (const id of [kept.containerId, stranger, likeOurs, other, copy]) assert.ok(left.includes(id));
  assert.not(left.includes(orphan.containerId));
  assert.ok(existsSync(join(portsFolder(world.ports), String(kept.port))));
  assert.not(existsSync(join(portsFolder(world.ports), String(orphan.port))));
});

test('what is made while it is swept stays, though nobody knew it when that began', async ({ world }) => {
  world.repository('meanwhile', { [CONFIG]: config() });
  const reading = async () => {
    // Between the question and what is done about it, a container comes up.
    standing ??= await world.bringUp('meanwhile');
    return [];
  };
  let standing: Awaited<ReturnType<typeof world.bringUp>> | undefined;
  await sweep({ ...world.ports, known: reading, log: silentLog }, new AbortController().signal);
  const { containerId, port } = standing ?? {};
  assert.ok((await world.machine.podman('ps', '--quiet', '--no-trunc')).includes(String(containerId)));
  assert.ok(existsSync(join(portsFolder(world.ports), String(port))));
  const of = { container: 'container/acme/meanwhile@' as const, generation: 1 };
  const folder = stateFolder(world.ports, { ...of, repo: { repo: 'acme/meanwhile', source: '', branch: '' } });
  assert.ok(existsSync(folder));
});

test.run();
