import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Effect } from '../../src/machines/effects.ts';
import type { JsonObject } from '../../src/machines/json.ts';
import { type Driven, drive, tells, told } from './support.ts';

const REPO = { repo: 'acme/web', source: '/web', branch: '' };
const attach = (name: string, main = false) => ({ session: `session/${name}`, repo: REPO, main });

const STANDING = {
  containerId: 'c'.repeat(64),
  remoteUser: 'dev',
  workspaceFolder: '/workspaces/web',
  bootId: 'b1',
};

const RUNNING = { running: { guests: 'occupied', health: 'healthy' } };

function start(): Driven {
  return drive('container', 'container/acme/web@', { type: 'ATTACH', ...attach('first') });
}

function bringUp(container: Driven): void {
  for (const step of ['admit', 'mirror'] as const) container.done(`workspace.${step}`);
  container.done('workspace.reserve', { port: 50_051 });
  container.done('workspace.vet', { configFile: '', configHash: 'h1', notice: '' });
  container.done('workspace.up', STANDING);
  container.done('workspace.startWorker', { endpoint: '127.0.0.1:1', identity: 'one' });
  container.done('workspace.checkWalls');
}

test('the first guest brings the machine up, step by step, and is told when it is ready', () => {
  const container = start();
  bringUp(container);
  assert.equal(container.value(), RUNNING);
  assert.equal(told(container.asked, 'CONTAINER.READY'), ['session/first']);
  assert.equal(
    container.kinds().filter((kind) => kind.startsWith('workspace.')),
    [
      'workspace.admit',
      'workspace.mirror',
      'workspace.reserve',
      'workspace.vet',
      'workspace.up',
      'workspace.startWorker',
      'workspace.checkWalls',
    ],
  );
});

test('of twenty sessions at once exactly as many get in as there is room', () => {
  const container = start();
  for (let i = 2; i <= 20; i += 1) container.send('ATTACH', attach(`guest${i}`));
  bringUp(container);
  assert.is((container.context().guests as unknown[]).length, 5);
  assert.is(told(container.asked, 'CONTAINER.READY').length, 5);
  assert.is(told(container.asked, 'CONTAINER.REFUSED').length, 15);
});

test('only one guest works in the main checkout', () => {
  const container = drive('container', 'container/acme/web@', { type: 'ATTACH', ...attach('first', true) });
  bringUp(container);
  const effects = container.send('ATTACH', attach('second', true));
  assert.equal(told(effects, 'CONTAINER.REFUSED'), ['session/second']);
  container.send('DETACH', { session: 'session/first', scope: 'session' });
  assert.equal(told(container.send('ATTACH', attach('second', true)), 'CONTAINER.READY'), ['session/second']);
});

test('a failed step tells everybody who waits and leaves nobody behind', () => {
  const container = start();
  container.done('workspace.admit');
  container.send('ATTACH', attach('second'));
  const effects = container.fails('workspace.mirror', 'git clone failed');
  assert.equal(told(effects, 'CONTAINER.REFUSED'), ['session/first', 'session/second']);
  assert.is(container.value(), 'failed');
  assert.equal(container.context().guests, []);
  container.send('ATTACH', attach('third'));
  assert.is(container.context().generation, 2);
});

/** A guest misses the worker, and this is what is found. */
function looksAndFinds(container: Driven, found: string): readonly Effect[] {
  container.send('LOST', { session: 'session/first', generation: 1 });
  assert.equal(container.value(), { running: { guests: 'occupied', health: { suspect: 'looking' } } });
  return container.done('workspace.inspect', { found, endpoint: found === 'worker' ? '127.0.0.1:1' : '' });
}

function words(effects: readonly Effect[]): string[] {
  return tells(effects, 'CONTAINER.PROGRESS').map(({ event }) => String(event.text));
}

for (const [found, value] of [
  ['worker', RUNNING],
  ['noWorker', { recovering: 'restartingWorker' }],
  ['stopped', { recovering: 'queued' }],
  ['gone', { starting: 'queued' }],
] as const) {
  test(`who comes is let in at once, and the worker is looked at meanwhile: ${found}`, () => {
    const container = start();
    bringUp(container);
    assert.equal(told(container.send('ATTACH', attach('second')), 'CONTAINER.READY'), ['session/second']);
    container.done('workspace.inspect', { found, endpoint: found === 'worker' ? '127.0.0.1:1' : '' });
    assert.equal(container.value(), value);
  });
}

test('a missed worker that runs is left alone, and who missed it is told where it is', () => {
  const container = start();
  bringUp(container);
  assert.equal(told(looksAndFinds(container, 'worker'), 'CONTAINER.READY'), ['session/first']);
  assert.equal(container.value(), RUNNING);
});

test('a worker that runs and is missed again and again hangs: it is started again', () => {
  const container = start();
  bringUp(container);
  for (let times = 1; times <= 3; times += 1) {
    looksAndFinds(container, 'worker');
    assert.equal(container.value(), RUNNING);
  }
  looksAndFinds(container, 'worker');
  assert.equal(container.value(), { recovering: 'restartingWorker' });
});

test('now and then a missed worker is no hanging one', () => {
  const container = start();
  bringUp(container);
  for (let times = 1; times <= 10; times += 1) {
    looksAndFinds(container, 'worker');
    container.wait(20 * 60_000);
    assert.equal(container.value(), RUNNING);
  }
});

test('a dead worker is started again in its container', () => {
  const container = start();
  bringUp(container);
  assert.match(words(looksAndFinds(container, 'noWorker'))[0] ?? '', /worker has ended/);
  assert.equal(container.value(), { recovering: 'restartingWorker' });
  container.done('workspace.startWorker', { endpoint: '127.0.0.1:1', identity: 'one' });
  container.done('workspace.checkWalls');
  assert.equal(container.value(), RUNNING);
  assert.is(container.context().generation, 1);
});

for (const [found, said] of [
  ['stopped', /container was stopped/],
  ['rebooted', /VM was restarted/],
] as const) {
  test(`a ${found} container is looked at like a new one and started, the same one`, () => {
    const container = start();
    bringUp(container);
    assert.match(words(looksAndFinds(container, found))[0] ?? '', said);
    container.done('workspace.admit');
    container.done('workspace.vet', { configFile: '', configHash: 'h1', notice: '' });
    container.done('workspace.up', { ...STANDING, bootId: 'b2' });
    container.done('workspace.startWorker', { endpoint: '127.0.0.1:1', identity: 'one' });
    container.done('workspace.checkWalls');
    assert.equal(container.value(), RUNNING);
    assert.is(container.context().generation, 1);
    assert.is((container.context().machine as JsonObject).bootId, 'b2');
  });
}

for (const [found, said] of [
  ['gone', /container is gone/],
  ['elsewhere', /SM_GRPC_TRANSPORT/],
] as const) {
  test(`a container that is ${found} is made anew, and its guests move on to it`, () => {
    const container = start();
    bringUp(container);
    assert.match(words(looksAndFinds(container, found))[0] ?? '', said);
    assert.equal(container.value(), { starting: 'queued' });
    assert.is(container.context().generation, 2);
    bringUp(container);
    assert.equal(container.value(), RUNNING);
  });
}

test('a stopped container that does not start is made anew', () => {
  const container = start();
  bringUp(container);
  looksAndFinds(container, 'stopped');
  container.done('workspace.admit');
  container.done('workspace.vet', { configFile: '', configHash: 'h1', notice: '' });
  container.fails('workspace.up', 'No.', 'PORT_TAKEN');
  assert.equal([container.value(), container.context().generation], [{ starting: 'queued' }, 2]);
});

test('while the machine cannot be asked nothing is given up: it is asked again', () => {
  const container = start();
  bringUp(container);
  container.send('LOST', { session: 'session/first', generation: 1 });
  for (let times = 1; times <= 5; times += 1) {
    container.fails('workspace.inspect', 'The VM cannot be reached.');
    assert.equal(container.value(), { running: { guests: 'occupied', health: { suspect: 'waiting' } } });
    container.wait(30_000);
  }
  container.done('workspace.inspect', { found: 'noWorker', endpoint: '' });
  assert.equal(container.value(), { recovering: 'restartingWorker' });
});

test('a port that a stranger took is given up for another one, not for ever', () => {
  const container = start();
  for (const step of ['admit', 'mirror'] as const) container.done(`workspace.${step}`);
  for (let port = 50_051; port <= 50_055; port += 1) {
    container.done('workspace.reserve', { port });
    container.done('workspace.vet');
    container.fails('workspace.up', 'Taken.', 'PORT_TAKEN');
    assert.equal(container.value(), { starting: 'reserving' });
  }
  const asked = container.pending.find(({ kind }) => kind === 'workspace.reserve');
  assert.equal((asked?.params as JsonObject | undefined)?.avoid, [50_051, 50_052, 50_053, 50_054, 50_055]);
  container.done('workspace.reserve', { port: 50_056 });
  container.done('workspace.vet');
  container.fails('workspace.up', 'Taken.', 'PORT_TAKEN');
  assert.is(container.value(), 'failed');
});

test('who waits hears how far it is, and of which container', () => {
  const container = start();
  container.send('ATTACH', attach('second'));
  const effects = container.send('STEP.PROGRESS', { generation: 1, text: 'Step 2 of 3.' });
  assert.equal(told(effects, 'CONTAINER.PROGRESS'), ['session/first', 'session/second']);
  assert.equal(container.send('STEP.PROGRESS', { generation: 0, text: 'old' }), []);
});

test('who joins a container that was made from an older configuration is told', () => {
  const container = start();
  bringUp(container);
  container.send('ATTACH', attach('second'));
  const effects = container.done('workspace.compare', { changed: true });
  assert.equal(told(effects, 'CONTAINER.NOTICE'), ['session/second']);
});

test('a session that arrives while the machine is being removed gets a new one', () => {
  const container = start();
  bringUp(container);
  container.send('DETACH', { session: 'session/first', scope: 'container' });
  assert.is(container.value(), 'removing');
  container.send('ATTACH', attach('late'));
  container.done('workspace.remove');
  assert.is(container.context().generation, 2);
  bringUp(container);
  assert.ok(told(container.asked, 'CONTAINER.READY').includes('session/late'));
});

test('a guest that has to wait is acknowledged at once', () => {
  const container = start();
  assert.equal(told(container.send('ATTACH', attach('second')), 'CONTAINER.PROGRESS'), ['session/second']);
});

test('the outcome of a step that was given up changes nothing for the container that came after', () => {
  const container = start();
  container.done('workspace.admit');
  container.fails('workspace.mirror', 'no network');
  container.send('ATTACH', attach('second'));
  container.send('ADMITTED', { generation: 1 });
  assert.equal(container.value(), { starting: 'queued' });
  container.send('STEP.FAILED', { generation: 1, code: 'X', human: 'late' });
  assert.equal(container.value(), { starting: 'queued' });
});

test('a session without a place learns that, whenever it asks', () => {
  const container = start();
  bringUp(container);
  const stranger = { session: 'session/stranger', generation: 1 };
  assert.equal(told(container.send('LOST', stranger), 'CONTAINER.REFUSED'), ['session/stranger']);
  container.send('DETACH', { session: 'session/first', scope: 'container' });
  assert.equal(told(container.send('LOST', stranger), 'CONTAINER.REFUSED'), ['session/stranger']);
  container.done('workspace.remove');
  assert.equal(told(container.send('KEEP', { ...stranger, main: false }), 'CONTAINER.REFUSED'), ['session/stranger']);
});

test('a session that was set aside and goes on takes its place again, if there is one', () => {
  const container = start();
  bringUp(container);
  container.send('DETACH', { session: 'session/first', scope: 'session' });
  assert.equal(container.value(), { running: { guests: 'empty', health: 'healthy' } });
  assert.equal(container.send('KEEP', { session: 'session/first', generation: 1, main: false }), []);
  assert.equal(container.value(), RUNNING);
  for (let i = 2; i <= 5; i += 1) container.send('ATTACH', attach(`guest${i}`));
  const late = container.send('KEEP', { session: 'session/late', generation: 1, main: false });
  assert.equal(told(late, 'CONTAINER.REFUSED'), ['session/late']);
});

test.run();
