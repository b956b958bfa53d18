import { RetryableError } from '../../../actors/errors.ts';
import { type Database, run, type Statement } from '../database.ts';

const HEALTH: Statement = { name: 'health', text: 'select 1' };

/** A real round trip. @throws RetryableError after `timeoutMs`, whatever the connection does meanwhile. */
export async function health(db: Database, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new RetryableError('database.slow', `The database did not answer within ${timeoutMs} ms`));
    }, timeoutMs);
  });
  try {
    await Promise.race([run(db, HEALTH), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
