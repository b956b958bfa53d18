/** Reading up on what happened in the chat while nobody listened. */
import type { Log, Runtime, StorePorts } from '../actors/index.ts';
import { catchUp, type MattermostRest } from '../adapters/mattermost/index.ts';
import type { Ingress } from './ingress.ts';

export interface RecoveryPorts {
  readonly rest: MattermostRest;
  readonly store: StorePorts;
  readonly runtime: Pick<Runtime, 'deliver'>;
  readonly ingress: Ingress;
  readonly teamId: string;
  readonly log: Log;
}

export interface Recovery {
  /** Reads every channel from its committed cursor. Calls that come while one runs share one more run after it. */
  readUp(reason: string): Promise<void>;
}

export function createRecovery(ports: RecoveryPorts): Recovery {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const run = async (reason: string): Promise<void> => {
    running = readChannels(ports, reason);
    try {
      await running;
    } finally {
      running = undefined;
    }
  };
  return {
    readUp(reason) {
      if (!running) return run(reason);
      next ??= running
        .catch(() => undefined)
        .then(() => {
          next = undefined;
          return run(reason);
        });
      return next;
    },
  };
}

async function readChannels(
  { rest, store, runtime, ingress, teamId, log }: RecoveryPorts,
  reason: string,
): Promise<void> {
  const channels = await rest.myChannels(teamId);
  const cursors = new Map((await store.chatCursors()).map(({ channelId, readUpTo }) => [channelId, readUpTo]));
  // A channel seen for the first time begins now: what was said before is none of the bot's business.
  const fresh = channels.filter(({ id }) => !cursors.has(id));
  await runtime.deliver([], {
    cursors: fresh.map(({ id, lastPostAt }) => ({ channelId: id, readUpTo: lastPostAt })),
  });
  const report = await catchUp({
    rest,
    channels: channels.map(({ id }) => id),
    cursorOf: (channelId) => {
      const at = cursors.get(channelId);
      return at === undefined ? undefined : { postId: '', at };
    },
    deliver: (event) => ingress.take(event),
  });
  log.info({ reason, ...report, failed: report.failed.length }, 'channels read up');
  const [failure] = report.failed;
  if (failure) throw new Error(`Channel ${failure.channelId} could not be read`, { cause: failure.error });
}
