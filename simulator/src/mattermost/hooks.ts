import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { headerToken } from './auth.ts';
import { type FaultAnswer, type FaultState, plannedFailure, plannedLoss } from './faults.ts';
import { checkBodySize } from './http.ts';
import type { RateDecision } from './rateLimit.ts';
import type { World } from './world.ts';

/** The API's own path; faults and limits are for it and not for the chat page. */
const API = '/api/v4/';

/** 429 in plain text, with times in seconds from now; every answer says how much is left. */
export function limitRate(app: FastifyInstance, limiter: (key: string) => RateDecision, onRefusal: () => void): void {
  app.addHook('onRequest', async (request, reply) => {
    if (!request.url.startsWith(API)) return;
    const decision = limiter(headerToken(request.headers) ?? request.ip);
    reply
      .header('x-ratelimit-limit', String(decision.limit))
      .header('x-ratelimit-remaining', String(decision.remaining))
      .header('x-ratelimit-reset', String(decision.resetSeconds));
    if (decision.allowed) return;
    onRefusal();
    await reply
      .code(429)
      .header('retry-after', String(decision.retrySeconds))
      .header('content-type', 'text/plain; charset=utf-8')
      .send('limit exceeded\n');
  });
}

/** Failures before a request is looked at, and answers that are late or lost after it was carried out. */
export function injectFaults(app: FastifyInstance, faults: FaultState): void {
  app.addHook('onRequest', async (request, reply) => {
    const failure = request.url.startsWith(API) ? plannedFailure(faults, request.method, pathOf(request)) : undefined;
    if (failure !== undefined) await sendFailure(reply, failure);
  });
  app.addHook('onSend', async (request, _reply, payload) => {
    if (!request.url.startsWith(API)) return payload;
    if (faults.delayMs > 0) await delay(faults.delayMs);
    const loss = plannedLoss(faults, request.method, pathOf(request));
    if (loss === 'cut') request.raw.socket.destroy();
    if (loss === 'hang') await new Promise<void>((resolve) => faults.held.add(resolve));
    return payload;
  });
}

/** Checks the size of JSON bodies, and says after every change that there is something to save. */
export function watchRequests(app: FastifyInstance, world: World): void {
  app.addHook('preHandler', async (request) => {
    if (pathOf(request) !== '/api/v4/files') checkBodySize(request);
  });
  app.addHook('onSend', async (request, _reply, payload) => {
    if (request.method !== 'GET') world.changed();
    return payload;
  });
}

function sendFailure(reply: FastifyReply, failure: FaultAnswer): FastifyReply {
  const json = typeof failure.body === 'object';
  reply.code(failure.status).header('content-type', failure.contentType ?? (json ? 'application/json' : 'text/html'));
  return reply.headers(failure.headers ?? {}).send(json ? JSON.stringify(failure.body) : (failure.body ?? ''));
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? '';
}
