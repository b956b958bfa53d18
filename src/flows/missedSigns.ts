/** Reactions to cards while nobody listened: unlike posts they are in no list of the channel, so each open card is asked for. */
import type { StorePorts } from '../actors/index.ts';
import { type ChatReaction, isChatError, type MattermostRest } from '../adapters/mattermost/index.ts';
import type { ApprovalContext } from '../machines/approval/context.ts';
import type { Ingress } from './ingress.ts';

export interface MissedSignPorts {
  readonly rest: Pick<MattermostRest, 'reactions'>;
  readonly store: Pick<StorePorts, 'listActors'>;
  readonly ingress: Pick<Ingress, 'takeRead'>;
}

/** Takes what the cards that still wait have got by now; what was taken before is recognised. Oldest first. */
export async function readMissedSigns({ rest, store, ingress }: MissedSignPorts): Promise<void> {
  const waiting = await store.listActors({ kind: 'approval', status: 'active', states: ['pending', 'failed'] });
  for (const { context } of waiting) {
    const { cardPostId, channelId } = context as ApprovalContext;
    if (cardPostId === '') continue;
    const signs = await rest.reactions(cardPostId).catch((error: unknown): ChatReaction[] => {
      // A card in a channel that the bot has left keeps nobody waiting.
      if (isChatError(error) && !error.retryable) return [];
      throw error;
    });
    for (const sign of [...signs].sort((a, b) => a.createAt - b.createAt)) {
      await ingress.takeRead({ type: 'reactionAdded', channelId, ...sign });
    }
  }
}
