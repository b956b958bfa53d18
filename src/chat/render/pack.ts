/**
 * Fits the items of a segment into posts. Where a post ends depends only on what came before it, never on what follows or on
 * how a tool call turns out, so a full post stays as it is.
 */
import { assertNever } from '../../machines/json.ts';
import { escapeMarkdown } from '../escape.ts';
import { bytes, codeSpan } from './lines.ts';
import type { Item, LineItem, RunItem, Segment } from './model.ts';
import { fenceClosed, splitMarkdown, weigh } from './split.ts';
import {
  DIFF_RESERVE,
  diffPreview,
  FOLDED_RESERVE,
  foldedLine,
  type ToolCall,
  toolLine,
  toolLineReserve,
} from './tools.ts';

export type Verbosity = 'full' | 'normal' | 'quiet';

/** Code points of content in one post; the server takes 16,383, the rest is for what stands below a turn. */
const POST_SIZE = 13_500;
/** Less room than this is not worth beginning a text in. */
const MIN_ROOM = 600;
/** Calls of one run that are shown one by one before the earlier ones are counted. */
const SHOWN_CALLS = 4;

interface Block {
  readonly text: string;
  /** The most it can ever take, known when it first appears. */
  readonly weight: number;
}

/** @returns the messages of the segment's posts; none if there is nothing to show. */
export function packSegment(segment: Segment, verbosity: Verbosity): string[] {
  const posts: string[][] = [[]];
  let room = POST_SIZE;
  const open = (): void => {
    posts.push([]);
    room = POST_SIZE;
  };
  const put = ({ text, weight }: Block): void => {
    if (weight > room && posts.at(-1)?.length !== 0) open();
    if (text !== '') posts.at(-1)?.push(text);
    room -= weight + 2;
  };
  for (const item of segment.items) {
    if (item.type !== 'text') {
      for (const block of blocksOf(item, verbosity)) put(block);
      continue;
    }
    if (item.text.trim() === '') continue;
    if (room < MIN_ROOM) open();
    splitMarkdown(item.text, { first: room, rest: POST_SIZE }).forEach((piece, index) => {
      if (index > 0) open();
      put({ text: fenceClosed(piece, escapeMarkdown(piece.text, piece.opens)).trim(), weight: weigh(piece.text) });
    });
  }
  return posts.map((texts) => texts.join('\n\n')).filter((message) => message !== '');
}

function blocksOf(item: Exclude<Item, { type: 'text' }>, verbosity: Verbosity): Block[] {
  switch (item.type) {
    case 'run':
      return runBlocks(item, verbosity);
    case 'line':
      return [lineBlock(item)];
    default:
      return assertNever(item);
  }
}

function runBlocks({ calls }: RunItem, verbosity: Verbosity): Block[] {
  switch (verbosity) {
    case 'quiet':
      return [{ text: foldedLine(calls), weight: FOLDED_RESERVE }];
    case 'full':
      return calls.map((call) => callBlock(call, 'long'));
    case 'normal': {
      const shown = calls.slice(-SHOWN_CALLS).map((call) => callBlock(call, 'short'));
      const earlier = calls.slice(0, -SHOWN_CALLS);
      const folded = earlier.length === 0 ? [] : [{ text: `${foldedLine(earlier)} …`, weight: FOLDED_RESERVE }];
      const blocks = [...folded, ...shown];
      // One list: its calls stay together, and its length is bounded however many there are.
      const weight = FOLDED_RESERVE + shown.reduce((sum, block) => sum + block.weight, 0);
      return [{ text: blocks.map(({ text }) => text).join('\n'), weight }];
    }
    default:
      return assertNever(verbosity);
  }
}

function callBlock(call: ToolCall, detail: 'short' | 'long'): Block {
  const diff = diffPreview(call);
  const text = diff === '' ? toolLine(call, detail) : `${toolLine(call, detail)}\n${diff}`;
  return { text, weight: toolLineReserve(call) + (diff === '' ? 0 : DIFF_RESERVE) };
}

function lineBlock({ kind, text, size }: LineItem): Block {
  const shown = kind === 'file' ? `📎 ${codeSpan(text)} (${bytes(size)})` : `▶️ ${codeSpan(`/${text}`)}`;
  return { text: shown, weight: 200 };
}
