import { RetryableError } from '../../../actors/errors.ts';
import type { Database } from '../database.ts';
import { translate } from '../errors.ts';

/** A real round trip. @throws RetryableError after `timeoutMs`, whatever the connection does meanwhile. */
export async function health(db: Database, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new RetryableError('database.slow', `The database did not answer within ${timeoutMs} ms`));
    }, timeoutMs);
  });
  try {
    await Promise.race([db.pool.query('select 1'), tooLate]);
  } catch (error) {
    throw error instanceof RetryableError ? error : translate(error, 'health');
  } finally {
    clearTimeout(timer);
  }
}
