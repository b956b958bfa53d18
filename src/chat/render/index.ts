/**
 * What a thread should show: the transcript as posts.
 *
 * Guarantees: the same entries give the same posts; a key never changes its meaning as more entries arrive; a post that is
 * full keeps its text; only withdrawn notes and withdrawn text disappear, and their keys are not used again.
 */
import { escapeMarkdown } from '../escape.ts';
import type { Mask } from '../masking.ts';
import type { TranscriptEntry } from '../transcript.ts';
import { asCalled } from '../trigger.ts';
import { diffPreview } from './diff.ts';
import { endingText } from './ending.ts';
import { readThread } from './fold.ts';
import { type Atom, KEPT_CALLS, layoutSegment, POST_MAX, type Verbosity } from './layout.ts';
import { bytes, clip, codeSpan } from './lines.ts';
import { linksText, pushedLinks } from './links.ts';
import { maskTexts } from './masked.ts';
import type { LineItem, Note, Segment, Turn } from './model.ts';
import { fenceClosed } from './split.ts';
import { activityLine, rateLimitLine, todoCount, todoLines } from './status.ts';
import { foldedLine, type ToolCall, toolLine } from './tools.ts';

export interface DesiredPost {
  /** `note/<note>`, `file/<entry>` or `<turn>/<segment>/<part>`. */
  readonly key: string;
  /** Markdown, at most 16,383 code points. */
  readonly message: string;
  /** Where in the thread it belongs: the id of the entry that began it. Posts come sorted by it. */
  readonly order: number;
  /** A file of the session's working directory that belongs to it. */
  readonly file?: { readonly path: string };
  /** Nothing more is expected to come: it should not wait behind posts that still change. */
  readonly final: boolean;
}

export interface RenderOptions {
  readonly verbosity: Verbosity;
  /** For how long things have been going on; without it no such times are shown. */
  readonly now?: number;
  /** What commands start with. */
  readonly trigger?: string;
  /** For the text that is streamed; other entries come masked. */
  readonly mask?: Mask;
  /** Where the agent works: what is below it is named from there. */
  readonly folder?: string;
}

export function renderThread(entries: readonly TranscriptEntry[], options: RenderOptions): DesiredPost[] {
  const model = readThread(entries, options.folder);
  if (options.mask) maskTexts(model, options.mask);
  const { turns, notes, files } = model;
  // First: what is said after a file, from the same place on, stands below it.
  const posts: DesiredPost[] = files.map(({ order, path, size }) => {
    return { key: `file/${order}`, message: fileLine(path, size), order, final: true, file: { path } };
  });
  posts.push(...turns.flatMap((turn) => renderTurn(turn, options)));
  for (const note of notes.values()) {
    if (note.text !== '') posts.push(renderNote(note, options));
  }
  return posts.sort((a, b) => a.order - b.order);
}

const TONES = { progress: '⏳ ', info: '', warning: '⚠️ ', error: '❌ ' } as const;

function renderNote({ note, tone, text, order }: Note, { trigger = '@claude' }: RenderOptions): DesiredPost {
  const message = fit(`${TONES[tone] ?? ''}${escapeMarkdown(asCalled(text, trigger))}`);
  return { key: `note/${note}`, message, order, final: tone !== 'progress' };
}

function renderTurn(turn: Turn, options: RenderOptions): DesiredPost[] {
  const tail = tailOf(turn);
  return turn.segments.flatMap((segment, index) => renderSegment(turn, segment, index, index === tail, options));
}

/**
 * The segment with what goes on, or how it ended. Where people have written since and nothing has come of the agent, that is
 * the one above: a post of its own, for what goes on alone, would stand above the card that may come next. A card says itself
 * that its turn waits.
 */
function tailOf({ segments, ended, activity }: Turn): number {
  const last = segments.length - 1;
  if (ended !== null || activity.type === 'waiting') return last;
  return Math.max(
    0,
    segments.findLastIndex(({ items }) => items.length > 0),
  );
}

function renderSegment(
  turn: Turn,
  segment: Segment,
  index: number,
  isLast: boolean,
  options: RenderOptions,
): DesiredPost[] {
  const isOpen = isLast && turn.ended === null;
  const parts = layoutSegment(turn, segment, options.verbosity);
  const posts: DesiredPost[] = [];
  for (const [number, atoms] of parts.entries()) {
    const isTail = isLast && number === parts.length - 1;
    const live = isTail && isOpen;
    const body = bodyOf(atoms, options.verbosity, false);
    const message = isTail ? withTail(turn, segment, index, atoms, body, options) : body;
    if (message.trim() === '') continue;
    const key = `${turn.turnId}/${index}/${number}`;
    posts.push({ key, message: fit(message), order: segment.order, final: !live });
  }
  return posts;
}

/** The last post of a turn: what goes on below the text while it runs, how it ended afterwards. */
function withTail(
  turn: Turn,
  segment: Segment,
  index: number,
  atoms: readonly Atom[],
  settled: string,
  options: RenderOptions,
): string {
  const { verbosity, now, trigger = '@claude' } = options;
  if (turn.ended !== null) {
    const done = turn.ended.outcome === 'TURN_OUTCOME_COMPLETED' && turn.segments.every(isBare) ? '✅ Done.' : '';
    const limit = rateLimitLine(turn);
    const links = linksText(pushedLinks(callsOf(turn)));
    return stack([settled || done, limit, links, endingText(turn.ended, trigger, todoCount(turn.todos))]);
  }
  if (index > 0 && segment.items.length === 0) return '';
  const body = bodyOf(atoms, verbosity, true);
  const status = [rateLimitLine(turn), activityLine(turn, now)];
  const todos = verbosity === 'quiet' ? todoCount(turn.todos) : todoLines(turn.todos);
  const choices = [
    [body, todos, ...status],
    [settled, todos, ...status],
    [settled, todoCount(turn.todos), ...status],
  ].map(stack);
  return choices.find((choice) => lengthOf(choice) <= POST_MAX) ?? settled;
}

function callsOf({ segments }: Turn): ToolCall[] {
  return segments.flatMap(({ items }) => items.flatMap((item) => (item.type === 'run' ? item.calls : [])));
}

function isBare({ items }: Segment): boolean {
  return items.every((item) => item.type === 'text' && item.text.trim() === '');
}

function stack(blocks: readonly string[]): string {
  return blocks.filter((block) => block !== '').join('\n\n');
}

/** @param live the last run of tools is shown as it goes on. */
function bodyOf(atoms: readonly Atom[], verbosity: Verbosity, live: boolean): string {
  let body = '';
  for (const [index, atom] of atoms.entries()) {
    const text = atomText(atom, verbosity, live && index === atoms.length - 1);
    if (text.trim() === '') continue;
    const previous = atoms[index - 1];
    const isList = previous?.type === 'run' && atom.type === 'run' && !body.endsWith('`');
    body += `${body === '' ? '' : isList ? '\n' : '\n\n'}${text}`;
  }
  return body;
}

function atomText(atom: Atom, verbosity: Verbosity, live: boolean): string {
  switch (atom.type) {
    case 'text': {
      const { piece } = atom;
      const shown = fenceClosed(piece, escapeMarkdown(piece.text, piece.opens));
      const whole = piece.opens === null ? shown.replace(/^(?:[ \t]*\n)+/, '') : shown;
      return piece.closes === null ? whole.trimEnd() : whole;
    }
    case 'run':
      return live && verbosity === 'normal' ? liveRun(atom.calls) : settledRun(atom.calls, verbosity);
    case 'line':
      return lineText(atom.item);
  }
}

const SHOWN_CALLS = 5;

/** The latest calls, and what the latest change looks like. */
function liveRun(calls: readonly ToolCall[]): string {
  const hidden = calls.length - SHOWN_CALLS;
  const lines = calls.slice(-SHOWN_CALLS).map((call) => toolLine(call, 'short'));
  const preview = calls.map(diffPreview).findLast((text) => text !== '');
  return [...(hidden > 0 ? [`… ${hidden} earlier`] : []), ...lines, ...(preview === undefined ? [] : [preview])].join(
    '\n',
  );
}

function settledRun(calls: readonly ToolCall[], verbosity: Verbosity): string {
  if (verbosity === 'full') {
    return calls
      .flatMap((call) => [toolLine(call, 'long'), diffPreview(call)].filter((text) => text !== ''))
      .join('\n');
  }
  if (calls.length > KEPT_CALLS) return foldedLine(calls);
  return calls.map((call) => toolLine(call, 'short')).join('\n');
}

function lineText(item: LineItem): string {
  return `⌨️ ${codeSpan(item.text, 100)}`;
}

function fileLine(path: string, size: number): string {
  return `📎 ${codeSpan(path, 200)} (${bytes(size)})`;
}

function lengthOf(text: string): number {
  return text.length <= POST_MAX ? text.length : [...text].length;
}

/** For what should never be too long; losing the end is better than losing the post. */
function fit(message: string): string {
  return clip(message, POST_MAX);
}
