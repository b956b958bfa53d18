/** Sentences of the bot that belong to no actor's own notes. */

/** The root post of a session's thread. */
export function sessionHeader(session: {
  readonly repo: string;
  readonly branch: string;
  readonly id: string;
}): string {
  const branch = session.branch === '' ? '' : `@${session.branch}`;
  return `**Session for ${session.repo}${branch}** (\`${session.id.slice(0, 8)}\`)`;
}

/** Where a command was typed, when its session lives elsewhere. */
export function startedElsewhere(repo: string, link: string): string {
  return `The session for **${repo}** has [its thread here](${link}).`;
}

/** The answer to `stop <prefix>`. */
export function stopByPrefixText(
  prefix: string,
  matches: readonly { readonly id: string; readonly repo: string }[],
): string {
  const [only] = matches;
  if (!only) return `No session's id begins with \`${prefix}\`. \`@claude status\` lists them.`;
  if (matches.length === 1) return `Stopping \`${only.id.slice(0, 8)}\` (${only.repo}).`;
  const list = matches.slice(0, 10).map(({ id, repo }) => `- \`${id.slice(0, 12)}\` ${repo}`);
  return [`\`${prefix}\` fits ${matches.length} sessions; write more of the id:`, ...list].join('\n');
}
