/**
 * Which undone effects are in memory. Usually all of them; a leader that finds very many reads them bit by bit, in the order
 * of asking, as room becomes free. Until it has read them all, what its own turns ask for waits its turn in the database: an
 * effect never overtakes an earlier one with the same order key.
 */
import type { EffectRunner } from './effectRunner.ts';
import type { ClaimedEffect, EffectRow, Page } from './store.ts';

export interface EffectIntake {
  /** Effects that were just committed, in order; never two commits at a time. */
  add(rows: readonly EffectRow[]): void;
  /** Reads from the beginning what is undone. Resolves when memory is full or all was read. */
  reread(): Promise<void>;
  /** There may be room again. */
  refill(): void;
}

export interface EffectIntakeOptions {
  readonly runner: Pick<EffectRunner, 'add' | 'addRead' | 'pending'>;
  read(page: Page): Promise<readonly ClaimedEffect[]>;
  /** A read in the background failed for good. */
  onFailed(error: unknown): void;
  /** Read on only up to so many. */
  readonly most: number;
  readonly page: number;
}

export function createEffectIntake({ runner, read, onFailed, most, page }: EffectIntakeOptions): EffectIntake {
  let after = 0;
  let isAll = false;
  /** Effects were left in the database since the last read began. */
  let leftMore = false;
  let reading: Promise<void> | undefined;

  async function readOn(): Promise<void> {
    while (!isAll && runner.pending() < most) {
      leftMore = false;
      const from = after;
      const rows = await runner.addRead(() => read({ after: from, limit: page }));
      after = rows.at(-1)?.seq ?? after;
      isAll = rows.length === 0 && !leftMore;
    }
  }

  function begin(): Promise<void> {
    reading ??= readOn().finally(() => {
      reading = undefined;
    });
    return reading;
  }

  return {
    add(rows) {
      if (isAll) runner.add(rows);
      else if (rows.length > 0) leftMore = true;
    },
    async reread() {
      // One that runs goes on from where it is; what it has read already is read again.
      await reading;
      isAll = false;
      after = 0;
      await begin();
    },
    refill() {
      if (!isAll && reading === undefined && runner.pending() < most) begin().catch(onFailed);
    },
  };
}
