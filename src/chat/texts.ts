/** Sentences of the bot that belong to no actor's own notes. */
import { clip, oneLine, plainWords } from './render/lines.ts';
import type { TranscriptEntry } from './transcript.ts';

/** The root post of a session's thread. */
export function sessionHeader(session: Header): string {
  const branch = session.branch === '' ? '' : `@${session.branch}`;
  return `**Session for ${session.repo}${branch}** (\`${session.id.slice(0, 8)}\`)`;
}

interface Header {
  readonly repo: string;
  readonly branch: string;
  readonly id: string;
}

/** The root post of a session with a title: what the title says, and still which session it is. */
export function titledHeader(title: string, session: Header): string {
  return `### ${plainWords(title, 200)}\n${sessionHeader(session)}`;
}

/** The title that a turn answered with: the first line of its last words, without what decorates it. */
export function titleIn(entries: readonly TranscriptEntry[], turnId: string): string {
  const words = entries.flatMap((entry) =>
    entry.kind === 'textBlock' && entry.body.turnId === turnId && (entry.body.parentToolUseId ?? '') === ''
      ? [entry.body.text]
      : [],
  );
  const line =
    words
      .at(-1)
      ?.split('\n')
      .find((each) => each.trim() !== '') ?? '';
  const bare = oneLine(line)
    .replace(/^(?:#+\s*|title:\s*)/i, '')
    .replace(/^["'“*_`]+|["'”*_`.]+$/gu, '');
  return clip(bare.trim(), 100);
}

/** Where a command was typed, when its session lives elsewhere. */
export function startedElsewhere(repo: string, link: string): string {
  return `The session for **${repo}** has [its thread here](${link}).`;
}

/** The answer to `stop <prefix>`. */
export function stopByPrefixText(
  prefix: string,
  matches: readonly { readonly id: string; readonly repo: string }[],
  live: boolean,
): string {
  const [only] = matches;
  if (!only) return `No session's id begins with \`${prefix}\`. \`@claude status\` lists them.`;
  if (!live) {
    const ended = `\`${only.id.slice(0, 8)}\` (${only.repo}) has ended already.`;
    return prefix === only.id ? ended : `No session that runs begins with \`${prefix}\`; ${ended}`;
  }
  if (matches.length === 1) return `Stopping \`${only.id.slice(0, 8)}\` (${only.repo}).`;
  const list = matches.slice(0, 10).map(({ id, repo }) => `- \`${id.slice(0, 12)}\` ${repo}`);
  return [`\`${prefix}\` fits ${matches.length} sessions; write more of the id:`, ...list].join('\n');
}
