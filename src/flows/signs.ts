/**
 * Reactions on their way to the cards that they decide. Their channel does not wait for them, since a card may still be to
 * come; what would decide the same card does, so that the first one wins by when it was given.
 */
import type { Runtime, StorePorts } from '../actors/index.ts';
import type { ChatEvent, MattermostRest } from '../adapters/mattermost/index.ts';
import { type Address, GATEWAY, sessionOfApproval } from '../machines/addresses.ts';
import { type Answers, refusedSign, signKey } from './answers.ts';
import type { RefusedDecision } from './decisions.ts';

export interface SignPorts {
  readonly runtime: Pick<Runtime, 'deliver'>;
  readonly store: Pick<StorePorts, 'findPost'>;
  readonly rest: Pick<MattermostRest, 'getPost'>;
  readonly answers: Pick<Answers, 'bySign'>;
  readonly botUserId: string;
  readonly nameOf: (userId: string) => Promise<string>;
  /** Remembers an answer that was refused. */
  readonly onRefused: (refusal: RefusedDecision) => Promise<void>;
}

export type ReactionAdded = Extract<ChatEvent, { type: 'reactionAdded' }>;

export interface Signs {
  /** A reaction to a card counts as a click. Reactions to anything else say nothing. Taken in order for each post. */
  take(sign: ReactionAdded): Promise<void>;
  /**
   * Resolves when the reactions in this channel that came before now are taken, as far as they are to cards of the session.
   * @returns whether there were any
   */
  before(session: Address, channelId: string): Promise<boolean>;
}

interface UnderWay {
  readonly postId: string;
  readonly channelId: string;
  readonly owner: Promise<Address | undefined>;
  /** When it is taken or could not be, which is the business of who brought it. */
  readonly over: Promise<void>;
}

export function createSigns(ports: SignPorts): Signs {
  const underWay = new Set<UnderWay>();

  const decide = async (owner: Address, { postId, emoji, userId, createAt }: ReactionAdded): Promise<void> => {
    const by = { id: userId, name: await ports.nameOf(userId) };
    const sign = { postId, emoji, by, at: createAt };
    const answered = await ports.answers.bySign(owner, sign);
    if (!answered) return;
    if (answered.kind === 'refuse') {
      const { approval, human: why } = answered;
      await ports.onRefused({ by, approval, action: emoji, postId, why, key: signKey(sign) });
    }
    const { to, event } = answered.kind === 'decide' ? answered : { to: GATEWAY, event: refusedSign(sign, answered) };
    await ports.runtime.deliver([{ to, event, dedupKey: signKey(sign), cause: `chat/${userId}` }]);
  };

  return {
    take(sign) {
      const { postId, channelId, userId } = sign;
      if (userId === ports.botUserId) return Promise.resolve();
      const earlier = [...underWay].findLast((each) => each.postId === postId);
      const owner = ownerOfCard(ports, postId);
      const taken = Promise.all([owner, earlier?.over]).then(([of]) =>
        of === undefined ? undefined : decide(of, sign),
      );
      const over = taken.catch(() => undefined).then(() => void underWay.delete(entry));
      const entry: UnderWay = { postId, channelId, owner, over };
      underWay.add(entry);
      return taken;
    },
    async before(session, channelId) {
      const earlier = [...underWay].filter((each) => each.channelId === channelId);
      const waited = await Promise.all(
        earlier.map(async ({ owner, over }) => {
          const of = await owner.catch(() => undefined);
          if (of === undefined || sessionOfApproval(of) !== session) return false;
          await over;
          return true;
        }),
      );
      return waited.includes(true);
    },
  };
}

/** The approval that the post is the card of; the card may have been made a moment ago. */
async function ownerOfCard({ store, rest, botUserId }: SignPorts, postId: string): Promise<Address | undefined> {
  const known = await store.findPost(postId);
  if (known) return known.key.startsWith('card/') ? known.session : undefined;
  const post = await rest.getPost(postId);
  const of = post?.userId === botUserId ? /^card\/approval\/(.+)\/\d+$/.exec(post.key ?? '')?.[1] : undefined;
  return of === undefined ? undefined : `approval/${of}`;
}
