/** What was said in a session, as a file: Markdown to read, or JSON for programs. Masked and put together before. */

import type { Mask } from './masking.ts';
import { fenced } from './render/fences.ts';
import { readThread } from './render/fold.ts';
import { clockTime, codeSpan, dollars, oneLine } from './render/lines.ts';
import { maskTexts } from './render/masked.ts';
import type { Turn } from './render/model.ts';
import { callName, type ToolCall } from './render/tools.ts';
import type { TranscriptEntry } from './transcript.ts';

export interface ExportedSession {
  readonly id: string;
  readonly repo: string;
  readonly branch: string;
  /** Empty if it has none. */
  readonly title: string;
  readonly startedBy: string;
  readonly startedAt: number;
  readonly costUsd: number;
}

/** A person's message in the thread. */
export interface SaidByPerson {
  readonly author: string;
  readonly text: string;
}

export interface Export {
  readonly session: ExportedSession;
  readonly entries: readonly TranscriptEntry[];
  /** By the id of their post; one that was deleted is not there. */
  readonly said: ReadonlyMap<string, SaidByPerson>;
  /** Where the agent works. */
  readonly folder: string;
  readonly mask: Mask;
  readonly at: number;
}

export interface ExportFile {
  readonly name: string;
  readonly content: string;
  readonly mimeType: string;
}

export function exportFile(format: 'md' | 'json', exported: Export): ExportFile {
  const { id, repo } = exported.session;
  const name = `${repo.split('/').at(-1)}-${id.slice(0, 8)}`;
  return format === 'md'
    ? { name: `${name}.md`, content: markdown(exported), mimeType: 'text/markdown' }
    : { name: `${name}.json`, content: json(exported), mimeType: 'application/json' };
}

interface Part {
  readonly order: number;
  readonly text: string;
}

function markdown({ session, entries, said, folder, mask, at }: Export): string {
  const model = readThread(entries, folder);
  maskTexts(model, mask);
  const parts: Part[] = [...model.turns.flatMap(turnParts)];
  for (const entry of entries) {
    if (entry.kind !== 'heard') continue;
    const post = said.get(entry.body.postId);
    if (post) parts.push({ order: entry.id, text: heading(entry.at, post.author, post.text) });
  }
  for (const note of model.notes.values()) {
    if (note.text !== '') parts.push({ order: note.order, text: `> ${note.text.replaceAll('\n', '\n> ')}` });
  }
  for (const file of model.files) parts.push({ order: file.order, text: `📎 ${codeSpan(file.path, 300)}` });
  const title = session.title === '' ? session.repo : `${oneLine(session.title)} (${session.repo})`;
  const facts = [
    `Session ${codeSpan(session.id)} on ${codeSpan(session.branch === '' ? session.repo : `${session.repo}@${session.branch}`)}`,
    `started by ${session.startedBy} at ${clockTime(session.startedAt)}`,
    `cost so far ${dollars(session.costUsd)}`,
    `exported at ${clockTime(at)}`,
  ];
  const body = parts.sort((a, b) => a.order - b.order).map(({ text }) => text);
  return `${[`# ${title}`, `${facts.join('; ')}.`, ...body].join('\n\n')}\n`;
}

function heading(at: number, who: string, text: string): string {
  return `## ${who}, ${clockTime(at)}\n\n${text}`;
}

function turnParts(turn: Turn): Part[] {
  return turn.segments.flatMap(({ order, items }, index) => {
    const blocks = items.flatMap((item) => {
      switch (item.type) {
        case 'text':
          return item.text.trim() === '' ? [] : [item.text.trim()];
        case 'run':
          return item.calls.map(callBlock);
        case 'line':
          return [codeSpan(item.text)];
        default:
          return [];
      }
    });
    const isLast = index === turn.segments.length - 1;
    const error = isLast && turn.ended?.error ? [`**Error:** ${turn.ended.error}`] : [];
    const text = [...blocks, ...error].join('\n\n');
    return text === '' ? [] : [{ order, text: heading(turn.at, 'Claude', text) }];
  });
}

/** Longer results are in the transcript as their beginning only. */
function callBlock(call: ToolCall): string {
  const head = `- **${callName(call)}** ${call.argument.includes('\n') ? '' : codeSpan(call.argument, 400)}`.trimEnd();
  const command = call.argument.includes('\n') ? [fenced(call.argument)] : [];
  const { result } = call;
  if (result === null) return [head, ...command].join('\n\n');
  const sign = result.isError ? ' ❌' : '';
  const more = result.isWhole ? '' : `\n(the first ${result.summary.length} of ${result.fullLength} characters)`;
  const output = result.summary.trim() === '' ? [] : [`${fenced(result.summary)}${more}`];
  return [`${head}${sign}`, ...command, ...output].join('\n\n');
}

interface Told {
  readonly at: string;
  readonly kind: string;
  readonly [field: string]: unknown;
}

function json({ session, entries, said, at }: Export): string {
  const whole = new Set(entries.flatMap(({ kind, body }) => (kind === 'textBlock' ? [body.blockId] : [])));
  const events: Told[] = [];
  const begun = new Map<string, number>();
  for (const { at: time, kind, body } of entries) {
    if (kind === 'thinking' || (kind === 'textDelta' && whole.has(body.blockId))) continue;
    const post = kind === 'heard' ? said.get(body.postId) : undefined;
    // Words of a post that was deleted are not told.
    const words = kind === 'heard' ? { postId: body.postId } : body;
    const told: Told = { at: new Date(time).toISOString(), kind, ...words, ...post };
    if (kind !== 'textDelta') {
      events.push(told);
      continue;
    }
    // Of a block that never became whole there is what was streamed, as one.
    const place = begun.get(body.blockId) ?? events.length;
    begun.set(body.blockId, place);
    events[place] = { ...told, ...events[place], text: `${events[place]?.text ?? ''}${body.text}` };
  }
  const { startedAt, ...facts } = session;
  const head = { ...facts, startedAt: new Date(startedAt).toISOString(), exportedAt: new Date(at).toISOString() };
  return `${JSON.stringify({ session: head, events }, null, 1)}\n`;
}
