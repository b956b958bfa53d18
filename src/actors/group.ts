/** Group commit: while one statement is on its way, whatever arrives waits and goes together in the next. */
import { BadDataError } from './errors.ts';

/**
 * @param run takes a batch and gives one result per item, or rejects for all of them.
 * A BadDataError of a batch is found out one by one, so that only the culprit's caller sees it.
 */
export function createGroup<Item, Result>(
  run: (items: readonly Item[]) => Promise<readonly Result[]>,
  maxSize: number,
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
      waiting.push({ item, resolve, reject });
      if (!running) drain().catch(reject);
    });
}
