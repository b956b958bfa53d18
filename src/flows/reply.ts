/** Answers to commands: once per effect, under the post that asked. */
import { POST_MAX } from '../chat/render/layout.ts';
import { clip } from '../chat/render/lines.ts';
import { asCalled } from '../chat/trigger.ts';
import type { Address } from '../machines/addresses.ts';
import type { Place } from '../machines/effects.ts';
import type { Posting } from './posting.ts';

/** May hold what others have written, and is left as it is. */
export interface Answer {
  readonly message: string;
  readonly fileIds?: readonly string[];
}

/**
 * In the thread of the post that asked, or as a thread of its own.
 * @param key of the effect that answers
 * @param answer words alone are our own: they name the bot as it is called here
 */
export type Reply = (
  key: string,
  owner: Address,
  to: { readonly place: Place; readonly replyTo: string },
  answer: string | Answer,
) => Promise<void>;

export function createReply(posting: Pick<Posting, 'create'>, trigger: string): Reply {
  return async (key, owner, { place, replyTo }, answer) => {
    const rootId = place.rootId === '' ? replyTo : place.rootId;
    // What is too long would be refused, and who asked would get no answer at all.
    const said = typeof answer === 'string' ? { message: clip(asCalled(answer, trigger), POST_MAX) } : answer;
    await posting.create({ key: `reply/${key}`, owner, channelId: place.channelId, rootId, ...said }, 'final');
  };
}
