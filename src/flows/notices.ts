/**
 * Mentions of people: who asked for a turn that took long, and whom a card waits for. A mention is a part of a post that is
 * made once, so nobody is called twice, also not when something is shown again. What is older than a few minutes calls nobody:
 * a gateway that comes back would disturb people with what they have seen long since.
 */
import { type EffectHandlers, type Log, type Runtime, type StorePorts, TerminalError } from '../actors/index.ts';
import { cardNotice, endedNotice, longTurns, notifyText } from '../chat/notices.ts';
import type { TranscriptEntry } from '../chat/transcript.ts';
import type { Address } from '../machines/addresses.ts';
import type { ApprovalContext } from '../machines/approval/context.ts';
import type { Person, SessionContext } from '../machines/session/context.ts';
import { isQuiet, type QuietHours } from '../policy/quietHours.ts';
import type { Posting } from './posting.ts';
import type { Reply } from './reply.ts';

export interface NoticePorts {
  readonly store: Pick<StorePorts, 'withoutNotices' | 'heardFrom'>;
  readonly runtime: Pick<Runtime, 'read'>;
  readonly posting: Pick<Posting, 'create'>;
  /** Milliseconds; 0: nobody is called for turns. */
  readonly afterMs: number;
  readonly quietHours: QuietHours | null;
  readonly log: Log;
  readonly now: () => number;
}

export interface ShownThread {
  readonly session: Address;
  readonly channelId: string;
  readonly rootId: string;
  readonly entries: readonly TranscriptEntry[];
}

export interface Notices {
  /** The thread shows all this: calls who asked for what took long. @throws RetryableError */
  ended(thread: ShownThread): Promise<void>;
  /**
   * What the post of a new card says: a mention, or nothing. A card waits for neither the chat server nor a long transcript:
   * the session itself knows whose words its turn answers.
   */
  forCard(approval: ApprovalContext): Promise<string>;
}

/** News that is older than this calls nobody. */
const FRESH_MS = 10 * 60_000;

export function createNotices(ports: NoticePorts): Notices {
  const { posting, store, runtime, log } = ports;

  /** User names of those who want to be called. */
  const namesOf = async (people: readonly Person[]): Promise<string[]> => {
    const known = new Map(people.flatMap(({ id, name }) => (id === '' || name === '' ? [] : [[id, name]])));
    const silent = known.size === 0 ? [] : await store.withoutNotices([...known.keys()]);
    return [...known].flatMap(([id, name]) => (silent.includes(id) ? [] : [name]));
  };

  /** A mention is no reason for anything else to fail. */
  const orNothing = async <Result>(nothing: Result, work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof TerminalError)) throw error;
      log.warn({ err: error }, 'people could not be mentioned');
      return nothing;
    }
  };

  const isWanted = (at: number): boolean => !isQuiet(ports.quietHours, at) && ports.now() - at < FRESH_MS;

  return {
    ended({ session, channelId, rootId, entries }) {
      return orNothing(undefined, async () => {
        if (ports.afterMs === 0) return;
        for (const turn of longTurns(entries, ports.afterMs).filter(({ endedAt }) => isWanted(endedAt))) {
          const names = await namesOf(await store.heardFrom(session, turn.inputIds));
          if (names.length === 0) continue;
          const key = `${session}|notice/${turn.turnId}`;
          const message = endedNotice(names, turn);
          await posting.create({ key, owner: session, channelId, rootId, message }, 'final');
        }
      });
    },
    forCard(approval) {
      return orNothing('', async () => {
        // One that takes the place of a deleted card has called already.
        if (approval.cardGeneration > 1 || !isWanted(approval.askedAt)) return '';
        const session = (await runtime.read(approval.session))?.context as SessionContext | undefined;
        return cardNotice(await namesOf([session?.turn?.by ?? approval.askedFor]));
      });
    },
  };
}

export function noticeHandlers({
  store,
  reply,
  trigger,
}: {
  readonly store: Pick<StorePorts, 'withoutNotices' | 'putNotices'>;
  readonly reply: Reply;
  readonly trigger: string;
}) {
  return {
    'chat.notify': async ({ key, actor, params }) => {
      const { userId, on } = params;
      if (on !== null) await store.putNotices(userId, on);
      const isOn = on ?? (await store.withoutNotices([userId])).length === 0;
      return reply(key, actor, params, notifyText(isOn, on !== null, trigger));
    },
  } satisfies EffectHandlers;
}
