/** What could not be posted for the agent: it is told with the next message, so that it can give it in another form. */

import type { Args } from './args.ts';
import type { QueuedPrompt, SessionContext, Undelivered } from './context.ts';

/** More than so many at a time are not told one by one. */
const MOST = 5;

export function undelivered({ context, event }: Args): Partial<SessionContext> {
  if (event.type !== 'POST.UNDELIVERED') return {};
  const { what, why } = event;
  return { undelivered: [...(context.undelivered ?? []), { what, why }].slice(-MOST) };
}

/**
 * What is told with this message; a command of Claude Code must stand alone. Handed over once more, it tells the same, and what
 * has come since waits for the next one.
 */
export function toldWith(prompt: QueuedPrompt, { undelivered }: SessionContext): readonly Undelivered[] {
  if (prompt.sent || prompt.text.startsWith('/')) return prompt.undelivered ?? [];
  return undelivered ?? [];
}

/** Empty: there is nothing to tell. */
export function noticeOf(posts: readonly Undelivered[]): string {
  if (posts.length === 0) return '';
  return [
    '<chat-notice>',
    'From the chat gateway, not from a person. This of your last answers could not be posted, so nobody has seen it:',
    ...posts.map(({ what, why }) => `- ${what}: ${why}`.replace(/\s+/g, ' ').replace(/[<>]/g, '')),
    'If it still matters, give it in another form: other words, or a file with send_file.',
    '</chat-notice>',
  ].join('\n');
}

/** A message that the agent never got told it nothing. */
export function untold({ queue, undelivered }: SessionContext, inputIds: readonly string[]): readonly Undelivered[] {
  const back = queue.filter(({ postId }) => inputIds.includes(postId)).flatMap((prompt) => prompt.undelivered ?? []);
  return [...back, ...(undelivered ?? [])].slice(-MOST);
}
