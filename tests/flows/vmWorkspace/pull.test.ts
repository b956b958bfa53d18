// @limit 480
// Main checkouts that containers have seen come up to date: before a session begins in one (SM_AUTO_PULL), and when what was
// pushed is to mend a container that did not come up. Real podman; git on the VM never reads such a tree.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ActorView, failureOf } from '../../../src/actors/index.ts';
import { mainCheckout } from '../../../src/flows/vmWorkspace/ports.ts';
import { NO_MACHINE } from '../../../src/machines/container/context.ts';
import type { Machine } from '../../../src/machines/effects.ts';
import { IMAGE } from '../../adapters/devcontainer/machine.ts';
import { alone } from '../../support/alone.ts';
import { startWorld, type World } from './world.ts';

alone();

const test = suite<{ world: World }>('pulling into containers');
test.before(async (context) => {
  context.world = await startWorld({ SM_AUTO_PULL: 'true' });
});
test.before.each(({ world }) => {
  world.actors.clear();
  world.told.length = 0;
});
test.after(async ({ world }) => world?.close());

const CONFIG = '.devcontainer/devcontainer.json';
const config = (more: object = {}) => JSON.stringify({ image: IMAGE, remoteUser: 'vscode', ...more });
const SESSION = 'session/opens';

function checkout(world: World, name: string): string {
  return mainCheckout(world.ports, { repo: `acme/${name}`, source: '', branch: '' });
}

/** A session that opens in the main checkout, and its container. */
function opening(world: World, name: string, machine: Machine, value: ActorView['value'], main = SESSION): void {
  const address = `container/acme/${name}@`;
  const view = { version: 2, rev: 9, tags: [], parent: undefined, wakeAt: undefined, status: 'active' } as const;
  const guests = [{ session: main, main: true }];
  world.actors.set(address, {
    ...view,
    address,
    kind: 'container',
    value,
    context: { guests, machine, generation: 2 },
  } as ActorView);
  const session = {
    address: SESSION,
    kind: 'session',
    value: { opening: 'workspace' },
    context: { container: address },
  };
  world.actors.set(SESSION, { ...view, ...session } as ActorView);
}

const RUNNING = { running: { guests: 'empty', health: 'healthy' } };

test('a session that opens in a container that runs begins with what was pushed', async ({ world }) => {
  world.repository('shared', { [CONFIG]: config() });
  const machine = await world.bringUp('shared');
  world.repository('shared', { 'later.txt': 'later' });
  opening(world, 'shared', machine, RUNNING);
  const made = await world.step('workspace.checkout', 'shared', { session: SESSION, worktree: '' });
  assert.is(made.path, checkout(world, 'shared'));
  assert.is(readFileSync(join(checkout(world, 'shared'), 'later.txt'), 'utf8'), 'later');
  const run = (...words: string[]) => world.machine.podman('exec', '--user', 'vscode', machine.containerId, ...words);
  await run('sh', '-c', 'cd /workspaces/shared && echo more >>later.txt');
  assert.not.match(world.told.join(), /not pulled|does not count/);

  // What is in the way stays, and is told.
  world.repository('shared', { 'later.txt': 'much later' });
  await world.step('workspace.checkout', 'shared', { session: SESSION, worktree: '' });
  assert.match(world.told.join(), /The checkout was not pulled: it has uncommitted changes/);
  assert.is(readFileSync(join(checkout(world, 'shared'), 'later.txt'), 'utf8'), 'latermore\n');
});

test('nothing is pulled under the hands of another session', async ({ world }) => {
  world.repository('busy', { [CONFIG]: config() });
  const machine = await world.bringUp('busy');
  world.repository('busy', { 'later.txt': 'later' });
  opening(world, 'busy', machine, RUNNING, 'session/works');
  await world.step('workspace.checkout', 'busy', { session: SESSION, worktree: '' });
  assert.not(existsSync(join(checkout(world, 'busy'), 'later.txt')));
});

test('a new container over a checkout from before begins with what was pushed', async ({ world }) => {
  world.repository('anew', { [CONFIG]: config() });
  await world.bringUp('anew');
  await world.step('workspace.remove', 'anew');
  writeFileSync(join(checkout(world, 'anew'), 'own.txt'), 'own');
  world.repository('anew', { 'later.txt': 'later' });
  opening(world, 'anew', NO_MACHINE, { starting: 'building' });
  await world.bringUp('anew', 2);
  assert.is(readFileSync(join(checkout(world, 'anew'), 'later.txt'), 'utf8'), 'later');
  assert.is(readFileSync(join(checkout(world, 'anew'), 'own.txt'), 'utf8'), 'own');
});

test('a start command that fails and leaves files behind, mended and pushed: the next attempt has it', async ({
  world,
}) => {
  world.repository('leaves', { [CONFIG]: config({ postCreateCommand: 'echo half > half.txt; exit 3' }) });
  const code = failureOf(await world.bringUp('leaves').catch((error: unknown) => error)).code;
  assert.is(code, 'DEVCONTAINER_COMMAND_FAILED');
  world.repository('leaves', { [CONFIG]: config({ postCreateCommand: 'true' }) });
  await world.step('workspace.mirror', 'leaves', { generation: 2, fresh: true });
  assert.is(readFileSync(join(checkout(world, 'leaves'), CONFIG), 'utf8'), config({ postCreateCommand: 'true' }));
  assert.is(readFileSync(join(checkout(world, 'leaves'), 'half.txt'), 'utf8'), 'half\n', 'nothing is lost');
  assert.not.match(world.told.join(), /not pulled|does not count/);
});

test('if it cannot have it, whoever waits is told why, and what to do', async ({ world }) => {
  const failing = "echo '{}' > .devcontainer/devcontainer.json; exit 3";
  world.repository('stuck', { [CONFIG]: config({ postCreateCommand: failing }) });
  await world.bringUp('stuck').catch(() => undefined);
  world.repository('stuck', { [CONFIG]: config({ postCreateCommand: 'true' }) });
  opening(world, 'stuck', NO_MACHINE, { starting: 'cloning' });
  await world.step('workspace.mirror', 'stuck', { generation: 2, fresh: true });
  const told = world.told.join();
  assert.match(told, /does not count.*devcontainer\.json.*uncommitted changes in files/);
  assert.ok(told.includes(`move \`${checkout(world, 'stuck')}\` away`), told);
});

test.run();
