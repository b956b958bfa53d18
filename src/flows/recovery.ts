/** Reading up on what happened in the chat while nobody listened. */
import type { Log, Runtime, StorePorts } from '../actors/index.ts';
import { type ChatChannel, catchUp, type MattermostRest } from '../adapters/mattermost/index.ts';
import type { Ingress } from './ingress.ts';
import { readMissedSigns } from './missedSigns.ts';
import type { ReadGate } from './readGate.ts';

export interface RecoveryPorts {
  readonly rest: MattermostRest;
  readonly store: StorePorts;
  readonly runtime: Pick<Runtime, 'deliver'>;
  readonly ingress: Pick<Ingress, 'takeRead'>;
  readonly gate: ReadGate;
  readonly botUserId: string;
  readonly teamId: string;
  readonly log: Log;
}

export interface Recovery {
  /**
   * Reads every channel from its committed cursor; what the stream tells meanwhile waits. Calls that come while one runs
   * share one more run after it. Rejects if a channel could not be read, which then stays closed: call again.
   */
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
      ports.gate.close();
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
  { rest, store, runtime, ingress, gate, botUserId, teamId, log }: RecoveryPorts,
  reason: string,
): Promise<void> {
  const mark = gate.mark();
  const channels = await rest.myChannels(teamId);
  const cursors = new Map((await store.chatCursors()).map(({ channelId, readUpTo }) => [channelId, readUpTo]));
  const isFirstRun = cursors.size === 0;
  const fresh = channels
    .filter(({ id }) => !cursors.has(id))
    .map((channel) => ({ ...channel, from: beginningOf(channel, botUserId, isFirstRun) }));
  await runtime.deliver([], {
    cursors: fresh.map(({ id, from, lastPostAt }) => ({ channelId: id, readUpTo: from ?? lastPostAt })),
  });
  for (const { id, from } of fresh) if (from !== undefined) cursors.set(id, from);
  const report = await catchUp({
    rest,
    channels,
    cursorOf: (channelId) => {
      const at = cursors.get(channelId);
      return at === undefined ? undefined : { postId: '', at };
    },
    deliver: (event) => ingress.takeRead(event),
    // Not before: edits and deletions are told by when they happened, and come after the posts.
    onRead: async (channelId, upTo) => {
      if (upTo !== undefined) await runtime.deliver([], { cursors: [{ channelId, readUpTo: upTo }] });
      gate.open(channelId, mark);
    },
  });
  gate.openAll(
    mark,
    report.failed.map(({ channelId }) => channelId),
  );
  await readMissedSigns({ rest, store, ingress });
  log.info({ reason, ...report, failed: report.failed.length }, 'channels read up');
  const [failure] = report.failed;
  if (failure) throw new Error(`Channel ${failure.channelId} could not be read`, { cause: failure.error });
}

/**
 * From when a channel that is seen for the first time is read. One that the bot made is its business from the beginning: it
 * may have died before it heard the first word there. So is one of a person and the bot, unless the bot is older than this
 * gateway. Elsewhere, what was said before it came is not.
 * @returns undefined: nothing that was said there is read
 */
function beginningOf(
  { type, creatorId, createAt }: ChatChannel,
  botUserId: string,
  isFirstRun: boolean,
): number | undefined {
  return creatorId === botUserId || (type === 'D' && !isFirstRun) ? createAt : undefined;
}
