/** What stands below a turn while it runs: one line on what is going on, and the list of things to do. */
import { assertNever } from '../../machines/json.ts';
import type { TodoItem } from '../transcript.ts';
import { clockTime, codeSpan, duration, percent, plainWords } from './lines.ts';
import type { Turn } from './model.ts';
import { callName } from './tools.ts';

/** @param now for how long it has been going on; without it no time is shown. */
export function activityLine(turn: Turn, now: number | undefined): string {
  const { activity } = turn;
  const since = now === undefined ? '' : elapsed(now - activity.at, now - turn.at);
  switch (activity.type) {
    case 'thinking':
      return `💭 _Thinking …_${since}`;
    case 'writing':
      return `⏳ _Writing …_${now === undefined ? '' : elapsed(0, now - turn.at)}`;
    case 'compacting':
      return `🗜️ _Compacting the context …_${since}`;
    case 'waiting':
      return `✋ _Waiting for an answer …_${since}`;
    case 'retrying': {
      const { attempt, maxAttempts, delayMs, error, httpStatus } = activity.body;
      const cause = [httpStatus > 0 ? `${httpStatus}` : '', plainWords(error, 80)]
        .filter((part) => part !== '')
        .join(' ');
      const times = maxAttempts > 0 ? `${attempt} of ${maxAttempts}` : `${attempt}`;
      return `🔁 _The model service did not answer${cause === '' ? '' : ` (${cause})`}. Attempt ${times} in ${duration(delayMs)}._`;
    }
    case 'unfollowed':
      return '⏸️ _Not followed any more. When the session goes on, what became of this is told here._';
    case 'working':
      return workingLine(turn, since);
    default:
      return assertNever(activity);
  }
}

const NOTABLE_MINUTES = 5;

/** For how long it has been at this, and at the whole turn, where that is notably longer; nothing in the first minute. */
function elapsed(sinceMs: number, inAllMs: number): string {
  const since = roundedMinutes(Math.max(0, sinceMs));
  const inAll = roundedMinutes(Math.max(0, inAllMs));
  const parts = [
    since < 1 ? '' : duration(since * 60_000),
    inAll < since + NOTABLE_MINUTES ? '' : `${duration(inAll * 60_000)} in all`,
  ].filter((part) => part !== '');
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

/** The longer it takes, the coarser: a line that says something new costs an edit. */
function roundedMinutes(ms: number): number {
  const minutes = Math.floor(ms / 60_000);
  const step = minutes < 10 ? 1 : minutes < 60 ? 5 : 30;
  return minutes - (minutes % step);
}

function workingLine(turn: Turn, since: string): string {
  const running = turn.segments
    .flatMap(({ items }) => items)
    .flatMap((item) => (item.type === 'run' ? item.calls : []))
    .filter((call) => call.result === null);
  const latest = running.at(-1);
  if (latest === undefined) return `⏳ _Working …_${since}`;
  const more = running.length > 1 ? ` and ${running.length - 1} more` : '';
  return `⏳ _Running ${callName(latest)}${more} …_${since}`;
}

/** As Claude Code names the limits of an account. */
const LIMITS: Readonly<Record<string, string>> = {
  '': 'usage limit',
  five_hour: 'usage limit of five hours',
  seven_day: 'usage limit of the week',
  seven_day_opus: 'usage limit of the week for Opus',
  seven_day_sonnet: 'usage limit of the week for Sonnet',
};

/** A limit that is near or reached; empty while all is well. */
export function rateLimitLine(turn: Turn): string {
  const { rateLimit } = turn;
  if (rateLimit === null || rateLimit.status === '' || rateLimit.status === 'allowed') return '';
  const used = rateLimit.utilization > 0 ? `, ${percent(rateLimit.utilization, 1)} used` : '';
  const resets = rateLimit.resetsAtMs > 0 ? `; it resets at ${clockTime(rateLimit.resetsAtMs)}` : '';
  const limit = LIMITS[rateLimit.limit] ?? `usage limit ${codeSpan(rateLimit.limit, 40)}`;
  return rateLimit.status === 'rejected'
    ? `⚠️ The ${limit} is reached${resets}.`
    : `⚠️ The ${limit} is near${used}${resets}.`;
}

const MAX_TODOS = 12;
const SIGNS: Readonly<Record<string, string>> = { TODO_STATUS_COMPLETED: '☑️', TODO_STATUS_IN_PROGRESS: '▶️' };

/** The list of things to do; what is done first goes first when there are too many. */
export function todoLines(items: readonly TodoItem[]): string {
  if (items.length === 0) return '';
  const done = items.filter((item) => item.status === 'TODO_STATUS_COMPLETED').length;
  const hidden = Math.min(done, Math.max(0, items.length - MAX_TODOS));
  let skipped = 0;
  const shown = items.filter((item) => {
    if (item.status !== 'TODO_STATUS_COMPLETED' || skipped >= hidden) return true;
    skipped += 1;
    return false;
  });
  const lines = shown.slice(0, MAX_TODOS).map((item) => `${SIGNS[item.status] ?? '⬜'} ${plainWords(item.text, 90)}`);
  const rest = shown.length - MAX_TODOS;
  return [`**To do** (${done}/${items.length})`, ...lines, ...(rest > 0 ? [`… ${rest} more`] : [])].join('\n');
}

export function todoCount(items: readonly TodoItem[]): string {
  const done = items.filter((item) => item.status === 'TODO_STATUS_COMPLETED').length;
  return items.length === 0 ? '' : `${done}/${items.length} done`;
}
