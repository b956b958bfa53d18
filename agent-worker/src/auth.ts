// Who may call. The worker is given only the SHA-256 of the gateway's token, so nothing that can be read in the
// container (its environment, /proc, files) lets anyone else call it.
import { createHash, timingSafeEqual } from 'node:crypto';
import { type Metadata, ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';

const HEALTH = '/grpc.health.v1.Health/';

/** Whether the bearer token of the call has this SHA-256 (lower-case hex). Compared in constant time. */
export function isAuthorised(metadata: Metadata, tokenSha256: string): boolean {
  const header = metadata.get('authorization')[0];
  const match = typeof header === 'string' ? /^Bearer (.+)$/i.exec(header) : null;
  const given = createHash('sha256')
    .update(match?.[1] ?? '')
    .digest();
  const wanted = Buffer.from(tokenSha256, 'hex');
  return match !== null && given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** Refuses every call without the token, except health checks, which any probe may make. */
export function authInterceptor(tokenSha256: string): ServerInterceptor {
  return (method, call) =>
    new ServerInterceptingCall(call, {
      start(next) {
        next({
          onReceiveMetadata(metadata, pass) {
            if (method.path.startsWith(HEALTH) || isAuthorised(metadata, tokenSha256)) pass(metadata);
            else call.sendStatus({ code: status.UNAUTHENTICATED, details: 'The token is missing or wrong.' });
          },
        });
      },
    });
}
