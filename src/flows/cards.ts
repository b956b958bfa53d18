/** Cards of approvals: made from the committed state of the approval, never from what the server gives back. */
import type { ActorView, EffectHandlers, Runtime, StorePorts } from '../actors/index.ts';
import { isChatError, type MattermostRest, type Props } from '../adapters/mattermost/index.ts';
import { reminderText, renderCard } from '../chat/cards.ts';
import type { ApprovalContext } from '../machines/approval/context.ts';
import type { Json, JsonObject } from '../machines/json.ts';
import type { Notices } from './notices.ts';
import { contentHash, isGone, type Posting } from './posting.ts';

export interface Cards {
  render(view: ActorView): { readonly message: string; readonly props: Props };
}

export interface CardPorts {
  readonly callbackUrl: string;
  /** What an approval of network access opens, and for whom. */
  readonly reach: string;
  readonly sign: (action: { approval: string; action: string; generation: number }) => JsonObject;
}

export function createCards({ callbackUrl, reach, sign }: CardPorts): Cards {
  return {
    render(view) {
      const context = view.context as ApprovalContext;
      const signed = (action: string) => sign({ approval: view.address, action, generation: context.cardGeneration });
      return renderCard(context, stateOf(view.value), signed, { reach, url: callbackUrl });
    },
  };
}

/** The outermost state: `settled` whatever it settled to. */
export function stateOf(value: Json): string {
  if (typeof value === 'string') return value;
  return typeof value === 'object' && value !== null ? (Object.keys(value)[0] ?? '') : '';
}

export interface CardEffectPorts {
  readonly cards: Cards;
  readonly runtime: Pick<Runtime, 'read' | 'deliver'>;
  readonly store: StorePorts;
  readonly rest: MattermostRest;
  readonly posting: Posting;
  /** Brings the thread up to date, so that the card stands below what led to it. */
  readonly settleThread: (session: ApprovalContext['session']) => Promise<void>;
  /** Words for the thread if too few in the channel may decide; empty if there are enough. */
  readonly whoIsMissing: (context: ApprovalContext) => Promise<string>;
  readonly notices: Pick<Notices, 'forCard'>;
  readonly permalink: (postId: string) => string;
  readonly now: () => number;
  /** How long a card that is posted waits to be known, for who is missing to be found. Milliseconds. */
  readonly patienceMs?: number;
}

/** Until its card is known nobody can decide by it. */
const PATIENCE_MS = 3_000;

export function cardHandlers(ports: CardEffectPorts) {
  const { cards, posting, rest, runtime, store } = ports;
  /** Not to know who is there must not keep the card from being known. */
  const missing = (context: ApprovalContext): Promise<string> =>
    ports.whoIsMissing(context).catch((error: unknown) => {
      if (isChatError(error)) return '';
      throw error;
    });
  return {
    'chat.card': async ({ params: { approval } }) => {
      const view = await runtime.read(approval);
      if (!view) return { postId: '' };
      const context = view.context as ApprovalContext;
      const { message, props } = cards.render(view);
      const key = `card/${approval}/${context.cardGeneration}`;
      if (context.cardPostId === '') {
        await ports.settleThread(context.session);
        const { channelId, rootId } = context;
        // Only a new post calls people; once it is changed it needs nobody any more.
        const said = [await ports.notices.forCard(context), message].filter((words) => words !== '').join('\n');
        const post = { key, owner: approval, channelId, rootId, message: said, props };
        const postId = await posting.create(post, 'question');
        return { postId, missing: await within(ports.patienceMs ?? PATIENCE_MS, missing(context)) };
      }
      try {
        await posting.call('decision', () => rest.patchPost(context.cardPostId, { message, props }));
        await store.postPatched(key, contentHash(message, props));
      } catch (error) {
        if (!isGone(error)) throw error;
        await store.postGone(key);
        const event = { type: 'CARD.DELETED', at: ports.now() };
        await runtime.deliver([{ to: approval, event, dedupKey: `deleted/${context.cardPostId}` }]);
      }
      return { postId: context.cardPostId };
    },
    'chat.remind': async ({ params: { approval, time } }) => {
      const view = await runtime.read(approval);
      // Answered meanwhile.
      if (view?.status !== 'active' || view.value !== 'pending') return;
      const context = view.context as ApprovalContext;
      const { session, requestId, channelId, rootId, cardPostId } = context;
      const now = ports.now();
      // As if it had just been asked: whoever wants to be called for cards is called.
      const call = await ports.notices.forCard({ ...context, cardGeneration: 1, askedAt: now });
      const words = reminderText(context, now, ports.permalink(cardPostId));
      const message = [call, words].filter((part) => part !== '').join('\n');
      const key = `${session}|reminder/${requestId}/${time}`;
      await posting.create({ key, owner: session, channelId, rootId, message }, 'question');
    },
  } satisfies EffectHandlers;
}

/** Nothing, if it is not known in time. */
async function within(ms: number, words: Promise<string>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, ms, '');
  });
  try {
    return await Promise.race([words, late]);
  } finally {
    clearTimeout(timer);
  }
}
