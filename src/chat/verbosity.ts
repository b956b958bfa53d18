/** What `verbosity` answers. */
import type { Verbosity } from './render/layout.ts';

const SHOWS: Readonly<Record<Verbosity, string>> = {
  full: "every step of Claude's work with its details",
  normal: "the latest steps of Claude's work while it goes on, and a short list of them afterwards",
  quiet: "Claude's answers, and of its work next to nothing",
};

/** @param from what decides it */
export function verbosityText(
  verbosity: Verbosity,
  from: 'thread' | 'channel' | 'everywhere',
  place: 'thread' | 'channel',
  trigger: string,
): string {
  const subject = place === 'thread' ? 'This thread shows' : 'The threads of this channel show';
  const why =
    from === place ? '' : from === 'channel' ? ', as the threads of this channel do' : ', as everywhere by default';
  return `${subject} ${SHOWS[verbosity]} (\`${verbosity}\`${why}). \`${trigger} verbosity full\`, \`normal\` or \`quiet\` changes it, \`default\` undoes that.`;
}

export function noProjectChannelText(trigger: string): string {
  return `This is no channel of a repository's sessions, so there is nothing to set here. \`${trigger} verbosity\` works in the thread of a session, and at top level of a project channel.`;
}
