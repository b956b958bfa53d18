/**
 * A TCP proxy that fails on demand, for what happens between two processes that are both well.
 *
 * ```ts
 * const proxy = await startFaultProxy({ path: postgres.socketPath });   // or { host, port }
 * proxy.blackhole();            // nothing passes, nothing is closed; nobody is told
 * proxy.heal();                 // what was held back arrives, as after retransmission
 * ```
 * Like a network, it loses no byte and keeps their order unless it cuts the connection.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export type Direction = 'toServer' | 'toClient';
export type Target = { readonly host: string; readonly port: number } | { readonly path: string };

export interface FaultProxy {
  readonly host: string;
  readonly port: number;
  /** Live connections. */
  connections(): number;
  /** Holds everything back, or one direction; also what new connections say. Ends and resets do not pass either. */
  blackhole(direction?: Direction): void;
  /** Every piece of data waits so long, in both directions. */
  delay(ms: number): void;
  /** Resets all live connections, on both sides. New ones are welcome. */
  reset(): void;
  /** New connections are refused; live ones go on. */
  refuse(): Promise<void>;
  /**
   * Lets so many more bytes through in a direction, counted over all connections, then resets the one that would carry the
   * next. Once. @returns when it happened.
   */
  cutAfter(bytes: number, direction: Direction): Promise<void>;
  /** Ends all faults. What was held back goes on; a cut that did not happen will not. */
  heal(): Promise<void>;
  close(): Promise<void>;
}

interface Link {
  readonly client: Socket;
  readonly upstream: Socket | undefined;
}

interface Cut {
  readonly direction: Direction;
  left: number;
  readonly happened: () => void;
}

export async function startFaultProxy(target: Target): Promise<FaultProxy> {
  const links = new Set<Link>();
  const held = new Set<Direction>();
  let opened: (() => void)[] = [];
  let delayMs = 0;
  let cut: Cut | undefined;

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    accept(client).catch(() => client.destroy());
  });
  await listen(0);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  const { port } = address;

  async function listen(at: number): Promise<void> {
    server.listen(at, '127.0.0.1');
    await once(server, 'listening');
  }

  async function passable(direction: Direction): Promise<void> {
    while (held.has(direction)) await new Promise<void>((resolve) => opened.push(resolve));
  }

  async function accept(client: Socket): Promise<void> {
    // An end that comes while nothing passes is noticed when something does.
    client.on('error', () => undefined);
    const waiting: Link = { client, upstream: undefined };
    links.add(waiting);
    await passable('toServer');
    links.delete(waiting);
    if (client.destroyed) return;
    const upstream = connect({ ...target, allowHalfOpen: true, noDelay: true });
    const link: Link = { client, upstream };
    links.add(link);
    upstream.on('error', () => undefined);
    await Promise.all([pump(link, client, upstream, 'toServer'), pump(link, upstream, client, 'toClient')]);
    links.delete(link);
  }

  /** Carries one direction until its source ends; an end is passed on, an error resets both sides. */
  async function pump(link: Link, from: Socket, to: Socket, direction: Direction): Promise<void> {
    try {
      for await (const chunk of from.iterator({ destroyOnReturn: false })) {
        if (delayMs > 0) await sleep(delayMs);
        await passable(direction);
        const passes = whole(chunk, direction);
        if (passes.length > 0 && !to.write(passes)) await Promise.race([once(to, 'drain'), once(to, 'close')]);
        if (passes.length < chunk.length) return resetLink(link);
      }
      await passable(direction);
      to.end();
    } catch {
      await passable(direction);
      resetLink(link);
    }
  }

  /** The chunk, or what a cut lets through of it. */
  function whole(chunk: Buffer, direction: Direction): Buffer {
    if (cut?.direction !== direction) return chunk;
    if (chunk.length <= cut.left) {
      cut.left -= chunk.length;
      return chunk;
    }
    const passes = chunk.subarray(0, cut.left);
    cut.happened();
    cut = undefined;
    return passes;
  }

  async function heal(): Promise<void> {
    held.clear();
    delayMs = 0;
    cut = undefined;
    const resume = opened;
    opened = [];
    for (const open of resume) open();
    if (!server.listening) await listen(port);
  }

  function reset(): void {
    for (const link of links) resetLink(link);
  }

  return {
    host: '127.0.0.1',
    port,
    connections: () => links.size,
    blackhole(direction) {
      for (const each of direction === undefined ? (['toServer', 'toClient'] as const) : [direction]) held.add(each);
    },
    delay(ms) {
      delayMs = ms;
    },
    reset,
    async refuse() {
      // Resolves when it no longer listens; the callback would wait for live connections.
      server.close();
    },
    cutAfter: (bytes, direction) =>
      new Promise((happened) => {
        cut = { direction, left: bytes, happened };
      }),
    heal,
    async close() {
      const closed = server.listening ? once(server, 'close') : undefined;
      server.close();
      for (const link of links) {
        link.client.destroy();
        link.upstream?.destroy();
      }
      const resume = opened;
      opened = [];
      held.clear();
      for (const open of resume) open();
      await closed;
    },
  };
}

/** A true RST where there is TCP. */
function resetLink({ client, upstream }: Link): void {
  resetSocket(client);
  if (upstream !== undefined) resetSocket(upstream);
}

function resetSocket(socket: Socket): void {
  if (socket.destroyed) return;
  // A reset while an end is on its way fails unseen in libuv: the handle stays, and Node spins when it exits.
  const ending = socket.writableEnded && !socket.writableFinished;
  if (ending || socket.remotePort === undefined) socket.destroy();
  else socket.resetAndDestroy();
}
