/** Waiting for one answer, no longer than a limit. */
import type pg from 'pg';

/** No answer within the limit. The connection was destroyed: nobody knows what it would have said next. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}

/**
 * The answer to what was just asked on `client`.
 * @throws NoAnswerError after `ms`, having destroyed the connection; whatever `asked` rejects with.
 */
export async function limited<Answer>(client: pg.Client, ms: number, asked: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new NoAnswerError(`no answer within ${ms} ms`));
      destroy(client);
    }, ms);
  });
  try {
    return await Promise.race([asked, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

/** Cuts the connection without a word. Statements that wait for it reject; the server ends what it was doing when it notices. */
export function destroy(client: pg.Client): void {
  client.connection.stream.destroy();
}
