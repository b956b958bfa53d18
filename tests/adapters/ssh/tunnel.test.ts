// @limit 240
// Ways to workers through the SSH connection: whole, private, gone when they are closed, and there again after a loss.
import { once } from 'node:events';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../../src/actors/index.ts';
import { openTunnel, type Tunnel, type Vm } from '../../../src/adapters/ssh/index.ts';
import { connectTo, startSshd, type TestSshd, until } from '../../support/sshd.ts';

interface World {
  sshd: TestSshd;
  vm: Vm;
  echo: Server;
  port: number;
  held: Set<Socket>;
  tunnels: Tunnel[];
}
const test = suite<World>('tunnels');

test.before.each(async (context) => {
  context.tunnels = [];
  context.held = new Set();
  context.echo = createServer({ allowHalfOpen: true }, (socket) => {
    context.held.add(socket);
    socket.once('close', () => context.held.delete(socket));
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  context.port = await listen(context.echo);
  context.sshd = await startSshd();
  context.vm = connectTo(context.sshd);
  await context.vm.ready();
});
test.after.each(async ({ sshd, vm, echo, held, tunnels }) => {
  for (const tunnel of tunnels) await tunnel.close();
  await vm?.close();
  await sshd?.remove();
  for (const socket of held) socket.destroy();
  echo.close();
});

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function open({ vm, port, tunnels }: World): Promise<Tunnel> {
  const tunnel = await openTunnel(vm, port, silentLog);
  tunnels.push(tunnel);
  return tunnel;
}

/** Sends it, ends, and gives back what comes until the other side ends. */
async function exchange(path: string, bytes: Buffer): Promise<Buffer> {
  const socket = connect(path);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.end(bytes);
  await once(socket, 'close');
  return Buffer.concat(chunks);
}

test('many streams at once, both ways, each whole', async (context) => {
  const { path } = await open(context);
  const sent = Array.from({ length: 12 }, (_, index) => Buffer.alloc(700_000 + index, index));
  const came = await Promise.all(sent.map((bytes) => exchange(path, bytes)));
  for (const [index, bytes] of sent.entries()) assert.ok(came[index]?.equals(bytes), `stream ${index}`);
  await until('nothing is held open', () => context.held.size === 0);
});

test('nobody else on this machine gets to the socket', async (context) => {
  const { path } = await open(context);
  const folder = statSync(dirname(path));
  assert.is(folder.mode & 0o777, 0o700);
  assert.is(folder.uid, process.getuid?.());
});

test('closed, it leaves no stream, no socket and no folder', async (context) => {
  const before = readdirSync(tmpdir()).filter((name) => /^csm-[A-Za-z0-9]{6}$/.test(name));
  const tunnel = await open(context);
  const socket = connect(tunnel.path);
  socket.on('error', () => {});
  socket.write('x');
  await once(socket, 'data');
  const closed = once(socket, 'close');
  await tunnel.close();
  await closed;
  await until('the far side ends too', () => context.held.size === 0);
  assert.not(existsSync(tunnel.path));
  const after = readdirSync(tmpdir()).filter((name) => /^csm-[A-Za-z0-9]{6}$/.test(name));
  assert.equal(
    after.filter((name) => !before.includes(name) && existsSync(`${tmpdir()}/${name}/worker`)),
    [],
  );
});

test('a port that nobody listens on ends the stream; one that is there later works', async (context) => {
  const { path } = await open(context);
  await new Promise((resolve) => context.echo.close(resolve));
  assert.is((await exchange(path, Buffer.from('x'))).length, 0);
  context.echo.listen(context.port, '127.0.0.1');
  await once(context.echo, 'listening');
  assert.is((await exchange(path, Buffer.from('later'))).toString(), 'later');
});

test('when the connection is lost its streams end, and new ones wait for the next', async (context) => {
  const { path } = await open(context);
  const socket = connect(path);
  socket.on('error', () => {});
  socket.write('x');
  await once(socket, 'data');
  const closed = once(socket, 'close');
  await context.sshd.stop();
  await closed;
  const waiting = exchange(path, Buffer.from('after'));
  await context.sshd.start();
  assert.is((await waiting).toString(), 'after');
});

test.run();
