/** A TCP proxy that can fall silent: connections stay open and nothing passes any more, as behind a dead router. */
import { connect, createServer, type Socket } from 'node:net';

export interface BlackHole {
  readonly port: number;
  /** From now on nothing passes, on old and new connections. */
  swallow(): void;
  /** New connections pass; old ones stay silent. */
  heal(): void;
  close(): Promise<void>;
}

export async function startBlackHole(targetPort: number): Promise<BlackHole> {
  const sockets = new Set<Socket>();
  let silent = false;
  const server = createServer((near) => {
    const far = connect(targetPort, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      let swallowed = silent;
      from.on('data', (data) => {
        swallowed ||= silent;
        if (!swallowed) to.write(data);
      });
      from.on('error', () => from.destroy());
      from.on('close', () => {
        sockets.delete(from);
        swallowed ||= silent;
        if (!swallowed) to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    swallow: () => {
      silent = true;
    },
    heal: () => {
      silent = false;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
