/** The answers to `status` and `context`. */
import { count, dollars, duration, percent, plainWords } from './render/lines.ts';

export interface SessionLine {
  readonly id: string;
  /** Empty if it has none. */
  readonly title: string;
  /** Of its thread; empty while there is none. */
  readonly link: string;
  readonly state: string;
  readonly owner: string;
  readonly idleMs: number;
  readonly contextTokens: number;
  readonly contextWindow: number;
}

export interface ContainerLine {
  readonly name: string;
  readonly state: string;
  readonly sessions: readonly SessionLine[];
}

/** Rows of one post. */
const MOST = 45;

/** Containers with their sessions; ended ones are left out before. */
export function statusText(containers: readonly ContainerLine[]): string {
  const shown = containers.filter(({ sessions, state }) => sessions.length > 0 || state === 'running');
  if (shown.length === 0) return 'No session is running. `@claude start org/repo` starts one.';
  const rows = shown.flatMap(({ name, state, sessions }) => [
    `| **${plainWords(name, 140)}** | ${state} | | | |`,
    ...sessions.map(
      (session) =>
        `| ${nameOf(session)} | ${session.state} | ${plainWords(session.owner, 40)} | ${duration(session.idleMs)} | ${contextShare(session)} |`,
    ),
  ]);
  const rest = rows.length - MOST;
  return [
    '| Session | State | Started by | Idle | Context |',
    '|:--|:--|:--|--:|--:|',
    ...rows.slice(0, MOST),
    ...(rest > 0 ? ['', `… and ${rest} more lines; each project channel has a board of its own sessions.`] : []),
  ].join('\n');
}

function nameOf({ id, title, link }: SessionLine): string {
  const short = `\`${id.slice(0, 8)}\``;
  const name = link === '' ? short : `[${short}](${link})`;
  return title === '' ? name : `${name} ${plainWords(title, 60)}`;
}

function contextShare(usage: { readonly contextTokens: number; readonly contextWindow: number }): string {
  return usage.contextWindow > 0 ? percent(usage.contextTokens, usage.contextWindow) : '';
}

export interface ContextView {
  readonly messages: number;
  readonly contextTokens: number;
  readonly contextWindow: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly compactions: number;
  readonly costUsd: number;
  readonly plan: boolean;
  readonly ageMs: number;
  readonly idleMs: number;
  readonly container: string;
  readonly model: string;
  readonly audience: 'everyone' | 'mentions';
  /** Messages in the queue. */
  readonly waiting: number;
  readonly state: string;
}

export function contextText(view: ContextView): string {
  const used =
    view.contextWindow > 0
      ? `${count(view.contextTokens)} of ${count(view.contextWindow)} tokens (${contextShare(view)})`
      : 'not known before the first answer';
  const rows = [
    ['State', view.state],
    ['Context', used],
    ['Messages', view.waiting > 0 ? `${view.messages}, of which ${view.waiting} wait` : String(view.messages)],
    ['Tokens so far', `${count(view.inputTokens)} in, ${count(view.outputTokens)} out`],
    ['Compactions', String(view.compactions)],
    ['Cost so far', dollars(view.costUsd)],
    ['Plan mode', view.plan ? 'on' : 'off'],
    ['Age', duration(view.ageMs)],
    ['Idle', duration(view.idleMs)],
    ['Container', `\`${view.container}\``],
    ['Model', view.model === '' ? 'default' : `\`${view.model}\``],
    ['Answers', view.audience === 'mentions' ? 'only mentions' : 'every message'],
  ];
  return ['| | |', '|:--|:--|', ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join('\n');
}
