/**
 * The inspector: a debugger for the charts, on a listener of its own. It reads the database and changes nothing; operator
 * actions go through the runtime, if they are allowed.
 */
import type { AddressInfo } from 'node:net';
import fastify, { type FastifyError, type FastifyReply } from 'fastify';
import { z } from 'zod';
import { type Access, createAccess, PAGE_HEADER, type Refusal } from './access.ts';
import { apiRoutes } from './api.ts';
import { type Assets, loadAssets } from './assets.ts';
import { createPictures } from './charts/pictures.ts';
import { createLive } from './live.ts';
import type { InspectorLog, InspectorRuntime, InspectorStore } from './ports.ts';
import { createRedact } from './redact.ts';

export type { InspectorRuntime, InspectorStore } from './ports.ts';

export interface InspectorOptions {
  /** Port 0 lets the system choose. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Needed for every address but loopback: the configuration sees to that. */
  readonly token: string | undefined;
  /** False: the page can only look. */
  readonly allowSend: boolean;
  /** Values that must never be shown. */
  readonly secrets: readonly string[];
  readonly version: string;
  readonly store: InspectorStore;
  readonly runtime: InspectorRuntime;
  readonly log: InspectorLog;
}

export interface Inspector {
  readonly address: string;
  close(): Promise<void>;
}

const BODY_LIMIT = 64 * 1024;

/** @throws Error if the address cannot be listened on. */
export async function startInspector(options: InspectorOptions): Promise<Inspector> {
  const { listen, log, token } = options;
  const app = fastify({ bodyLimit: BODY_LIMIT, requestTimeout: 30_000, forceCloseConnections: true });
  const assets = loadAssets();
  const access = createAccess({ host: listen.host, token });
  const redact = createRedact(token === undefined ? options.secrets : [...options.secrets, token]);
  const live = createLive({ store: options.store, runtime: options.runtime, redact, log });

  app.addHook('onRequest', async (request, reply) => {
    reply.raw.setHeader('content-security-policy', assets.policy);
    for (const [name, value] of Object.entries(HEADERS)) reply.raw.setHeader(name, value);
    const refusal = refusalOf(access, request.url, request.method, request.headers);
    if (refusal !== undefined) await refuse(reply, refusal);
  });
  app.addHook('preSerialization', async (_request, _reply, payload) => redact(payload));
  app.removeContentTypeParser('text/plain');
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'There is nothing here.' }));
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    if (error instanceof z.ZodError) return reply.code(400).send({ error: 'The request is not one of this page.' });
    const status = error.statusCode ?? 500;
    if (status < 500) return reply.code(status).send({ error: 'The request is not one of this page.' });
    log.error({ err: error }, 'inspector: a request failed');
    return reply.code(503).send({ error: 'This could not be read just now. Is the database there?' });
  });

  for (const path of assets.files.keys()) {
    app.get(path, (request, reply) => sendAsset(assets, path, request.headers, reply));
  }
  app.post('/api/login', async (request, reply) => {
    const { token: given } = z.object({ token: z.string().max(1000) }).parse(request.body);
    const result = access.login(given);
    if ('cookie' in result) return reply.header('set-cookie', result.cookie).send({});
    return refuse(reply, result);
  });
  apiRoutes(app, { ...options, pictures: createPictures(), live });
  app.addHook('preClose', async () => live.close());

  try {
    await app.listen({ host: listen.host, port: listen.port });
  } catch (error) {
    await app.close();
    throw error;
  }
  const bound = app.server.address() as AddressInfo;
  const host = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  return { address: `http://${host}:${bound.port}`, close: () => app.close() };
}

const HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** The page itself holds nothing to hide and asks for the token; all that it shows stands behind `/api/`. */
function refusalOf(
  access: Access,
  url: string,
  method: string,
  headers: Parameters<Access['checkHost']>[0],
): Refusal | undefined {
  const host = access.checkHost(headers);
  if (host !== undefined || !url.startsWith('/api/')) return host;
  const origin = access.checkOrigin(headers);
  if (origin !== undefined) return origin;
  if (method !== 'GET' && headers[PAGE_HEADER] === undefined) {
    return { status: 403, error: `Requests that change something need the header ${PAGE_HEADER}.` };
  }
  return url === '/api/login' ? undefined : access.checkToken(headers);
}

function refuse(reply: FastifyReply, { status, error }: Refusal): FastifyReply {
  return reply.code(status).send({ error });
}

function sendAsset(
  { files }: Assets,
  path: string,
  headers: Readonly<Record<string, unknown>>,
  reply: FastifyReply,
): FastifyReply {
  const asset = files.get(path);
  if (asset === undefined) throw new Error(`the page has no file ${path}`);
  reply.header('etag', asset.etag).header('cache-control', 'no-cache').header('vary', 'accept-encoding');
  if (headers['if-none-match'] === asset.etag) return reply.code(304).send();
  reply.type(asset.type);
  if (!String(headers['accept-encoding'] ?? '').includes('gzip')) return reply.send(asset.body);
  return reply.header('content-encoding', 'gzip').send(asset.gzip);
}
