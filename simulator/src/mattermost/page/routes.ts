import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { createToken } from '../domain/people.ts';
import type { World } from '../world.ts';

/**
 * The browser's files, as they are in the sources: the build copies nothing, and from `dist/mattermost/page` as from
 * `src/mattermost/page` the package is three levels up.
 */
const CLIENT = join(dirname(fileURLToPath(import.meta.url)), '../../../src/mattermost/page/client');

const TYPES: Record<string, string> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

/**
 * The chat page. `GET /` needs the token and gives the page a session of the user; the files below `/page/` hold no
 * secrets. The policy lets nothing in from anywhere else.
 */
export function pageRoutes(app: FastifyInstance, world: World, page: { token: string; userId: string }): void {
  const session = createToken(world, page.userId, 'chat page').token;

  app.get<{ Querystring: { token?: string } }>('/', async (request, reply) => {
    secure(reply, request.headers.host ?? '');
    if (!sameToken(request.query.token ?? '', page.token)) {
      return reply
        .code(403)
        .header('content-type', 'text/plain; charset=utf-8')
        .send('This address needs ?token=...\n');
    }
    const html = readFileSync(join(CLIENT, 'index.html'), 'utf8').replace('{{session}}', session);
    return reply.header('content-type', 'text/html; charset=utf-8').send(html);
  });

  app.get<{ Params: { file: string } }>('/page/:file', async (request, reply) => {
    const { file } = request.params;
    const extension = /^[a-z][a-zA-Z]*\.(js|css|svg)$/.exec(file)?.[1];
    const type = extension === undefined ? undefined : TYPES[extension];
    if (type === undefined) return reply.callNotFound();
    secure(reply, request.headers.host ?? '');
    return reply.header('content-type', type).send(readFileSync(join(CLIENT, file), 'utf8'));
  });
}

function secure(reply: FastifyReply, host: string): void {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `connect-src 'self' ws://${host}`,
    "img-src 'self' blob:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ];
  reply
    .header('content-security-policy', policy.join('; '))
    .header('referrer-policy', 'no-referrer')
    .header('x-content-type-options', 'nosniff')
    .header('cross-origin-resource-policy', 'same-origin')
    .header('cache-control', 'no-store');
}

/** Compares digests, so that the time taken says nothing about the token. */
function sameToken(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return wanted !== '' && timingSafeEqual(digest(given), digest(wanted));
}
