/** Answers to commands: once per effect, under the post that asked. */
import type { Address } from '../machines/addresses.ts';
import type { Place } from '../machines/effects.ts';
import type { Posting } from './posting.ts';

export interface Answer {
  readonly message: string;
  readonly fileIds?: readonly string[];
}

/** In the thread of the post that asked, or as a thread of its own. @param key of the effect that answers */
export type Reply = (
  key: string,
  owner: Address,
  to: { readonly place: Place; readonly replyTo: string },
  answer: string | Answer,
) => Promise<void>;

export function createReply(posting: Pick<Posting, 'create'>): Reply {
  return async (key, owner, { place, replyTo }, answer) => {
    const rootId = place.rootId === '' ? replyTo : place.rootId;
    const said = typeof answer === 'string' ? { message: answer } : answer;
    await posting.create({ key: `reply/${key}`, owner, channelId: place.channelId, rootId, ...said }, 'final');
  };
}
