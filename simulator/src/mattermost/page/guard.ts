import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';

/** Refuses requests that a foreign page or a rebound name could have sent: a defence of the loopback port. */
export interface HostGuard {
  install(app: FastifyInstance): void;
  /** Says which port is the right one, once it is known; until then everything is refused. */
  listensOn(port: number): void;
  /** The status line an upgrade is refused with, or undefined. */
  refusal(request: IncomingMessage): string | undefined;
}

export function createHostGuard(): HostGuard {
  let hosts = new Set<string>();
  const isForeign = (headers: IncomingMessage['headers']) => {
    const host = headers.host?.toLowerCase() ?? '';
    if (!hosts.has(host)) return true;
    return headers.origin !== undefined && headers.origin !== `http://${host}`;
  };
  return {
    install: (app) => {
      app.addHook('onRequest', async (request, reply) => {
        if (!isForeign(request.headers)) return;
        await reply.code(403).header('content-type', 'text/plain; charset=utf-8').send('Forbidden\n');
      });
    },
    listensOn: (port) => {
      hosts = new Set([`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`]);
    },
    refusal: (request) => (isForeign(request.headers) ? '403 Forbidden' : undefined),
  };
}
