import { createHash, hkdfSync } from 'node:crypto';

/**
 * The token a worker's gateway proves itself with, bound to the container's address and generation, so that it is
 * derived when needed and stored nowhere.
 * @returns 64 hex digits
 */
export function workerToken(secret: string, container: string, generation: number): string {
  const info = `claude-session-manager/worker/${container}/${generation}`;
  return Buffer.from(hkdfSync('sha256', secret, '', info, 32)).toString('hex');
}

/** What the worker is given instead of the token. */
export function tokenHash(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
