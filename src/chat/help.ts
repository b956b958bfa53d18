import { COMMANDS, isAllowedAt } from './commands.ts';
import type { CommandPlace } from './events.ts';

/** The help for a place, generated from the command table. */
export function helpText(place: CommandPlace, trigger: string): string {
  const intro =
    place === 'thread'
      ? `Write in this thread to talk to Claude; files are passed on. Commands start with \`${trigger}\`:`
      : `Start a session, then talk to Claude in its thread. Commands start with \`${trigger}\`:`;
  const lines = [intro, '', '| Command | What it does |', '|:--|:--|'];
  for (const spec of COMMANDS) {
    if (!isAllowedAt(spec, place)) continue;
    for (const way of spec.usage) {
      if (way.in !== undefined && way.in !== place) continue;
      lines.push(`| \`${trigger} ${way.syntax.replaceAll('|', '\\|')}\` | ${way.help} |`);
    }
  }
  if (place === 'thread') {
    lines.push(`| \`${trigger} /name [arguments]\` | hand a slash command to Claude Code |`);
  } else {
    lines.push('', `A session's thread has more commands: write \`${trigger} help\` there.`);
  }
  return lines.join('\n');
}
