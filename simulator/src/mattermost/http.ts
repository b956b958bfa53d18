import multipart from '@fastify/multipart';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { cookieToken, headerToken } from './auth.ts';
import type { User } from './entities.ts';
import { AppError, bodyTooLarge, errorBody, noSuchRoute, sessionExpired } from './errors.ts';
import { newId } from './ids.ts';
import { LIMITS, SERVER_VERSION, type World } from './world.ts';

/** A web server that answers in the manner of Mattermost: its errors, its headers, its limits. */
export async function createHttp(): Promise<FastifyInstance> {
  const app = fastify({ genReqId: newId, forceCloseConnections: true, bodyLimit: LIMITS.file + 1024 * 1024 });
  app.removeAllContentTypeParsers();
  await app.register(multipart, { limits: { fileSize: LIMITS.file, files: 10, fields: 20 } });
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setErrorHandler(async (error, request, reply) => sendError(request, reply, error));
  app.setNotFoundHandler(async (request, reply) => sendError(request, reply, noSuchRoute()));
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id).header('x-version-id', SERVER_VERSION);
  });
  // The official client reads JSON only if the type is exactly this one, without a charset.
  app.addHook('onSend', async (_request, reply, payload) => {
    const type = reply.getHeader('content-type');
    if (typeof type === 'string' && type.startsWith('application/json'))
      reply.header('content-type', 'application/json');
    return payload;
  });
  return app;
}

function sendError(request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply {
  const known = toAppError(error);
  return reply.code(known.status).send(errorBody(known, request.id));
}

function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  if (status === 413) return bodyTooLarge();
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new AppError(status, 'api.context.invalid_body_param.app_error', 'Invalid request.', String(error));
  }
  return new AppError(
    500,
    'app.simulator.internal.app_error',
    'Internal error.',
    error instanceof Error ? (error.stack ?? '') : '',
  );
}

/** Refuses bodies over the limit of the server; uploads have their own. */
export function checkBodySize(request: FastifyRequest): void {
  if (Buffer.isBuffer(request.body) && request.body.length > LIMITS.body) throw bodyTooLarge();
}

/**
 * The user of a request. Errors: 401. A cookie is only taken for changes when the request cannot come from a foreign
 * form, i.e. names itself an XMLHttpRequest, as with the real server.
 */
export function requireUser(world: World, request: FastifyRequest): User {
  const token = headerToken(request.headers);
  const access = token === undefined ? undefined : world.store.tokens.get(token);
  const user = access === undefined ? undefined : world.store.users.get(access.user_id);
  const risky = cookieToken(request.headers) !== undefined && request.method !== 'GET';
  if (user === undefined || user.delete_at > 0) throw sessionExpired();
  if (risky && request.headers['x-requested-with'] !== 'XMLHttpRequest') throw sessionExpired();
  return user;
}

export function isAdmin(user: User): boolean {
  return user.roles.split(' ').includes('system_admin');
}

export const OK = { status: 'OK' } as const;
