/** Reading an approval whose card people may already see. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ActorView, Runtime } from '../actors/index.ts';
import type { Address } from '../machines/addresses.ts';

/** How often is looked whether a card is known. */
const LOOK_MS = 50;

export interface CardWait {
  /** Milliseconds. */
  readonly patienceMs: number;
  readonly now: () => number;
}

/**
 * People see a card before the step that posted it is committed; much before, if the gateway ended in between. What they do
 * to it waits for that, since only then is known which post the card is.
 * @param isComing whether the step is still to come
 * @returns the approval as it is then, or as it is when the patience is over
 */
export async function readWithCard(
  runtime: Pick<Runtime, 'read'>,
  approval: Address,
  isComing: (view: ActorView) => boolean,
  { patienceMs, now }: CardWait,
): Promise<ActorView | undefined> {
  for (const end = now() + patienceMs; ; await sleep(LOOK_MS)) {
    const view = await runtime.read(approval);
    if (view === undefined || !isComing(view) || now() >= end) return view;
  }
}
