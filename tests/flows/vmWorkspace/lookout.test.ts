// @limit 480
// Checkouts outlive their containers. What was clean and pushed goes all the same, looked at from a container that is there for
// this alone; git on the VM never reads a tree that a container has seen.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ActorView, failureOf, silentLog } from '../../../src/actors/index.ts';
import { runInLookout } from '../../../src/adapters/devcontainer/index.ts';
import { gitInside } from '../../../src/flows/vmWorkspace/inside.ts';
import { mainCheckout, stateRoot } from '../../../src/flows/vmWorkspace/ports.ts';
import { sweep } from '../../../src/flows/vmWorkspace/sweep.ts';
import type { Machine as Standing } from '../../../src/machines/effects.ts';
import { IMAGE } from '../../adapters/devcontainer/machine.ts';
import { alone } from '../../support/alone.ts';
import { startWorld, type World } from './world.ts';

alone();

const test = suite<{ world: World }>('looking at what a container has left');
test.before(async (context) => {
  context.world = await startWorld();
});
test.after(async ({ world }) => world?.close());

const CONFIG = '.devcontainer/devcontainer.json';
const config = (more: object = {}) => JSON.stringify({ image: IMAGE, remoteUser: 'vscode', ...more });
const live = new AbortController().signal;

/** A worktree of a repository with a container, which has gone. */
async function orphaned(world: World, name: string, more: object = {}): Promise<{ path: string; standing: Standing }> {
  world.repository(name, { [CONFIG]: config(more) });
  const standing = await world.bringUp(name);
  const { path } = await world.step('workspace.checkout', name, { session: 'session/s', worktree: 'work' });
  await world.machine.podman('rm', '--force', '--time', '0', standing.containerId);
  return { path: String(path), standing };
}

/** Whoever is asked about, the session or its container. */
function actor(name: string, machine: Standing): ActorView {
  return {
    ...{ address: 'session/s', kind: 'session', status: 'active', version: 2, rev: 9, value: 'stopping', tags: [] },
    ...{ context: { container: `container/acme/${name}@`, machine }, parent: undefined, wakeAt: undefined },
  };
}

async function tidy(world: World, name: string, standing: Standing) {
  world.actor = actor(name, standing);
  const asked = { session: 'session/s', worktree: 'work', path: '' };
  return world.step('workspace.tidy', name, asked).finally(() => {
    world.actor = undefined;
  });
}

async function containers({ machine }: World): Promise<string[]> {
  return (await machine.podman('ps', '--all', '--quiet', '--no-trunc')).split('\n').filter((id) => id !== '');
}

test('a clean worktree goes though its container has gone, and no container stays behind', async ({ world }) => {
  const { path, standing } = await orphaned(world, 'clean');
  assert.ok(existsSync(path));
  const before = await containers(world);
  assert.is((await tidy(world, 'clean', standing)).kept, '');
  assert.not(existsSync(path));
  assert.equal(await containers(world), before);
});

test('a container that is only stopped stays stopped', async ({ world }) => {
  world.repository('stopped', { [CONFIG]: config() });
  const standing = await world.bringUp('stopped');
  const { path } = await world.step('workspace.checkout', 'stopped', { session: 'session/s', worktree: 'work' });
  await world.machine.podman('stop', '--time', '0', standing.containerId);
  assert.is((await tidy(world, 'stopped', standing)).kept, '');
  assert.not(existsSync(String(path)));
  const words = ['inspect', '--format', '{{.State.Status}}', standing.containerId];
  assert.match(await world.machine.podman(...words), /exited/);
});

test('work in it is kept and named', async ({ world }) => {
  const { path, standing } = await orphaned(world, 'dirty');
  writeFileSync(join(path, 'of the agent.txt'), 'work');
  assert.match(String((await tidy(world, 'dirty', standing)).kept), /uncommitted changes .*of the agent\.txt/);
  assert.ok(existsSync(join(path, 'of the agent.txt')));
});

test('what its git is told to run, runs in there: behind closed doors, and without a trace', async ({ world }) => {
  const { path, standing } = await orphaned(world, 'traps');
  const marks = join(world.ground.root, 'marks');
  mkdirSync(marks, { mode: 0o777 });
  const act = `touch ${join(path, 'ran')} ${join(marks, 'ran')} /csm/worktrees/work/ran; cat`;
  writeFileSync(join(path, '.git/config'), `[filter "evil"]\n\tclean = ${act}\n\tsmudge = ${act}\n`, { flag: 'a' });
  writeFileSync(join(path, '.gitattributes'), '* filter=evil\n');
  writeFileSync(join(path, CONFIG), config({ name: 'changed' }));
  assert.match(String((await tidy(world, 'traps', standing)).kept), /uncommitted changes/);
  assert.equal(readdirSync(marks), []);
  assert.not(existsSync(join(path, 'ran')));
});

test('it has no network, no rights, and nothing of the VM but the folder it looks at', async ({ world }) => {
  world.repository('closed', { [CONFIG]: config() });
  const source = join(world.ground.worktrees, 'acme/closed');
  mkdirSync(join(source, 'work'), { recursive: true });
  const lookout = {
    ...{ image: IMAGE, mayFetch: false, user: 'vscode', keepId: false, workdir: '/csm/worktrees/work' },
    ...{ mount: { source, target: '/csm/worktrees' }, limits: { memoryBytes: 256 * 1024 ** 2, pids: 100 } },
  };
  const script = `
    id -un; pwd; cat /sys/class/net/*/address; grep -h CapEff /proc/self/status; grep -h NoNewPrivs /proc/self/status
    touch here 2>/dev/null && echo wrote; touch /usr/x 2>/dev/null && echo wrote; exit 3`;
  const { code, stdout } = await runInLookout(world.ports.host, 'here', lookout, ['sh', '-c', script], live);
  assert.is(code, 3, 'its exit code is the answer');
  assert.equal(stdout.trim().split(/\s*\n\s*/), [
    ...['vscode', '/csm/worktrees/work', '00:00:00:00:00:00', 'CapEff:\t0000000000000000', 'NoNewPrivs:\t1'],
  ]);
  const missing = { ...lookout, image: `sha256:${'0'.repeat(64)}` };
  const refused = await runInLookout(world.ports.host, 'here', missing, ['true'], live).catch(failureOf);
  assert.is('code' in refused && refused.code, 'LOOKOUT_FAILED');
  const given = new AbortController();
  const before = await containers(world);
  const looking = runInLookout(world.ports.host, 'here', lookout, ['sleep', '876543'], given.signal).catch(failureOf);
  while ((await containers(world)).length === before.length);
  given.abort();
  await looking;
  assert.equal(await containers(world), before, 'given up, it is gone');
});

test('one that was left behind is swept away at once, one whose answer is waited for is not', async ({ world }) => {
  const labels = ['managed=true', 'instance=here', 'lookout=csm-lookout-of-a-gateway-that-has-ended'];
  const words = labels.map((label) => `--label=csm.${label}`);
  const left = (
    await world.machine.podman('run', '--detach', '--network=none', ...words, IMAGE, 'sleep', '876542')
  ).trim();
  const source = join(world.ground.worktrees, 'acme/waits');
  mkdirSync(source, { recursive: true });
  const lookout = {
    ...{ image: IMAGE, mayFetch: false, user: 'vscode', keepId: false, workdir: '/csm/worktrees' },
    ...{ mount: { source, target: '/csm/worktrees' }, limits: { memoryBytes: 0, pids: 0 } },
  };
  const before = await containers(world);
  assert.ok(before.includes(left));
  const given = new AbortController();
  const looking = runInLookout(world.ports.host, 'here', lookout, ['sleep', '876541'], given.signal).catch(failureOf);
  const isThere = async () => (await containers(world)).find((id) => !before.includes(id));
  let waited = await isThere();
  while (waited === undefined) waited = await isThere();
  await sweep({ ...world.ports, known: async () => [], log: silentLog }, live);
  const now = await containers(world);
  assert.not(now.includes(left));
  assert.ok(now.includes(waited));
  given.abort();
  await looking;
});

test('without the image it was used with, the default one looks; with neither, it is kept and said why', async ({
  world,
}) => {
  const { path, standing } = await orphaned(world, 'imageless');
  const origins = join(stateRoot(world.ports), 'origins');
  const gone = JSON.stringify({ image: '0'.repeat(64), user: 'vscode', repo: 'acme/imageless', branch: '' });
  for (const name of readdirSync(origins)) writeFileSync(join(origins, name), gone);
  const { config: settings } = world.ports;
  const container = { ...settings.container, image: 'localhost/nobody-has-it:1' };
  const tree = { repo: { repo: 'acme/imageless', source: '', branch: '' }, machine: undefined, folder: '' };
  const place = { source: join(path, '..'), target: '/csm/worktrees', workdir: '/csm/worktrees/work' };
  const look = gitInside({ ...world.ports, config: { ...settings, container } }, { ...tree, ...place });
  assert.is(failureOf(await look(path, ['status'], live).catch((error: unknown) => error)).code, 'LOOKOUT_FAILED');
  assert.is((await tidy(world, 'imageless', standing)).kept, '');
  assert.not(existsSync(path));
});

test('a Dockerfile that does not build, mended and pushed: the next attempt has it, though no container ever was', async ({
  world,
}) => {
  const build = JSON.stringify({ build: { dockerfile: 'Dockerfile' }, remoteUser: 'root' });
  const files = (more: string) => ({ [CONFIG]: build, '.devcontainer/Dockerfile': `FROM ${IMAGE}\n${more}\n` });
  world.repository('broken', files('RUN exit 7'));
  assert.is(
    failureOf(await world.bringUp('broken').catch((error: unknown) => error)).code,
    'DEVCONTAINER_BUILD_FAILED',
  );
  world.repository('broken', files('RUN true'));
  await world.step('workspace.mirror', 'broken', { generation: 2, fresh: true });
  const checkout = mainCheckout(world.ports, { repo: 'acme/broken', source: '', branch: '' });
  assert.match(readFileSync(join(checkout, '.devcontainer/Dockerfile'), 'utf8'), /RUN true/);
});

test.run();
