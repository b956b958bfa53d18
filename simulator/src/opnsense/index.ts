/**
 * A stand-in for OPNsense's alias API (24.1 and later): strict about what the real one is strict about, and with its
 * traps. Whoever gets along with it knows that status 200 says nothing, that `ok` is no proof, and that two writers lose
 * each other's changes.
 */
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { Socket } from 'node:net';
import { Refused } from './answers.ts';
import { answer } from './router.ts';
import { apply, refresh } from './updater.ts';
import {
  type Alias,
  type ApiUser,
  addAlias,
  aliasByName,
  type Knobs,
  newKnobs,
  type Resolve,
  type TableSink,
  type World,
} from './world.ts';

export { type NftOptions, openNftTables } from './nftTables.ts';
export type { Alias, ApiUser, Knobs, TableSink } from './world.ts';

export interface OpnsenseOptions {
  /** Serves HTTPS with this certificate; plain HTTP without. */
  tls?: { cert: string; key: string };
  /** What names lead to; rejects for names that do not resolve. Default: nothing resolves. */
  resolve?: Resolve;
  /** Where live tables go besides memory. */
  sink?: TableSink;
  /** Epoch milliseconds; the system's clock by default. */
  now?: () => number;
}

export interface LoggedRequest {
  method: string;
  path: string;
  status: number;
}

export interface OpnsenseSimulator {
  url: string;
  /** Oldest first. */
  requests: LoggedRequest[];
  knobs: Knobs;
  addUser(user: Partial<ApiUser> & { key: string; secret: string }): ApiUser;
  /** Saved, in force and refreshed, as if it had always been there. */
  addAlias(alias: Partial<Alias> & { name: string }): Promise<Alias>;
  alias(name: string): Alias | undefined;
  /** What another person saves in the web interface meanwhile; not yet in force. */
  edit(name: string, change: Partial<Omit<Alias, 'uuid'>>): void;
  removeAlias(name: string): void;
  live(name: string): string[];
  resolveWith(resolve: Resolve): void;
  /** What the minute's cron job does: refreshes what was changed, or is older than five minutes. */
  cron(): Promise<void>;
  close(): Promise<void>;
}

export async function startOpnsense(options: OpnsenseOptions = {}): Promise<OpnsenseSimulator> {
  const world: World = {
    users: [],
    aliases: new Map(),
    applied: new Map(),
    live: new Map(),
    resolvedAt: new Map(),
    sink: options.sink,
    resolve: options.resolve ?? (async (name) => Promise.reject(new Error(`NXDOMAIN ${name}`))),
    now: options.now ?? Date.now,
    knobs: newKnobs(),
  };
  const requests: LoggedRequest[] = [];
  const running = new Set<Promise<void>>();
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const work = serve(world, requests, request, response).finally(() => running.delete(work));
    running.add(work);
  };
  const server = options.tls ? createHttps(options.tls, handle) : createHttp(handle);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    requests,
    knobs: world.knobs,
    addUser(given) {
      const user: ApiUser = { privileges: ['alias', 'tables'], readonlyConfig: false, ...given };
      world.users.push(user);
      return user;
    },
    async addAlias(given) {
      const alias = addAlias(world, given);
      apply(world);
      await refresh(world);
      return alias;
    },
    alias: (name) => aliasByName(world, name),
    edit(name, change) {
      const alias = aliasByName(world, name);
      if (!alias) throw new Error(`There is no alias ${name}.`);
      Object.assign(alias, change);
    },
    removeAlias(name) {
      const alias = aliasByName(world, name);
      if (alias) world.aliases.delete(alias.uuid);
    },
    live: (name) => [...(world.live.get(name) ?? [])],
    resolveWith(resolve) {
      world.resolve = resolve;
    },
    async cron() {
      await refresh(world);
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
      await Promise.allSettled(running);
      await options.sink?.close();
    },
  };
}

async function serve(
  world: World,
  requests: LoggedRequest[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const method = request.method ?? 'GET';
  const url = new URL(request.url ?? '/', 'http://firewall');
  const logged: LoggedRequest = { method, path: url.pathname, status: 0 };
  requests.push(logged);
  const send = (status: number, body: string): void => {
    logged.status = status;
    response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8' }).end(body);
  };
  const planned = use(world.knobs.answer, url.pathname);
  if (planned) return send(planned.status, planned.body);
  try {
    const result = await answer(world, {
      method,
      url,
      authorization: request.headers.authorization,
      contentType: request.headers['content-type'] ?? '',
      body: await textOf(request),
    });
    world.knobs.between?.(url.pathname);
    if (use(world.knobs.loseAnswers, url.pathname)) {
      logged.status = -1;
      request.socket.destroy();
      return;
    }
    send(200, JSON.stringify(result));
  } catch (error) {
    if (error instanceof Refused) send(error.status, JSON.stringify(error.body));
    else send(500, JSON.stringify({ errorMessage: String(error), errorTitle: 'stand-in' }));
  }
}

function use<Plan extends { left: number; path: RegExp }>(plan: Plan | undefined, path: string): Plan | undefined {
  if (!plan || plan.left <= 0 || !plan.path.test(path)) return undefined;
  plan.left -= 1;
  return plan;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
