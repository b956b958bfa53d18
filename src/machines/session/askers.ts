/**
 * For whom the agent works. Known for a turn that messages began. For any other, such as one that goes on with what was begun
 * in the background, it may be anybody whose words the agent was given: so it counts as done for all of them.
 */
import type { Person, QueuedPrompt, RunningTurn, SessionContext } from './context.ts';
import type { SessionEvent } from './events.ts';

type Change = Partial<SessionContext>;

/** Each once, in their order. Of an earlier version's messages it is not known who wrote them. */
function unique(people: readonly Person[]): readonly Person[] {
  return [...new Map(people.map((person) => [person.id, person])).values()].filter(({ id }) => id !== '');
}

/** Everybody whose words the agent was given so far, with those of these messages. */
export function heardWith({ heard }: SessionContext, prompts: readonly QueuedPrompt[]): readonly Person[] {
  return unique([...heard, ...prompts.map(({ authorId: id, author: name }) => ({ id, name }))]);
}

/** Whose session it is, and everybody whose words the agent was given so far. */
export function everybody({ request, heard }: SessionContext): readonly Person[] {
  return unique([request.owner, ...heard]);
}

/** Who wrote these messages; everybody if that is not known of all of them. */
function speakersOf(context: SessionContext, inputIds: readonly string[]): readonly Person[] {
  const prompts = context.queue.filter(({ postId }) => inputIds.includes(postId));
  const speakers = prompts.map(({ authorId: id, author: name }) => ({ id, name }));
  const isKnown =
    prompts.length > 0 &&
    inputIds.every((id) => prompts.some(({ postId, authorId }) => postId === id && authorId !== ''));
  return unique(isKnown ? speakers : [...speakers, ...everybody(context)]);
}

/** @param inputIds none: it began by itself, or nobody knows how */
export function turnOf(
  context: SessionContext,
  id: string,
  startedAt: number,
  inputIds: readonly string[],
): RunningTurn {
  const [by = context.request.owner, ...also] = speakersOf(context, inputIds);
  return { id, startedAt, by, ...(also.length === 0 ? {} : { also }) };
}

/** Somebody's words have gone into the running turn. */
export function joined(context: SessionContext, inputIds: readonly string[]): Change {
  const { turn } = context;
  if (!turn) return {};
  const also = unique([...(turn.also ?? []), ...speakersOf(context, inputIds)]).filter(({ id }) => id !== turn.by.id);
  return also.length === 0 ? {} : { turn: { ...turn, also } };
}

/** Of a request that is made in this turn. By whom, if that is known; and all for whom it may be. */
export function askersOf(
  context: SessionContext,
  { turnId }: Extract<SessionEvent, { type: 'APPROVAL.REQUESTED' }>,
): { readonly askedBy?: Person; readonly askers: readonly string[] } {
  const { turn } = context;
  const isKnown = turn !== null && turn.id === turnId && turn.by.id !== '';
  if (!isKnown) return { askers: everybody(context).map(({ id }) => id) };
  return { askedBy: turn.by, askers: [turn.by, ...(turn.also ?? [])].map(({ id }) => id) };
}
