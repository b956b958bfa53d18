/**
 * Requests that are answered in words or by a reaction. Both are worth what a click is worth: the same people may give them,
 * the first one counts, and who comes too late is not left without an answer.
 */
import type { ActorView, Runtime } from '../actors/index.ts';
import { adviceBySign, answerBySign, answerInWords, isDecision } from '../chat/answers.ts';
import type { PromptPosted } from '../chat/events.ts';
import { type Address, approvalAddress } from '../machines/addresses.ts';
import type { ApprovalContext, Verdict } from '../machines/approval/context.ts';
import type { ChartEvent } from '../machines/events.ts';
import type { Person, SessionContext } from '../machines/session/context.ts';
import { readWithCard } from './cardWait.ts';
import { isOpen, NO_ADMIN } from './decisions.ts';

export interface AnswerPorts {
  readonly runtime: Pick<Runtime, 'read'>;
  /** Why the person may not decide; undefined if they may. */
  readonly whyNot: (person: Person, context: ApprovalContext) => Promise<string | undefined>;
  /** Whether the person may open a host for good, for everybody. */
  readonly mayOpenForGood: (person: Person) => boolean;
  /** When the chat server made the post, by its own clock, which is that of messages too; undefined if it is gone. */
  readonly postedAt: (postId: string) => Promise<number | undefined>;
  /** How long answers wait for their card. Milliseconds. */
  readonly patienceMs?: number;
}

/** What becomes of what a person said or did. */
export type Answered = { readonly kind: 'decide'; readonly to: Address; readonly event: ChartEvent } | Refused;

interface Refused {
  readonly kind: 'refuse';
  readonly approval: Address;
  readonly human: string;
  readonly channelId: string;
  readonly rootId: string;
}

export interface Said {
  readonly session: Address;
  readonly by: Person;
  /** The message it is if nothing is asked. */
  readonly prompt: PromptPosted;
}

export interface Sign {
  readonly postId: string;
  readonly emoji: string;
  readonly by: Person;
  readonly at: number;
}

export interface Answers {
  /** @returns undefined if the words answer nothing that is asked in this session */
  inWords(said: Said): Promise<Answered | undefined>;
  /** @param owner of the card. @returns undefined if the card is of no use any more, or the sign means nothing there */
  bySign(owner: Address, sign: Sign): Promise<Answered | undefined>;
}

/** A moment: what else is said in the channel waits as well. */
const PATIENCE_MS = 3_000;

/** So many late cards are remembered. Most are never looked at again; one that is forgotten is waited for once more. */
const MOST_LATE = 200;

export function createAnswers(ports: AnswerPorts): Answers {
  const { runtime, whyNot, mayOpenForGood, postedAt, patienceMs = PATIENCE_MS } = ports;
  /** Cards that did not come in time. They are not waited for again, or every message would stop the channel anew. */
  const late = new Set<Address>();

  /** Who may decide may still not decide everything. */
  const whyNotThat = async (by: Person, context: ApprovalContext, verdict?: Verdict): Promise<string | undefined> =>
    (await whyNot(by, context)) ?? (verdict?.scope === 'always' && !mayOpenForGood(by) ? NO_ADMIN : undefined);

  /** Who waits for the same card waits no longer than the first: it would be decided by who came later. */
  const underWay = new Map<Address, Promise<ActorView | undefined>>();
  const readPosted = (approval: Address): Promise<ActorView | undefined> => {
    const known = underWay.get(approval);
    if (known) return known;
    const reading = readOnce(approval).finally(() => underWay.delete(approval));
    underWay.set(approval, reading);
    return reading;
  };

  const readOnce = async (approval: Address): Promise<ActorView | undefined> => {
    const patience = late.has(approval) ? 0 : patienceMs;
    const view = await readWithCard(runtime, approval, isComing, { patienceMs: patience, now: Date.now });
    late.delete(approval);
    if (view !== undefined && isComing(view)) late.add(approval);
    const [oldest] = late;
    if (oldest !== undefined && late.size > MOST_LATE) late.delete(oldest);
    return view;
  };

  /** What stood in the thread before the message did: nobody answers what they have not seen. */
  const openRequests = async (session: Address, { addressed, at, text }: PromptPosted): Promise<ActorView[]> => {
    const view = await runtime.read(session);
    const { open = [], audience } = (view?.context ?? {}) as Partial<SessionContext>;
    if (audience === 'mentions' && !addressed) return [];
    const views = await Promise.all(open.map((id) => readPosted(approvalAddress(session, id))));
    const asking = views.filter((each): each is ActorView => each?.status === 'active' && isOpen(each));
    if (!isDecision(text) && !asking.some(isInWords)) return [];
    const shownAt = await Promise.all(asking.map((each) => postedAt(contextOf(each).cardPostId)));
    return asking.filter((_, index) => (shownAt[index] ?? 0) <= at);
  };

  return {
    async inWords({ session, by, prompt }) {
      const { text } = prompt;
      const open = await openRequests(session, prompt);
      const asked = open.filter(isInWords);
      const [first] = asked.length > 0 ? asked : isDecision(text) ? open : [];
      if (!first) return undefined;
      const refuse = (human: string): Answered => {
        const { channelId, rootId } = contextOf(first);
        return { kind: 'refuse', approval: first.address, human, channelId, rootId };
      };
      const answer = answerInWords(contextOf(first), text, by, prompt.at);
      if (!answer) return undefined;
      const several = asked.length > 1 || (open.length > 1 && isDecision(text));
      if (several) {
        return refuse(
          `${open.length} requests wait here, so it is not clear which one you mean. Use the buttons or react to the card.`,
        );
      }
      const human = await whyNotThat(by, contextOf(first), answer.kind === 'verdict' ? answer.verdict : undefined);
      if (human !== undefined) return refuse(human);
      if (answer.kind === 'unclear') return refuse(answer.human);
      const event = { type: 'DECIDE', at: prompt.at, verdict: answer.verdict, said: { ...prompt, addressed: true } };
      return { kind: 'decide', to: first.address, event };
    },
    async bySign(owner, { postId, emoji, by, at }) {
      const view = await readPosted(owner);
      if (view?.kind !== 'approval' || view.status !== 'active' || !isOpen(view)) return undefined;
      const context = contextOf(view);
      if (context.cardPostId !== postId) return undefined;
      const { channelId, rootId } = context;
      const advice = adviceBySign(context, emoji);
      if (advice !== undefined) return { kind: 'refuse', approval: owner, human: advice, channelId, rootId };
      const verdict = answerBySign(context, emoji, by, at);
      if (!verdict) return undefined;
      const human = await whyNotThat(by, context, verdict);
      if (human !== undefined) return { kind: 'refuse', approval: owner, human, channelId, rootId };
      return { kind: 'decide', to: view.address, event: { type: 'DECIDE', at, verdict } };
    },
  };
}

function contextOf(view: ActorView): ApprovalContext {
  return view.context as ApprovalContext;
}

function isComing({ status, value }: ActorView): boolean {
  return status === 'active' && value === 'posting';
}

/** Any words can be the answer. */
function isInWords(view: ActorView): boolean {
  return ['question', 'plan'].includes(contextOf(view).kind);
}

/** Under which a reaction is taken once. */
export function signKey({ postId, emoji, by, at }: Sign): string {
  return `sign/${postId}/${by.id}/${emoji}/${at}`;
}

/** Said to the person, in the thread of the card. */
export function refusedSign({ postId, by, at }: Sign, { human, channelId, rootId }: Refused): ChartEvent {
  return { type: 'COMMAND.REFUSED', at, postId, channelId, rootId, userId: by.id, userName: by.name, message: human };
}
