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

export function noSessionText(trigger: string, inThread: boolean): string {
  const where = inThread
    ? 'There is no session in this thread. Start one here with'
    : 'I work in sessions, one per thread. Start one with';
  return `${where} \`${trigger} start org/repo\`; to go on with a stopped one, write \`${trigger} resume\` in its own thread. \`${trigger} status\` lists those that run.`;
}

interface OfElsewhere {
  readonly repo: string;
  readonly link: string;
  readonly isLive: boolean;
}

/** Words below the post that asked for a session, whose own thread is another one. */
export function elsewhereText(session: OfElsewhere, trigger: string): string {
  return `Claude does not read this thread. ${whereText(session, trigger)}`;
}

/** @param command as it was typed, without the trigger */
export function elsewhereCommandText(command: string, session: OfElsewhere, trigger: string): string {
  return `${quoteInput(command)} works only in the session's own thread. ${whereText(session, trigger)}`;
}

function whereText({ repo, link, isLive }: OfElsewhere, trigger: string): string {
  if (link !== '') return `The session for **${repo}** has [its thread here](${link}): write there.`;
  return isLive
    ? `The session for **${repo}** is still being made; the link to its thread comes here. Write there.`
    : `The session for **${repo}** got no thread, as said above. \`${trigger} retry\` tries again.`;
}

/** At top level of a project channel. */
export function nobodyListensText(trigger: string): string {
  return `No session is running in this channel, so Claude did not get that. \`${trigger} start org/repo\` begins one; \`${trigger} resume\` in the thread of one that has stopped goes on with it.`;
}

export function startInSessionText(trigger: string): string {
  return `This thread already has a session. Start another one at top level or in another thread; after \`${trigger} stop\`, \`${trigger} resume\` goes on with this one.`;
}

export function severalSessionsText(count: number): string {
  return `${count} sessions run in this channel, so Claude did not get that: it is not clear which one you mean. Reply in the thread of the one you mean.`;
}

export function notYoursText({ name, who }: Pick<CommandSpec, 'name' | 'who'>): string {
  return who === 'approver'
    ? `Only the approvers that whoever runs this bot has named (\`SM_ALLOWED_APPROVERS\`) may use \`${name}\`. Ask one of them.`
    : `Only who started this session, or an approver, may use \`${name}\`. Ask them.`;
}
