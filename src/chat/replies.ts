/** Answers to posts that reach nobody: each says what to do instead. */
import { quoteInput } from './commandError.ts';
import type { CommandSpec } from './commandSpec.ts';

export function unknownCommandText(word: string, near: string | null, inThread: boolean, trigger: string): string {
  const guess = near === null ? '' : ` Did you mean \`${trigger} ${near}\`?`;
  const talk = inThread ? ` To talk to Claude, write without \`${trigger}\`, or with a comma: \`${trigger}, …\`.` : '';
  return `There is no command ${quoteInput(word)}.${guess} \`${trigger} help\` lists them.${talk}`;
}

export function misplacedText(command: string, trigger: string): string {
  return `${quoteInput(command)} works only in a session's thread: write it there. \`${trigger} status\` lists the sessions.`;
}

export function noSessionText(trigger: string): string {
  return `There is no session in this thread. Start one here with \`${trigger} start org/repo\`; to go on with a stopped one, write \`${trigger} resume\` in its own thread (\`${trigger} status\` lists them).`;
}

export function startInSessionText(trigger: string): string {
  return `This thread already has a session. Start another one at top level or in another thread; after \`${trigger} stop\`, \`${trigger} resume\` goes on with this one.`;
}

export function severalSessionsText(count: number): string {
  return `${count} sessions run in this channel, so it is not clear which one you mean. Reply in the thread of the one you mean.`;
}

export function notYoursText({ name, who }: Pick<CommandSpec, 'name' | 'who'>): string {
  return who === 'approver'
    ? `Only the approvers that whoever runs this bot has named (\`SM_ALLOWED_APPROVERS\`) may use \`${name}\`. Ask one of them.`
    : `Only who started this session, or an approver, may use \`${name}\`. Ask them.`;
}
