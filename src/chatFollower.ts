/** Remembers whether the chat can be heard, and tells the root actor when that changes. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { FencedError } from './actors/index.ts';
import type { SocketState } from './adapters/mattermost/index.ts';
import { GATEWAY } from './machines/addresses.ts';
import type { Gateway } from './wiring.ts';

const RETRY_MS = 2_000;

export interface ChatFollower {
  name(): SocketState['name'];
  /** @param term of the lead that listens: once it is over, the root hears of it from the next one only. */
  onState(state: SocketState, term: number): void;
}

interface News {
  readonly state: SocketState;
  readonly term: number;
}

/** @param wait between two attempts to tell the root */
export function followChat(
  { runtime, metrics }: { readonly runtime: Pick<Gateway['runtime'], 'deliver'>; readonly metrics: Gateway['metrics'] },
  log: Logger,
  wait: (ms: number) => Promise<void> = (ms) => sleep(ms, undefined, { ref: false }),
): ChatFollower {
  let state: SocketState = { name: 'connecting', since: Date.now() };
  let hasBeenUp = false;
  let untold: News | undefined;
  let isTelling = false;

  /** Until the newest is told: of the root it must not depend on one statement that got through. */
  async function tell(): Promise<void> {
    isTelling = true;
    for (let news = untold; news !== undefined; news = untold) {
      if (await isTold(news)) {
        if (untold === news) untold = undefined;
      } else await wait(RETRY_MS);
    }
    isTelling = false;
  }

  async function isTold({ state: { name, since, ...rest }, term }: News): Promise<boolean> {
    const type = name === 'up' ? 'SYSTEM.UP' : 'SYSTEM.DOWN';
    const reason = 'reason' in rest ? rest.reason : name;
    const event = { type, at: since, system: 'chat', reason };
    try {
      await runtime.deliver([{ to: GATEWAY, event, dedupKey: `chat/${type}/${since}` }], { term });
      return true;
    } catch (error) {
      if (error instanceof FencedError) return true;
      log.warn({ err: error }, 'could not tell the root of the chat; trying again');
      return false;
    }
  }

  return {
    name: () => state.name,
    onState(next, term) {
      const was = state.name;
      state = next;
      log.info({ ...next }, 'chat connection');
      // Stopped by this process itself: nothing is wrong with the chat.
      if (next.name === was || next.name === 'stopped') return;
      if (next.name === 'up') {
        if (hasBeenUp) metrics.reconnects.inc({ link: 'chat' });
        hasBeenUp = true;
      }
      untold = { state: next, term };
      if (!isTelling)
        tell().catch((error: unknown) => log.error({ err: error }, 'could not tell the root of the chat'));
    },
  };
}
