/** What people say, on its way to the agent. */
import type { Effect, Reply } from '../../effects.ts';
import type { Args } from '../args.ts';
import { waitingIn } from '../changes.ts';
import type { QueuedPrompt } from '../context.ts';
import type { SessionEvent } from '../events.ts';
import { noticeOf, toldWith } from '../undelivered.ts';

/** Which attempt an outcome is of: the worker does an input once, but it may be sent more than once. */
export function ofSent(inputId: string, event: SessionEvent): NonNullable<Reply['with']> {
  return { postId: inputId, sentAt: event.at };
}

/** Sends the oldest waiting prompt. The queue holds it until the worker has begun with it. */
export function sendNext({ context, event }: Args): Effect[] {
  const next = context.queue[0];
  if (!next) return [];
  return [
    {
      kind: 'worker.prompt',
      params: {
        session: context.address,
        inputId: next.postId,
        text: next.text,
        author: next.author,
        authorId: next.authorId,
        notice: noticeOf(toldWith(next, context)),
        files: next.fileIds,
        steer: false,
      },
      reply: { done: 'PROMPT.TAKEN', failed: 'PROMPT.REFUSED', with: ofSent(next.postId, event) },
    },
  ];
}

function handOver(prompt: QueuedPrompt, { context, event }: Args): Effect {
  const { postId, text, author, authorId, fileIds } = prompt;
  return {
    kind: 'worker.prompt',
    params: {
      session: context.address,
      inputId: postId,
      text,
      author,
      authorId,
      notice: '',
      files: fileIds,
      steer: true,
    },
    reply: { done: 'PROMPT.TAKEN', failed: 'PROMPT.REFUSED', with: ofSent(postId, event) },
  };
}

/** Into the running turn: the message, or without one all that waits. Runs before the queue is changed. */
export function steer(args: Args): Effect[] {
  const { context, event } = args;
  if (event.type !== 'COMMAND.STEER') return [];
  const { postId, userName: author, userId: authorId, text, fileIds } = event;
  if (text === '') return waitingIn(context).map((prompt) => handOver(prompt, args));
  return [
    handOver({ postId, author, authorId, text, fileIds, undelivered: [], held: false, sent: true, taken: false }, args),
  ];
}
