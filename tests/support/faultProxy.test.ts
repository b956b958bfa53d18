import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type FaultProxy, startFaultProxy } from './faultProxy.ts';

let server: Server;
let proxy: FaultProxy;
const served = new Set<Socket>();
test.before(async () => {
  server = createServer((socket) => {
    served.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (data) => socket.write(data));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address !== 'string');
  proxy = await startFaultProxy({ host: '127.0.0.1', port: address.port });
});
test.after.each(() => proxy.heal());
test.after(async () => {
  await proxy.close();
  for (const socket of served) socket.destroy();
  server.close();
  await once(server, 'close');
});

/** A connection that collects what it hears. */
async function dial() {
  const socket = connect(proxy.port, proxy.host);
  let heard = '';
  let failure: NodeJS.ErrnoException | undefined;
  socket.on('data', (data) => {
    heard += data.toString();
  });
  socket.on('error', (error) => {
    failure = error;
  });
  await once(socket, 'connect').catch(() => undefined);
  return {
    socket,
    heard: () => heard,
    async hears(text: string) {
      while (!heard.includes(text)) await once(socket, 'data');
    },
    async failure() {
      if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
      return failure?.code;
    },
  };
}

test('what a black hole holds back arrives when it is healed, in order', async () => {
  const line = await dial();
  line.socket.write('before ');
  await line.hears('before');
  proxy.blackhole();
  line.socket.write('one ');
  line.socket.write('two ');
  const late = await dial();
  late.socket.write('new');
  await new Promise((resolve) => setImmediate(resolve));
  assert.is(line.heard(), 'before ');
  await proxy.heal();
  await line.hears('two');
  assert.is(line.heard(), 'before one two ');
  await late.hears('new');
  proxy.blackhole('toServer');
  line.socket.write('held');
  proxy.delay(1);
  await proxy.heal();
  await line.hears('held');
  for (const { socket } of [line, late]) socket.destroy();
});

test('a reset is a reset, and new connections are welcome after it', async () => {
  const line = await dial();
  line.socket.write('x');
  await line.hears('x');
  proxy.reset();
  assert.is(await line.failure(), 'ECONNRESET');
  const next = await dial();
  next.socket.write('y');
  await next.hears('y');
  next.socket.destroy();
});

test('a cut comes after so many bytes, once', async () => {
  const line = await dial();
  const happened = proxy.cutAfter(3, 'toClient');
  line.socket.write('abcdef');
  await happened;
  // A reset that arrives together with data is told as an end by Node.
  await line.failure();
  assert.ok('abc'.startsWith(line.heard()), line.heard());
  const next = await dial();
  next.socket.write('abcdef');
  await next.hears('abcdef');
  next.socket.destroy();
});

test('refused connections are refused, live ones go on', async () => {
  const line = await dial();
  line.socket.write('x');
  await line.hears('x');
  await proxy.refuse();
  assert.is(await (await dial()).failure(), 'ECONNREFUSED');
  line.socket.write('still');
  await line.hears('still');
  await proxy.heal();
  const next = await dial();
  next.socket.write('again');
  await next.hears('again');
  for (const { socket } of [line, next]) socket.destroy();
});

test.run();
