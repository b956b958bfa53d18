import path from 'node:path';
import { DevError } from './errors.ts';

/** Turns what PostgreSQL or the system said into cause and next step. */
export function failure(what: string, said: string, dataDir: string, cause?: unknown): DevError {
  if (cause instanceof DevError) return cause;
  const tail = said.trim().split('\n').slice(-8).join('\n');
  if (/No space left on device|ENOSPC/.test(said)) {
    const next = `Free some space (df -h '${dataDir}') and start again.`;
    return new DevError('DISK_FULL', `${what}: the disk is full.`, next, cause);
  }
  if (/Permission denied|EACCES|EPERM/.test(said)) {
    const next = `Check who owns ${dataDir} (ls -la '${dataDir}'): it belongs to another user than the one who runs this.`;
    return new DevError('NO_ACCESS', `${what}:\n${tail}`, next, cause);
  }
  return new DevError(
    'POSTGRES_FAILED',
    `${what}:\n${tail}`,
    `The whole log: ${path.join(dataDir, 'server.log')}`,
    cause,
  );
}
