/** Small pieces of Markdown made from text that others wrote. */
import { escapeMarkdown } from '../escape.ts';

/** At most `max` code points, the last one an ellipsis if something was left out. */
export function clip(text: string, max: number): string {
  if (text.length <= max) return text;
  const points = [...text];
  return points.length <= max ? text : `${points.slice(0, max - 1).join('')}…`;
}

/** White space and control characters become single spaces. */
export function oneLine(text: string): string {
  return text.replace(/[\s\u0000-\u001f\u007f\u0085\u2028\u2029]+/gu, ' ').trim();
}

/** Inline code that its text cannot leave. */
export function codeSpan(text: string, max = 120): string {
  const line = clip(oneLine(text), max);
  if (line === '') return '` `';
  if (!line.includes('`')) return `\`${line}\``;
  const longest = Math.max(...[...line.matchAll(/`+/g)].map((run) => run[0].length));
  const marker = '`'.repeat(longest + 1);
  return `${marker} ${line} ${marker}`;
}

/** One line of somebody's words inside our own sentence: no line breaks, no mentions, no formatting across it. */
export function plainWords(text: string, max = 160): string {
  const line = clip(oneLine(text), max).replace(/[`*_~|[\]<>\\]/g, (mark) => `\\${mark}`);
  return escapeMarkdown(line);
}

/** `950 ms`, `12 s`, `3 min 5 s`, `2 h 4 min`, `3 d 2 h` */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  const total = Math.round(ms / 1000);
  const units = [
    { name: 'd', size: 86_400 },
    { name: 'h', size: 3600 },
    { name: 'min', size: 60 },
    { name: 's', size: 1 },
  ];
  const first = units.findIndex(({ size }) => total >= size);
  const shown = units.slice(first, first + 2).map(({ name, size }, index) => {
    const value = Math.floor((index === 0 ? total : total % (units[first]?.size ?? 1)) / size);
    return value === 0 ? '' : `${value} ${name}`;
  });
  return shown.filter((part) => part !== '').join(' ');
}

/** `950`, `12.3k`, `1.2M` */
export function count(value: number): string {
  if (value < 1000) return String(value);
  if (value < 999_950) return `${trimZero((value / 1000).toFixed(1))}k`;
  return `${trimZero((value / 1_000_000).toFixed(1))}M`;
}

function trimZero(text: string): string {
  return text.replace(/\.0$/, '');
}

export function dollars(value: number): string {
  return value > 0 && value < 0.005 ? '<$0.01' : `$${value.toFixed(2)}`;
}

export function percent(part: number, whole: number): string {
  return `${whole > 0 ? Math.round((100 * part) / whole) : 0}%`;
}

const BAR = 8;

/** How much of the whole it is, to be seen at a glance. */
export function bar(part: number, whole: number): string {
  const filled = whole > 0 ? Math.min(BAR, Math.max(0, Math.round((BAR * part) / whole))) : 0;
  return '▰'.repeat(filled) + '▱'.repeat(BAR - filled);
}

export function bytes(value: number): string {
  if (value < 1000) return `${value} B`;
  if (value < 1_000_000) return `${trimZero((value / 1000).toFixed(1))} kB`;
  return `${trimZero((value / 1_000_000).toFixed(1))} MB`;
}

/** `2026-05-04 13:07 UTC` */
export function clockTime(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
