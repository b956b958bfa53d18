import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Driven, drive, told } from './support.ts';

const REPO = { repo: 'acme/web', source: '/web', branch: '' };
const attach = (name: string, main = false) => ({ session: `session/${name}`, repo: REPO, main });

function start(): Driven {
  return drive('container', 'container/acme/web@', { type: 'ATTACH', ...attach('first') });
}

function bringUp(container: Driven): void {
  for (const step of ['mirror', 'vet', 'reserve', 'up'] as const) container.done(`workspace.${step}`);
  container.done('workspace.startWorker', { endpoint: '127.0.0.1:1', identity: 'one' });
  container.done('workspace.checkWalls');
}

test('the first guest brings the machine up, step by step, and is told when it is ready', () => {
  const container = start();
  bringUp(container);
  assert.equal(container.value(), { running: 'occupied' });
  assert.equal(told(container.asked, 'CONTAINER.READY'), ['session/first']);
  assert.equal(
    container.kinds().filter((kind) => kind.startsWith('workspace.')),
    [
      'workspace.mirror',
      'workspace.vet',
      'workspace.reserve',
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
  container.send('ATTACH', attach('second'));
  const effects = container.fails('workspace.mirror', 'git clone failed');
  assert.equal(told(effects, 'CONTAINER.REFUSED'), ['session/first', 'session/second']);
  assert.is(container.value(), 'failed');
  assert.equal(container.context().guests, []);
  container.send('ATTACH', attach('third'));
  assert.is(container.context().generation, 2);
});

test('a lost worker is looked at, and started again only if it is gone', () => {
  const container = start();
  bringUp(container);
  container.send('LOST', { session: 'session/first', generation: 1 });
  assert.equal(container.value(), { recovering: 'looking' });
  container.done('workspace.inspect', { running: true, endpoint: '127.0.0.1:1' });
  assert.equal(container.value(), { running: 'occupied' });
  container.send('LOST', { session: 'session/first', generation: 1 });
  container.done('workspace.inspect', { running: false, endpoint: '' });
  assert.equal(container.value(), { recovering: 'restartingWorker' });
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
  container.fails('workspace.mirror', 'no network');
  container.send('ATTACH', attach('second'));
  container.send('CLONED', { generation: 1 });
  assert.equal(container.value(), { starting: 'cloning' });
  container.send('STEP.FAILED', { generation: 1, human: 'late' });
  assert.equal(container.value(), { starting: 'cloning' });
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
  assert.equal(container.value(), { running: 'empty' });
  assert.equal(container.send('KEEP', { session: 'session/first', generation: 1, main: false }), []);
  assert.equal(container.value(), { running: 'occupied' });
  for (let i = 2; i <= 5; i += 1) container.send('ATTACH', attach(`guest${i}`));
  const late = container.send('KEEP', { session: 'session/late', generation: 1, main: false });
  assert.equal(told(late, 'CONTAINER.REFUSED'), ['session/late']);
});

test.run();
