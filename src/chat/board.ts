/** The post of a project channel that lists its sessions. */
import { unlinked } from './links.ts';
import { clip, plainWords } from './render/lines.ts';

export interface BoardLine {
  readonly id: string;
  /** Empty if it has none. */
  readonly title: string;
  readonly state: string;
  readonly branch: string;
  readonly startedBy: string;
  readonly startedAt: number;
  /** Of its thread. */
  readonly link: string;
}

const MOST = 40;

/** Without times that pass: it changes only when something happens. */
export function boardText(lines: readonly BoardLine[], trigger: string): string {
  if (lines.length === 0) return `**Sessions**\n\nNone is running. \`${trigger} start org/repo\` begins one.`;
  const shown = [...lines].sort((a, b) => a.startedAt - b.startedAt || a.id.localeCompare(b.id)).slice(0, MOST);
  const rows = shown.map(
    ({ id, title, state, branch, startedBy, link }) =>
      `| [${title === '' ? id.slice(0, 8) : plainWords(unlinked(title), 60)}](${link}) | ${stateText(state)} | ${plainWords(clip(branch, 40))} | ${plainWords(startedBy, 40)} |`,
  );
  const rest = lines.length - shown.length;
  return [
    `**Sessions** (${lines.length})`,
    '',
    '| Session | State | Branch | Started by |',
    '|:--|:--|:--|:--|',
    ...rows,
    ...(rest > 0 ? ['', `… and ${rest} more: \`${trigger} status\` lists them.`] : []),
  ].join('\n');
}

const STATES: Readonly<Record<string, string>> = {
  opening: '⏳ starting',
  idle: '💤 idle',
  asleep: '💤 idle',
  thinking: '💭 at work',
  waitingForPerson: '✋ waits for a person',
  interrupting: '⏹️ being interrupted',
  compacting: '🗜️ compacting',
  clearing: '🗜️ clearing',
  restarting: '🔁 restarting',
  stopping: '⏹️ stopping',
};

function stateText(state: string): string {
  return STATES[state] ?? plainWords(state, 40);
}
