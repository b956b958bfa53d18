/** Group commit: while one statement is on its way, whatever arrives waits and goes together in the next. */
import { BadDataError } from './errors.ts';

/** Too much waits already: nothing was done with this item. */
export class GroupFullError extends Error {
  override readonly name = 'GroupFullError';
}

/**
 * @param run takes a batch and gives one result per item, or rejects for all of them.
 * A BadDataError of a batch is found out one by one, so that only the culprit's caller sees it.
 * @param maxWaiting an item that would wait behind more than this is refused with a GroupFullError.
 */
export function createGroup<Item, Result>(
  run: (items: readonly Item[]) => Promise<readonly Result[]>,
  maxSize: number,
  maxWaiting = Number.POSITIVE_INFINITY,
): (item: Item) => Promise<Result> {
  interface Waiting {
    readonly item: Item;
    resolve(result: Result): void;
    reject(error: unknown): void;
  }
  const waiting: Waiting[] = [];
  let running = false;

  async function runBatch(batch: readonly Waiting[]): Promise<void> {
    try {
      const results = await run(batch.map(({ item }) => item));
      for (const [index, { resolve, reject }] of batch.entries()) {
        if (index < results.length) resolve(results[index] as Result);
        else reject(new Error('The batch gave too few results'));
      }
    } catch (error) {
      if (error instanceof BadDataError && batch.length > 1) {
        for (const one of batch) await runBatch([one]);
      } else {
        for (const { reject } of batch) reject(error);
      }
    }
  }

  async function drain(): Promise<void> {
    running = true;
    while (waiting.length > 0) await runBatch(waiting.splice(0, maxSize));
    running = false;
  }

  return (item) =>
    new Promise<Result>((resolve, reject) => {
      if (waiting.length >= maxWaiting) {
        reject(new GroupFullError(`${waiting.length} items wait already`));
        return;
      }
      waiting.push({ item, resolve, reject });
      if (!running) drain().catch(reject);
    });
}
