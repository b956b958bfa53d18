/** Remembers whether the chat can be heard, and tells the root actor when that changes. */
import type { Logger } from 'pino';
import type { SocketState } from './adapters/mattermost/index.ts';
import { GATEWAY } from './machines/addresses.ts';
import type { Gateway } from './wiring.ts';

export interface ChatFollower {
  name(): SocketState['name'];
  onState(state: SocketState): void;
}

export function followChat({ runtime, metrics }: Gateway, log: Logger): ChatFollower {
  let state: SocketState = { name: 'connecting', since: Date.now() };
  return {
    name: () => state.name,
    onState(next) {
      const was = state.name;
      state = next;
      log.info({ ...next }, 'chat connection');
      if (next.name === was || !runtime.stats().leading) return;
      if (next.name === 'up') metrics.reconnects.inc({ link: 'chat' });
      const reason = 'reason' in next ? next.reason : next.name;
      const type = next.name === 'up' ? 'SYSTEM.UP' : 'SYSTEM.DOWN';
      const event = { type, at: next.since, system: 'chat', reason };
      runtime
        .deliver([{ to: GATEWAY, event, dedupKey: `chat/${type}/${next.since}` }])
        .catch((error: unknown) => log.error({ err: error }, 'could not tell the root of the chat'));
    },
  };
}
