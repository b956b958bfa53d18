/** Parts of a chart in words. XState gives guards, actions and delays in several shapes; here they become short text. */

/** `hasThread`, `!someoneIsAsked`, `turnRuns & !someoneIsAsked`. Empty if there is none. */
export function guardText(guard: unknown): string {
  if (guard === undefined || guard === null) return '';
  if (typeof guard === 'string') return guard;
  if (typeof guard === 'function') return combinedText(guard);
  if (typeof guard === 'object' && 'type' in guard) return String(guard.type);
  return 'guard';
}

/** `and`, `or` and `not` of XState are functions that carry their parts. */
function combinedText(guard: { readonly name: string }): string {
  const parts: unknown = 'guards' in guard ? guard.guards : undefined;
  if (!Array.isArray(parts)) return guard.name === '' ? 'inline guard' : guard.name;
  const words = parts.map((part) => {
    const text = guardText(part);
    return / [&|] /.test(text) ? `(${text})` : text;
  });
  switch (guard.name) {
    case 'not':
      return `!${words.join('')}`;
    case 'or':
      return words.join(' | ');
    default:
      return words.join(' & ');
  }
}

export function actionText(action: unknown): string {
  if (typeof action === 'string') return action;
  if ((typeof action === 'object' || typeof action === 'function') && action !== null && 'type' in action) {
    return String(action.type);
  }
  return typeof action === 'function' && action.name !== '' ? action.name : 'inline action';
}

/** `after 30 s`, `after 1 min`, `after idleMs`. */
export function delayText(delay: unknown): string {
  return `after ${typeof delay === 'number' ? durationText(delay) : String(delay)}`;
}

export function durationText(ms: number): string {
  const units: readonly [string, number][] = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
  ];
  for (const [unit, length] of units) if (ms >= length && ms % length === 0) return `${ms / length} ${unit}`;
  return `${ms} ms`;
}

/** Event types as people read them; XState's own become words. */
export function eventText(type: string): string {
  if (type === '') return 'always';
  if (type === '*') return 'any event';
  const own = /^xstate\.(done\.actor|error\.actor|done\.state|after)\.(.*)$/.exec(type);
  switch (own?.[1]) {
    case 'done.actor':
      return `done: ${own[2]}`;
    case 'error.actor':
      return `error: ${own[2]}`;
    case 'done.state':
      return 'done';
    case 'after':
      return `after ${/^\d+/.test(own[2] ?? '') ? durationText(Number.parseInt(own[2] ?? '0', 10)) : (own[2] ?? '').split('.')[0]}`;
    default:
      return type;
  }
}
