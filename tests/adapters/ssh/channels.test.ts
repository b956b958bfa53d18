// @limit 400
// One connection carries many commands, whatever the server allows at once.
import { once, setMaxListeners } from 'node:events';
import { createServer } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { failureOf } from '../../../src/actors/index.ts';
import type { Vm } from '../../../src/adapters/ssh/index.ts';
import { createSlots } from '../../../src/adapters/ssh/slots.ts';
import { connectTo, freePort, processesWith, startSshd, type TestSshd, until } from '../../support/sshd.ts';

const test = suite<{ sshds: TestSshd[]; vms: Vm[] }>('sharing one connection');
const timeoutMs = 60_000;

test.before.each((context) => {
  context.sshds = [];
  context.vms = [];
});
test.after.each(async ({ sshds, vms }) => {
  for (const vm of vms) await vm.close();
  for (const sshd of sshds) await sshd.remove();
});

async function open({ sshds, vms }: { sshds: TestSshd[]; vms: Vm[] }, config: readonly string[]): Promise<Vm> {
  const sshd = await startSshd(config);
  sshds.push(sshd);
  const vm = connectTo(sshd);
  vms.push(vm);
  await vm.ready();
  return vm;
}

for (const sessions of [1, 3, 10]) {
  test(`30 commands at once all run where the server takes ${sessions}`, async (context) => {
    const vm = await open(context, [`MaxSessions ${sessions}`]);
    const results = await Promise.all(
      Array.from({ length: 30 }, (_, index) => vm.run({ script: 'echo "$1"', args: [`n${index}`] }, { timeoutMs })),
    );
    assert.equal(
      results.map(({ stdout }) => stdout),
      Array.from({ length: 30 }, (_, index) => `n${index}\n`),
    );
    assert.is(context.sshds[0]?.servers().length, 2, 'one connection: its monitor and its server');
  });
}

test('a server that takes no commands at all is named', async (context) => {
  const vm = await open(context, ['MaxSessions 0']);
  const error = await vm.exec(['true'], { timeoutMs }).catch((cause: unknown) => cause);
  assert.match(failureOf(error).human, /MaxSessions/);
});

test('commands can be ended although all places are taken', async (context) => {
  for (const sessions of [1, 3]) {
    const vm = await open(context, [`MaxSessions ${sessions}`]);
    const results = await Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        vm
          .exec(['sleep', `8${sessions}${index}.12345`], { timeoutMs: 500 })
          .catch((cause: unknown) => failureOf(cause).code),
      ),
    );
    assert.equal(results, Array(6).fill('SSH_TIMEOUT'));
    assert.equal(processesWith(`sleep 8${sessions}`), []);
  }
});

test('long commands leave room for short ones', async (context) => {
  const vm = await open(context, []);
  const controller = new AbortController();
  setMaxListeners(100, controller.signal);
  const long = Array.from({ length: 20 }, () =>
    vm.exec(['sleep', '654.321'], { timeoutMs: 600_000, signal: controller.signal }).catch(() => 'ended'),
  );
  await until('some of them run', () => processesWith('sleep 654.321').length > 0);
  assert.is((await vm.exec(['echo', 'short'], { timeoutMs: 30_000 })).stdout, 'short\n');
  controller.abort(new Error('enough'));
  assert.equal(await Promise.all(long), Array(20).fill('ended'));
  assert.equal(processesWith('sleep 654.321'), []);
});

test('streams to ports of the VM carry bytes both ways and do not count as commands', async (context) => {
  const vm = await open(context, ['MaxSessions 2']);
  const server = createServer((socket) => socket.pipe(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const streams = await Promise.all(Array.from({ length: 40 }, () => vm.forward('127.0.0.1', port)));
  await Promise.all(
    streams.map(async (stream, index) => {
      stream.write(`hello ${index}`);
      const [data] = await once(stream, 'data');
      assert.is(String(data), `hello ${index}`);
    }),
  );
  assert.is((await vm.exec(['echo', 'still'], { timeoutMs })).stdout, 'still\n');
  for (const stream of streams) stream.destroy();
  await new Promise((resolve) => server.close(resolve));
});

test('a stream to a closed port may be tried again; where forwarding is off, that is said', async (context) => {
  const vm = await open(context, []);
  const refused = await vm.forward('127.0.0.1', await freePort()).catch((cause: unknown) => cause);
  assert.is(failureOf(refused).code, 'SSH_FORWARD_REFUSED');
  const closed = await open(context, ['AllowTcpForwarding no']);
  const off = await closed.forward('127.0.0.1', 22).catch((cause: unknown) => cause);
  assert.is(failureOf(off).code, 'SSH_FORWARDING_OFF');
  assert.match(failureOf(off).human, /AllowTcpForwarding/);
});

test('who gives up waiting for a stream is not kept, and the late stream is closed', async (context) => {
  const vm = await open(context, []);
  const server = createServer();
  const closed = new Promise<void>((resolve) => {
    server.once('connection', (socket) => socket.once('close', () => resolve()).resume());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const servers = context.sshds[0]?.servers() ?? [];
  for (const pid of servers) process.kill(pid, 'SIGSTOP');
  try {
    const controller = new AbortController();
    const stream = vm.forward('127.0.0.1', port, controller.signal).catch((cause: unknown) => failureOf(cause).code);
    // So that it is asked for before it is given up.
    await setImmediate();
    controller.abort(new Error('enough'));
    assert.is(await stream, 'SSH_ABORTED');
  } finally {
    for (const pid of servers) process.kill(pid, 'SIGCONT');
  }
  await closed;
  server.close();
});

test('a stream ends when the connection does', async (context) => {
  const vm = await open(context, []);
  const server = createServer(() => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const stream = await vm.forward('127.0.0.1', typeof address === 'object' && address !== null ? address.port : 0);
  const closed = once(stream, 'close');
  await context.sshds[0]?.stop();
  await closed;
  server.close();
});

test('places are learnt from refusals, and tried for again after a while', async () => {
  let now = 0;
  const slots = createSlots(9, () => now);
  const releases = await Promise.all(Array.from({ length: 9 }, () => slots.take({ long: false })));
  slots.refused();
  assert.is(slots.limit, 7, 'eight ran; one place is kept for ending commands');
  for (const release of releases.splice(0, 2)) release();
  assert.is(slots.inUse, 7);
  now = 60_001;
  releases.shift()?.();
  assert.is(slots.limit, 8);
  releases.shift()?.();
  assert.is(slots.limit, 8, 'one at a time');
  slots.reset();
  assert.is(slots.limit, 9);
});

test('who gives up waiting for a place holds up nobody', async () => {
  const slots = createSlots(1);
  const release = await slots.take({ long: false });
  const controller = new AbortController();
  const givenUp = slots.take({ long: false, signal: controller.signal }).then(
    () => 'got it',
    () => 'gave up',
  );
  const next = slots.take({ long: false });
  controller.abort();
  assert.is(await givenUp, 'gave up');
  release();
  release();
  (await next)();
  assert.is(slots.inUse, 0);
});

test.run();
