import { timingSafeEqual } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import { type CallbackAnswer, type CallbackBody, callbackBody, isFromChat, NOT_VALID, wireAnswer } from './callback.ts';
import { createAddressList, createClientAddress, limitKey } from './clientAddress.ts';
import { type HealthReport, LATE, withDeadline } from './health.ts';
import { budgetOf, probeRoutes } from './probes.ts';
import { createTokenBuckets } from './tokenBucket.ts';

export interface HttpLog {
  debug(detail: object, message: string): void;
  info(detail: object, message: string): void;
  warn(detail: object, message: string): void;
  error(detail: object, message: string): void;
}

export interface HttpOptions {
  /** `host:port`, `[v6]:port` or `:port`. Port 0 lets the system choose. */
  readonly listen: string;
  /** Asked for every report; calls that come while one runs share its answer. */
  readonly health: () => Promise<HealthReport>;
  readonly healthDeadlineMs?: number;
  /** Once aborted, `/ready` says no. */
  readonly stopping?: AbortSignal;
  readonly metrics: Registry;
  /** A click whose body has the right shape; its MAC is not checked yet. */
  readonly onCallback: (callback: CallbackBody) => Promise<CallbackAnswer>;
  /** Who may call: the last part of the path, where it is a secret, and the addresses; empty: all. */
  readonly callbackGate?: { readonly pathSecret: string; readonly sources: readonly string[] };
  /** Mattermost waits 30 s; after this long the clicker is told that it takes longer. */
  readonly callbackDeadlineMs?: number;
  /** Per client address, over all routes but the probes: each of those has its own. */
  readonly rateLimit: { readonly rps: number; readonly burst: number };
  readonly trustedProxies: readonly string[];
  /** Bytes of a request body. */
  readonly maxBody?: number;
  readonly log: HttpLog;
  readonly now?: () => number;
  /** Adds routes of other rooms; they stand behind the same limits and headers. */
  readonly routes?: (app: FastifyInstance) => void;
}

export interface HttpServer {
  readonly port: number;
  /** For clients on this machine. */
  readonly url: string;
  /** Takes no new requests, lets those under way finish for a while, then ends what is left. */
  close(): Promise<void>;
}

const MIB = 1024 * 1024;
const CLOSE_DEADLINE_MS = 5_000;

/** Headers of every answer that does not bring its own: nothing here is a page. */
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
};

/** @throws Error if the address cannot be listened on, or a trusted proxy is not an address. */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const { log, now = Date.now } = options;
  const app = fastify({
    bodyLimit: options.maxBody ?? MIB,
    requestTimeout: 30_000,
    forceCloseConnections: 'idle',
    // The default page says which route was asked for; here nothing is repeated to strangers.
    routerOptions: { ignoreTrailingSlash: true },
  });
  const clientAddress = createClientAddress(options.trustedProxies);
  const buckets = createTokenBuckets(options.rateLimit);

  app.addHook('onRequest', async (request, reply) => {
    const address = clientAddress(request.socket.remoteAddress, request.headers['x-forwarded-for']);
    const taken = buckets.take(budgetOf(request.routeOptions.url, limitKey(address)), now());
    if (taken.ok) return;
    log.debug({ address }, 'http: too many requests');
    await reply
      .code(429)
      .header('retry-after', String(Math.ceil(taken.retryAfterMs / 1000)))
      .send({ error: 'too many requests' });
  });
  app.addHook('onSend', async (_request, reply) => {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
      if (!reply.hasHeader(name)) reply.header(name, value);
    }
  });
  // JSON is the only body anybody here reads.
  app.removeContentTypeParser('text/plain');
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'not found' }));
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status < 500) return reply.code(status).send({ error: wordsOf(status) });
    log.error({ err: error, route: request.routeOptions.url ?? '' }, 'http: a request failed');
    return reply.code(500).send({ error: 'internal error' });
  });

  const health = sharedHealth(options);
  app.get('/health', async (_request, reply) => {
    const report = await health();
    return reply
      .code(report.healthy ? 200 : 503)
      .send({ status: report.healthy ? 'ok' : 'failing', checks: report.checks });
  });
  probeRoutes(app, { health, stopping: options.stopping });
  app.get('/metrics', async (_request, reply) =>
    reply.header('content-type', options.metrics.contentType).send(await options.metrics.metrics()),
  );
  const { pathSecret, sources } = options.callbackGate ?? { pathSecret: '', sources: [] };
  const isSource = createAddressList(sources);
  app.post<{ Params: { secret?: string } }>(
    pathSecret === '' ? '/callback' : '/callback/:secret',
    async (request, reply) => {
      const address = clientAddress(request.socket.remoteAddress, request.headers['x-forwarded-for']);
      const known = sources.length === 0 || isSource(address);
      // To strangers it looks as if there were nothing.
      if (!known || !isSame(request.params.secret ?? '', pathSecret)) {
        log.warn({ address }, 'http: a callback from where none may come');
        return reply.code(404).send({ error: 'not found' });
      }
      const body = callbackBody.safeParse(request.body);
      if (!body.success) {
        const issue = body.error.issues[0];
        log.warn({ at: issue?.path.join('.'), why: issue?.message }, 'http: a callback of another shape');
        // Somebody pressed a button of a card that is not ours: they get words instead of the server's error.
        if (isFromChat(request.body)) return reply.code(200).send(wireAnswer({ ephemeralText: NOT_VALID }));
        return reply.code(400).send({ error: 'not a callback' });
      }
      return reply.code(200).send(wireAnswer(await answerCallback(options, body.data)));
    },
  );
  options.routes?.(app);

  const { host, port } = parseListen(options.listen);
  await app.listen({ host, port });
  const bound = app.server.address() as AddressInfo;
  log.info({ host: bound.address, port: bound.port }, 'http: listening');
  return {
    port: bound.port,
    url: `http://${bound.family === 'IPv6' ? '[::1]' : '127.0.0.1'}:${bound.port}`,
    async close() {
      if ((await withDeadline(app.close(), CLOSE_DEADLINE_MS)) === LATE) app.server.closeAllConnections();
    },
  };
}

/** A clicker always gets an answer, and never one with an error's text in it. */
async function answerCallback(options: HttpOptions, callback: CallbackBody): Promise<CallbackAnswer> {
  try {
    const answer = await withDeadline(options.onCallback(callback), options.callbackDeadlineMs ?? 20_000);
    if (answer !== LATE) return answer;
    options.log.warn({ approval: callback.context.approval }, 'http: a callback takes too long');
    return {
      ephemeralText: 'This takes longer than usual. Your click was received; the card will change once it took effect.',
    };
  } catch (error) {
    options.log.error({ err: error, approval: callback.context.approval }, 'http: a callback failed');
    return {
      ephemeralText: 'That did not work because of a problem on our side. Nothing was decided; please try again.',
    };
  }
}

function isSame(given: string, expected: string): boolean {
  const [left, right] = [Buffer.from(given, 'utf8'), Buffer.from(expected, 'utf8')];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Many askers at once cost one look at the database. */
function sharedHealth({ health, healthDeadlineMs = 4_000, log }: HttpOptions): () => Promise<HealthReport> {
  let running: Promise<HealthReport> | undefined;
  const look = async (): Promise<HealthReport> => {
    try {
      const report = await withDeadline(health(), healthDeadlineMs);
      if (report !== LATE) return report;
      return { healthy: false, checks: { health: { ok: false, detail: `no answer within ${healthDeadlineMs} ms` } } };
    } catch (error) {
      log.error({ err: error }, 'http: the health report failed');
      return { healthy: false, checks: { health: { ok: false, detail: 'failed' } } };
    } finally {
      running = undefined;
    }
  };
  return () => {
    running ??= look();
    return running;
  };
}

function wordsOf(status: number): string {
  switch (status) {
    case 413:
      return 'too large';
    case 415:
      return 'send application/json';
    default:
      return 'bad request';
  }
}

/** @throws Error for anything that is not an address with a port */
export function parseListen(listen: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]*)):(\d{1,5})$/i.exec(listen.trim());
  const port = Number(match?.[3]);
  if (!match || port > 65_535) throw new Error(`not a listen address (host:port): '${listen}'`);
  return { host: match[1] ?? (match[2] || '0.0.0.0'), port };
}
