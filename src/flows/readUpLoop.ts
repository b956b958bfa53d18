/** Reading the channels up until it works, however often it is asked for meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../actors/index.ts';
import type { ReadGate } from './readGate.ts';
import type { Recovery } from './recovery.ts';

export interface ReadUpLoopPorts {
  readonly recovery: Pick<Recovery, 'readUp'>;
  readonly gate: Pick<ReadGate, 'close'>;
  readonly log: Log;
  /** Resolves after `ms`, or at once when the signal is aborted. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

const PAUSE_MS = { first: 1_000, longest: 60_000 };

/**
 * @param ending nothing is begun any more once it is aborted
 * @returns what asks for it. Nothing passes from then on until everything is read. There is one loop, whoever asks: it tries
 * again ever more seldom while it fails, and at once when it is asked again, since that may mean that the chat is back.
 */
export function createReadUpLoop(
  { recovery, gate, log, wait = waitOrEnd }: ReadUpLoopPorts,
  ending: AbortSignal,
): (reason: string) => void {
  let wanted: string | undefined;
  let isGoing = false;
  let asked = new AbortController();
  ending.addEventListener('abort', () => asked.abort(), { once: true });

  async function go(): Promise<void> {
    isGoing = true;
    try {
      for (let pause = PAUSE_MS.first; wanted !== undefined && !ending.aborted; ) {
        const reason = wanted;
        wanted = undefined;
        try {
          await recovery.readUp(reason);
          pause = PAUSE_MS.first;
        } catch (error) {
          if (ending.aborted) return;
          log.warn({ err: error, reason, pause }, 'the channels could not be read up; trying again');
          wanted ??= reason;
          await wait(pause, asked.signal);
          pause = Math.min(PAUSE_MS.longest, pause * 2);
        }
      }
    } finally {
      isGoing = false;
    }
  }

  return (reason) => {
    gate.close();
    wanted = reason;
    asked.abort();
    asked = new AbortController();
    if (!isGoing) go().catch((error: unknown) => log.error({ err: error }, 'the channels are not read up any more'));
  };
}

async function waitOrEnd(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
