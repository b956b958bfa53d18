import type { CommandSpec } from './commandSpec.ts';
import { isAllowedAt } from './commandSpec.ts';
import { nearestCommand } from './commands.ts';
import { COMMANDS } from './commandTable.ts';
import type { CommandPlace } from './events.ts';
import { unknownCommandText } from './replies.ts';

/** The help for a place, generated from the command table. @param about one command, or empty for all */
export function helpText(place: CommandPlace, trigger: string, about = ''): string {
  const wanted = about.toLowerCase().replace(trigger.toLowerCase(), '').trim();
  if (wanted === '') return listText(place, trigger);
  const spec = COMMANDS.find(({ name, aliases }) => name === wanted || aliases.includes(wanted));
  if (spec === undefined) {
    return unknownCommandText(about, nearestCommand(wanted, COMMANDS), place === 'thread', trigger);
  }
  return commandText(spec, trigger);
}

function listText(place: CommandPlace, trigger: string): string {
  const intro =
    place === 'thread'
      ? `Write in this thread to talk to Claude; files are passed on. Commands start with \`${trigger}\`:`
      : `Start a session, then talk to Claude in its thread. Commands start with \`${trigger}\`:`;
  const lines = [intro, '', ...TABLE];
  for (const spec of COMMANDS) {
    if (!isAllowedAt(spec, place)) continue;
    for (const way of spec.usage) {
      if (way.in !== undefined && way.in !== place) continue;
      lines.push(tableRow(`${trigger} ${way.syntax}`, `${way.help}${WHO_IN_SHORT[spec.who]}`));
    }
  }
  if (place === 'thread') lines.push(tableRow(`${trigger} /name [arguments]`, 'hand a slash command to Claude Code'));
  else lines.push('', `A session's thread has more commands: write \`${trigger} help\` there.`);
  return lines.join('\n');
}

const TABLE = ['| Command | What it does |', '|:--|:--|'];
const WHO_IN_SHORT = {
  everyone: '',
  starter: ' (only who started the session, and approvers)',
  approver: ' (only named approvers)',
} as const;

/** @param syntax shown as code */
export function tableRow(syntax: string, help: string): string {
  return `| \`${syntax.replaceAll('|', '\\|')}\` | ${help} |`;
}

export const WHO_MAY = {
  everyone: '',
  starter: 'Only who started the session, and approvers, may use it.',
  approver: 'Only named approvers may use it.',
} as const;

const PLACES = { top: ' at top level', thread: ' in a thread', both: '' } as const;

function commandText(spec: CommandSpec, trigger: string): string {
  const rows = spec.usage.map((way) =>
    tableRow(`${trigger} ${way.syntax}`, `${way.help}${way.in === undefined ? '' : ` (${PLACES[way.in].trim()})`}`),
  );
  const facts = [
    spec.where === 'both' ? '' : `It works only${PLACES[spec.where]}.`,
    WHO_MAY[spec.who],
    spec.aliases.length === 0 ? '' : `Also written ${spec.aliases.map((alias) => `\`${alias}\``).join(', ')}.`,
  ].filter((fact) => fact !== '');
  return [...TABLE, ...rows, ...(facts.length > 0 ? ['', facts.join(' ')] : [])].join('\n');
}
