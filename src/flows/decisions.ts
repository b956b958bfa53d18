/**
 * From a click to a decision. A click proves only that somebody pressed something somewhere: the signature says that the
 * button is ours and means this request, the stored card says that it is the one that was pressed, and the approval's own
 * inbox decides which click came first.
 */
import type { ActorView, Log, Runtime } from '../actors/index.ts';
import { type CallbackAnswer, type CallbackBody, NOT_VALID, type verifyAction } from '../adapters/http/index.ts';
import { adviceOf, CLOSE, FOR_GOOD, isClosable, verdictOf } from '../chat/cards.ts';
import type { Address } from '../machines/addresses.ts';
import type { ApprovalContext, Verdict } from '../machines/approval/context.ts';
import type { Person } from '../machines/session/context.ts';
import { type Cards, stateOf } from './cards.ts';
import { readWithCard } from './cardWait.ts';

/** How long each of two steps of a click may take. The chat server gives up after 30 s. */
const PATIENCE_MS = 10_000;

export interface DecisionPorts {
  readonly runtime: Pick<Runtime, 'read' | 'deliverAndWait'>;
  readonly cards: Cards;
  readonly verify: (action: Parameters<typeof verifyAction>[1]) => boolean;
  /** Whether the person may open a host for good, for everybody. */
  readonly mayOpenForGood: (person: Person) => boolean;
  /** Whether the person may close what was opened: whoever may say so in the thread. */
  readonly mayClose: (person: Person) => boolean;
  /** Why the person may not decide; undefined if they may. */
  readonly whyNot: (person: Person, context: ApprovalContext) => Promise<string | undefined>;
  /** Remembers what was refused. */
  readonly onRefused: (refusal: RefusedDecision) => Promise<void>;
  readonly log: Log;
  readonly now: () => number;
}

export interface RefusedDecision {
  readonly by: Person;
  readonly approval: Address;
  /** The button, the reaction, or `words`. */
  readonly action: string;
  readonly postId: string;
  readonly why: string;
  /** Under which it is recorded once; absent: each is its own. */
  readonly key?: string;
}

/** Answers a click. Never throws for what a stranger can cause; always says what happened. */
export async function decide(ports: DecisionPorts, click: CallbackBody): Promise<CallbackAnswer> {
  const { approval, action, generation, mac } = click.context;
  if (!ports.verify({ approval, action, generation, mac })) return refuse(ports, click, 'a button that is not ours');
  const view = await readWithCard(ports.runtime, approval, (each) => isBeingPosted(each, generation), {
    patienceMs: PATIENCE_MS,
    now: ports.now,
  });
  if (view?.kind !== 'approval') return refuse(ports, click, 'a request that does not exist');
  const context = view.context as ApprovalContext;
  if (isBeingPosted(view, generation))
    return whisper('This card is still being put up. Please click again in a moment.');
  const person = { id: click.userId, name: click.userName };
  if (!isThatCard(context, click)) return refuse(ports, click, 'another post than the card');
  if (action === CLOSE) return close(ports, view, person, click);
  const human = await ports.whyNot(person, context);
  if (human !== undefined) return refuse(ports, click, 'a person who may not decide', human);
  if (view.status !== 'active') {
    return whisper('This request was set aside or ended, as said in its thread, so nobody can decide it any more.');
  }
  if (!isOpen(view)) {
    await ports.onRefused({ by: person, approval, action, postId: click.postId, why: 'it was decided already' });
    return current(ports, view, 'This was decided already.');
  }

  const advice = adviceOf(context, action);
  if (advice !== undefined) return whisper(advice);
  if (action === FOR_GOOD && !ports.mayOpenForGood(person)) {
    return refuse(ports, click, 'a person who is no admin', NO_ADMIN);
  }
  const verdict = verdictOf(context, action, person, ports.now());
  if (!verdict) return refuse(ports, click, 'an unknown action');
  return take(ports, view, verdict, click);
}

/** What was opened is closed again; to close is less than to open, so more people may. */
async function close(ports: DecisionPorts, view: ActorView, by: Person, click: CallbackBody): Promise<CallbackAnswer> {
  const { address, status, value, context } = view;
  if (!ports.mayClose(by)) return refuse(ports, click, 'a person who may not close it', NOT_YOURS);
  if (status !== 'active' || !isClosable(context as ApprovalContext, stateOf(value))) {
    return current(ports, view, 'There is nothing open here (any more).');
  }
  const event = { type: 'REVOKE', at: ports.now(), reason: `Closed by ${by.name}.`, by: { ...by } };
  const item = { to: address, event, dedupKey: clickKey(click), cause: `click/${by.id}` };
  const result = await ports.runtime.deliverAndWait(item, { timeoutMs: PATIENCE_MS });
  if (result === 'timeout' || result === 'busy') return whisper('It will be closed in a moment.');
  return current(ports, (await ports.runtime.read(address)) ?? view, '');
}

const NOT_YOURS = 'You are not one of the people who may close this.';

/** Said to who wants to open more than they may. */
export const NO_ADMIN =
  'Only an admin (SM_ADMINS) may open a host for everybody and for good. The other ways are for you.';

/** This card, and not one that was put up anew since. */
function isBeingPosted({ kind, status, context }: ActorView, generation: number): boolean {
  if (kind !== 'approval' || status !== 'active') return false;
  const { cardPostId, cardGeneration } = context as ApprovalContext;
  return cardPostId === '' && cardGeneration === generation;
}

function isThatCard(context: ApprovalContext, click: CallbackBody): boolean {
  return (
    context.cardPostId === click.postId &&
    context.channelId === click.channelId &&
    context.cardGeneration === click.context.generation
  );
}

/** Whether a decision would still change something. */
export function isOpen(view: ActorView): boolean {
  return view.value === 'pending' || view.value === 'failed';
}

async function take(
  ports: DecisionPorts,
  view: ActorView,
  verdict: Verdict,
  click: CallbackBody,
): Promise<CallbackAnswer> {
  const key = clickKey(click);
  const event = { type: 'DECIDE', at: verdict.at, verdict };
  const result = await ports.runtime.deliverAndWait(
    { to: view.address, event, dedupKey: key, cause: `click/${click.userId}` },
    { timeoutMs: PATIENCE_MS },
  );
  const after = (await ports.runtime.read(view.address)) ?? view;
  const taken = (after.context as ApprovalContext).verdict;
  if (result === 'timeout' || result === 'busy') {
    return whisper('Your decision was noted and will be carried out in a moment.');
  }
  if (taken === null) return current(ports, after, NOT_ALONE);
  const mine = taken.by.id === verdict.by.id && taken.at === verdict.at;
  return current(ports, after, mine ? '' : 'Somebody else was quicker.');
}

/** The same click is taken once, however often it is sent; another button is another click. */
function clickKey({ userId, triggerId, context: { approval, generation, action } }: CallbackBody): string {
  return `click/${approval}/${generation}/${action}/${userId}/${triggerId}`;
}

const NOT_ALONE = 'You agree. Another person has to agree to this as well.';

/** The card as it stands now; the same text the gateway itself will show. */
function current(ports: DecisionPorts, view: ActorView, words: string): CallbackAnswer {
  const { message, props } = ports.cards.render(view);
  return { update: { message, props }, ...(words === '' ? {} : { ephemeralText: words }) };
}

function whisper(words: string): CallbackAnswer {
  return { ephemeralText: words };
}

async function refuse(
  ports: DecisionPorts,
  click: CallbackBody,
  why: string,
  human = NOT_VALID,
): Promise<CallbackAnswer> {
  const { userId, userName, postId, context } = click;
  ports.log.warn({ user: userId, post: postId, why }, 'click refused');
  const { approval, action } = context;
  await ports.onRefused({ by: { id: userId, name: userName }, approval, action, postId, why });
  return whisper(human);
}
