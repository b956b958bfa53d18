// @limit 480
// The VM's disk: what is ours and was not used for long goes by itself; what is used, or anybody else's, stays; and before the
// disk is full the operators hear of it.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type InboxItem, silentLog } from '../../../src/actors/index.ts';
import { pruneDisk } from '../../../src/flows/vmWorkspace/disk.ts';
import { mainCheckout, stateRoot } from '../../../src/flows/vmWorkspace/ports.ts';
import { pruneCheckouts } from '../../../src/flows/vmWorkspace/unusedCheckouts.ts';
import { keepVmInOrder } from '../../../src/flows/vmWorkspace/upkeep.ts';
import { IMAGE } from '../../adapters/devcontainer/machine.ts';
import { alone } from '../../support/alone.ts';
import { startWorld, type World } from './world.ts';

alone();

const test = suite<{ world: World }>("the VM's disk");
test.before(async (context) => {
  context.world = await startWorld();
});
test.after(async ({ world }) => world?.close());

const KEEP_DAYS = 90;
const CONFIG = '.devcontainer/devcontainer.json';
const live = new AbortController().signal;
const repoOf = (name: string) => ({ repo: `acme/${name}`, source: '', branch: '' });

function age(path: string): void {
  execFileSync('touch', ['--no-dereference', '--date', '100 days ago', path]);
}

/** As if nothing had been used for a hundred days. */
function ageNotes({ ports }: World, folder: 'used' | 'origins'): void {
  const place = join(stateRoot(ports), folder);
  for (const name of readdirSync(place)) age(join(place, name));
}

async function names({ machine }: World, kind: 'image' | 'volume'): Promise<string[]> {
  const format = kind === 'image' ? '{{.Repository}}:{{.Tag}}' : '{{.Name}}';
  return (await machine.podman(kind, 'ls', '--format', format)).split('\n').filter((name) => name !== '');
}

function dockerfile(more: object = {}) {
  const config = { build: { dockerfile: 'Dockerfile' }, remoteUser: 'root', ...more };
  return { [CONFIG]: JSON.stringify(config), '.devcontainer/Dockerfile': `FROM ${IMAGE}\nRUN true\n` };
}

test('images and volumes of ours go when they were not used for long; used ones and others stay', async ({ world }) => {
  const { machine, ports } = world;
  const data = { mounts: ['source=data,target=/data,type=volume'] };
  world.repository('left', dockerfile(data));
  world.repository('used', dockerfile(data));
  const [before, beforeVolumes] = [await names(world, 'image'), await names(world, 'volume')];
  await world.bringUp('left');
  const left = {
    images: (await names(world, 'image')).filter((name) => !before.includes(name)),
    volumes: (await names(world, 'volume')).filter((name) => !beforeVolumes.includes(name)),
  };
  assert.is(left.images.length, 1, left.images.join());
  assert.is(left.volumes.length, 2, 'the home of its agents, and its own');
  await world.bringUp('used');
  await machine.podman('tag', IMAGE, 'localhost/vsc-of-a-person:latest');
  await machine.podman('volume', 'create', 'csm-of-a-person');
  await world.step('workspace.remove', 'left');
  const all = { images: await names(world, 'image'), volumes: await names(world, 'volume') };

  await pruneDisk(ports, KEEP_DAYS, live);
  assert.equal(await names(world, 'image'), all.images, 'nothing is old yet');
  assert.equal(await names(world, 'volume'), all.volumes);

  ageNotes(world, 'used');
  for (let times = 0; times < 2; times += 1) await pruneDisk(ports, KEEP_DAYS, live);
  assert.equal((await names(world, 'image')).sort(), all.images.filter((name) => !left.images.includes(name)).sort());
  assert.equal(
    (await names(world, 'volume')).sort(),
    all.volumes.filter((name) => !left.volumes.includes(name)).sort(),
  );
  // It was there a moment ago, however long it is that it was made.
  await world.step('workspace.remove', 'used');
  const unused = await names(world, 'volume');
  await pruneDisk(ports, KEEP_DAYS, live);
  assert.equal(await names(world, 'volume'), unused);
  const noted = readdirSync(join(stateRoot(ports), 'used')).join();
  for (const name of [...left.images, ...left.volumes]) assert.not(noted.includes(name.replaceAll('/', '%')), name);
});

test('an image whose name the next build has taken goes too, unless somebody has given it another name', async ({
  world,
}) => {
  const { machine, ports } = world;
  const files = (step: string) => ({
    [CONFIG]: JSON.stringify({ build: { dockerfile: 'Dockerfile' }, remoteUser: 'root' }),
    '.devcontainer/Dockerfile': `FROM ${IMAGE}\nRUN echo ${step} >/step\n`,
  });
  const imageOf = async (name: string, generation: number): Promise<string> => {
    const { containerId } = await world.bringUp(name, generation);
    return (await machine.podman('container', 'inspect', '--format', '{{.Image}}', containerId)).trim();
  };
  const made: string[][] = [];
  for (const name of ['rebuilt', 'renamed']) {
    world.repository(name, files(`first-${name}`));
    const first = await imageOf(name, 1);
    if (name === 'renamed') await machine.podman('tag', first, 'localhost/of-a-person:1');
    writeFileSync(
      join(mainCheckout(ports, repoOf(name)), '.devcontainer/Dockerfile'),
      `FROM ${IMAGE}\nRUN echo ${name}\n`,
    );
    made.push([first, await imageOf(name, 2)]);
    await world.step('workspace.remove', name, { generation: 2 });
  }
  ageNotes(world, 'used');
  for (let times = 0; times < 2; times += 1) await pruneDisk(ports, KEEP_DAYS, live);
  const isThere = (id: string) =>
    machine.podman('image', 'exists', id).then(
      () => true,
      () => false,
    );
  const left = await Promise.all(made.map((pair) => Promise.all(pair.map(isThere))));
  assert.equal(left, [
    [false, false],
    [true, false],
  ]);
});

test('what a compose project builds is noted, service by service', async ({ world }) => {
  const service = ['build: .', 'command: sleep 100000', 'network_mode: none', 'volumes: ["data:/data"]'];
  world.repository('composed', {
    [CONFIG]: JSON.stringify({ dockerComposeFile: 'compose.yml', service: 'app', workspaceFolder: '/' }),
    '.devcontainer/Dockerfile': `FROM ${IMAGE}\nRUN true\n`,
    '.devcontainer/compose.yml': [
      'version: "3.8"',
      'services:',
      ...['app', 'side'].flatMap((name) => [`  ${name}:`, ...service.map((line) => `    ${line}`)]),
      'volumes:',
      '  data:',
    ].join('\n'),
  });
  const before = [...(await names(world, 'image')), ...(await names(world, 'volume'))];
  await world.bringUp('composed');
  const made = [...(await names(world, 'image')), ...(await names(world, 'volume'))].filter(
    (name) => !before.includes(name),
  );
  await world.step('workspace.remove', 'composed');
  ageNotes(world, 'used');
  await pruneDisk(world.ports, KEEP_DAYS, live);
  const now = [...(await names(world, 'image')), ...(await names(world, 'volume'))];
  assert.ok(made.length >= 4, made.join());
  assert.equal(
    made.filter((name) => now.includes(name)),
    [],
  );
});

test('mirrors and what is left of removed checkouts go when they are old, and a mirror comes back when needed', async ({
  world,
}) => {
  const { ground, ports } = world;
  world.repository('mirrored', { 'README.md': '# Mirrored\n' });
  await world.step('workspace.mirror', 'mirrored');
  const mirror = join(ground.repos, '.mirrors/local/acme/mirrored.git');
  const scratch = join(ground.worktrees, '.csm');
  const [gone, half, fresh] = ['a.gone-1', 'begun', 'fresh'];
  for (const name of [gone, half, fresh]) mkdirSync(join(scratch, name, 'inner'), { recursive: true });
  for (const name of [gone, half]) age(join(scratch, name));
  await pruneDisk(ports, KEEP_DAYS, live);
  assert.ok(existsSync(mirror));
  assert.equal(readdirSync(scratch), [fresh]);
  age(mirror);
  await pruneDisk(ports, KEEP_DAYS, live);
  assert.not(existsSync(mirror));
  assert.ok(existsSync(join(mainCheckout(ports, repoOf('mirrored')), 'README.md')), 'its checkouts are their own');
  await world.step('workspace.mirror', 'mirrored', { fresh: false });
  assert.ok(existsSync(mirror));
});

test('a main checkout goes when it was not used for long and holds nothing of its own', async ({ world }) => {
  const { ports } = world;
  const config = JSON.stringify({ image: IMAGE, remoteUser: 'vscode' });
  const fates = ['clean', 'dirty', 'alive'] as const;
  for (const name of fates) {
    world.repository(`co-${name}`, { [CONFIG]: config });
    await world.bringUp(`co-${name}`);
    await world.step('workspace.remove', `co-${name}`);
  }
  const place = (name: string) => mainCheckout(ports, repoOf(`co-${name}`));
  writeFileSync(join(place('dirty'), 'work.txt'), 'of an agent');
  const prune = () =>
    pruneCheckouts({ ...ports, log: silentLog }, KEEP_DAYS, async ({ repo }) => repo === 'acme/co-alive', live);
  await prune();
  for (const name of fates) assert.ok(existsSync(place(name)), `${name} is not old yet`);
  ageNotes(world, 'origins');
  await prune();
  assert.equal(
    fates.map((name) => existsSync(place(name))),
    [false, true, true],
  );
  await prune();
  assert.ok(existsSync(join(place('dirty'), 'work.txt')));
});

test('when the rest cannot be done, as on a full disk, people are told of the disk all the same', async ({ world }) => {
  const { ground, ports } = world;
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=10m', 'csm-test', ground.worktrees]);
  try {
    writeFileSync(join(ground.worktrees, 'ballast'), Buffer.alloc(9.6 * 1024 ** 2));
    const over = new AbortController();
    const told: InboxItem[] = [];
    const deliver = async (items: readonly InboxItem[]) => {
      told.push(...items);
      over.abort();
      return items.map(() => 'accepted' as const);
    };
    let rounds = 0;
    const known = async () => {
      rounds += 1;
      // Without this a failed test would never end.
      if (rounds > 20) over.abort();
      throw new Error('the container runtime says: no space left on device');
    };
    const upkeep = { ...ports, runtime: { deliver }, known, keepDays: KEEP_DAYS, log: silentLog };
    await keepVmInOrder({ ...upkeep, now: Date.now, everyMs: 1 }, over.signal);
    assert.match(String(told[0]?.event.text), /disk of the VM is 9\d % full/);
  } finally {
    execFileSync('umount', [ground.worktrees]);
  }
});

test('a checkout that cannot be dealt with keeps none of the others', async ({ world }) => {
  const { ports } = world;
  const names = ['odd', 'fine'];
  for (const name of names) {
    world.repository(`one-${name}`, { [CONFIG]: JSON.stringify({ image: IMAGE, remoteUser: 'vscode' }) });
    await world.bringUp(`one-${name}`);
    await world.step('workspace.remove', `one-${name}`);
  }
  ageNotes(world, 'origins');
  const place = (name: string) => mainCheckout(ports, repoOf(`one-${name}`));
  // Somebody has moved it elsewhere and left a link.
  rmSync(place('odd'), { recursive: true });
  symlinkSync('/tmp', place('odd'));
  await pruneCheckouts({ ...ports, log: silentLog }, KEEP_DAYS, async () => false, live);
  assert.ok(existsSync(place('odd')));
  assert.not(existsSync(place('fine')));
});

test('all of this happens by itself, and a nearly full disk is told of, once a day', async ({ world }) => {
  const { ground, ports } = world;
  // A small disk, in this test's own mount namespace.
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=10m', 'csm-test', ground.worktrees]);
  try {
    writeFileSync(join(ground.worktrees, 'ballast'), Buffer.alloc(9.6 * 1024 ** 2));
    ageNotes(world, 'used');
    world.repository('kept-in-order', { [CONFIG]: JSON.stringify({ image: IMAGE, remoteUser: 'root' }) });
    await world.step('workspace.mirror', 'kept-in-order');
    age(join(ground.repos, '.mirrors/local/acme/kept-in-order.git'));
    const told: InboxItem[] = [];
    const over = new AbortController();
    const deliver = async (items: readonly InboxItem[]) => {
      told.push(...items);
      if (told.length >= 2) over.abort();
      return items.map(() => 'accepted' as const);
    };
    const upkeep = { ...ports, runtime: { deliver }, known: async () => [], keepDays: KEEP_DAYS, log: silentLog };
    await keepVmInOrder({ ...upkeep, now: () => 86_400_000 * 20_000, everyMs: 1 }, over.signal);
    assert.is(new Set(told.map(({ dedupKey }) => dedupKey)).size, 1);
    assert.match(String(told[0]?.event.text), /disk of the VM is 9\d % full/);
    assert.is(told[0]?.to, 'gateway/root');
    assert.not(existsSync(join(ground.repos, '.mirrors/local/acme/kept-in-order.git')));
  } finally {
    execFileSync('umount', [ground.worktrees]);
  }
});

test.run();
