/**
 * A port of the VM as a socket of this machine: each connection to it is a stream through the SSH connection. The socket
 * stands in a folder that only this process's user can enter, so that nobody else on this machine gets through.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { failureOf, type Log } from '../../actors/index.ts';
import type { Vm } from './client.ts';

export interface Tunnel {
  /** Of the socket. */
  readonly path: string;
  /** Ends it with all its connections. Does not reject. */
  close(): Promise<void>;
}

/** @param port of the VM's loopback; it need not be listened on yet */
export async function openTunnel(vm: Pick<Vm, 'forward'>, port: number, log: Log): Promise<Tunnel> {
  // 0700: that is what mkdtemp makes.
  const folder = await mkdtemp(join(tmpdir(), 'csm-'));
  const path = join(folder, 'worker');
  const ending = new AbortController();
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    pass(vm, port, socket, ending.signal).catch((error: unknown) => {
      if (!ending.signal.aborted) log.debug({ port, reason: failureOf(error).message }, 'a stream to the VM ended');
      socket.destroy();
    });
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    path,
    close: async () => {
      ending.abort(new Error('the tunnel is closed'));
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(folder, { recursive: true, force: true }).catch((error: unknown) =>
        log.warn({ err: error, folder }, 'the folder of a tunnel could not be removed'),
      );
    },
  };
}

async function pass(vm: Pick<Vm, 'forward'>, port: number, socket: Socket, signal: AbortSignal): Promise<void> {
  // Until the stream is there nothing is read, and an end without one is no error.
  socket.on('error', () => {});
  socket.pause();
  const channel = await vm.forward('127.0.0.1', port, signal);
  if (socket.destroyed) {
    channel.destroy();
    return;
  }
  try {
    await Promise.all([pipeline(socket, channel), pipeline(channel, socket)]);
  } finally {
    channel.destroy();
    socket.destroy();
  }
}
