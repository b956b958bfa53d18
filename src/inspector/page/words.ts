/** Times, states and names as people read them. */
import { signal } from '@preact/signals';
import type { Json } from '../../machines/json.ts';

/** The server's clock, once a second. */
export const now = signal(Date.now());
let ahead = 0;

export function serverTime(time: number): void {
  ahead = time - Date.now();
  now.value = time;
}

setInterval(() => {
  now.value = Date.now() + ahead;
}, 1000);

export function clock(at: number): string {
  return new Date(at).toLocaleTimeString(undefined, { hour12: false });
}

export function dateAndTime(at: number): string {
  const date = new Date(at);
  return `${date.toLocaleDateString(undefined, { year: 'numeric', month: '2-digit', day: '2-digit' })} ${clock(at)}`;
}

export function ago(at: number): string {
  return now.value - at < 2_000 ? 'now' : `${span(now.value - at)} ago`;
}

/** `in 4 min`, `due`. */
export function until(at: number): string {
  return at <= now.value ? 'due' : `in ${span(at - now.value)}`;
}

/** `12 s`, `4 min`, `3 h`, `9 d`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 100 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** `0:09`, `12:30`, `3 h`. */
export function countdown(at: number): string {
  const seconds = Math.max(0, Math.ceil((at - now.value) / 1000));
  if (seconds >= 3600) return span(seconds * 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

const rank = signal<ReadonlyMap<string, number>>(new Map());

/** From now on states that are active together are told in this order. */
export function orderStates(names: readonly string[]): void {
  rank.value = new Map(names.map((name, index) => [name, index]));
}

/** `active.open (conversation.idle, link.connected)` */
export function stateText(value: Json | undefined): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return '';
  const place = (name: string): number => rank.value.get(name) ?? 0;
  const entries = Object.entries(value).sort(([left], [right]) => place(left) - place(right));
  const parts = entries.map(([name, inner]) => {
    const text = stateText(inner as Json);
    if (text === '') return name;
    return text.startsWith('(') ? `${name} ${text}` : `${name}.${text}`;
  });
  return parts.length === 1 ? (parts[0] ?? '') : `(${parts.join(', ')})`;
}

/** Ids of all states that are active, as the chart names them. */
export function activeStates(machine: string, value: Json | undefined): string[] {
  const found = [machine];
  const visit = (path: string, inner: Json | undefined): void => {
    if (typeof inner === 'string') found.push(`${path}.${inner}`);
    else if (typeof inner === 'object' && inner !== null && !Array.isArray(inner)) {
      for (const [name, below] of Object.entries(inner)) {
        found.push(`${path}.${name}`);
        visit(`${path}.${name}`, below as Json);
      }
    }
  };
  visit(machine, value);
  return found;
}

export function keyOf(address: string): string {
  return address.slice(address.indexOf('/') + 1);
}

export function kindOf(address: string): string {
  return address.slice(0, address.indexOf('/'));
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString()} ${count === 1 ? one : many}`;
}
