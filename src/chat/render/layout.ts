/**
 * Which item of a segment stands in which post. Depends only on what the items are, never on how tools went or whether the
 * turn is over: what was put into a post stays in it.
 */
import { DIFF_RESERVE, diffPreview } from './diff.ts';
import { fenceAtEnd } from './fences.ts';
import type { LineItem, Segment, Turn } from './model.ts';
import { type Piece, splitMarkdown, weigh } from './split.ts';
import { FOLDED_RESERVE, type ToolCall, toolLineReserve } from './tools.ts';

export type Verbosity = 'full' | 'normal' | 'quiet';

export type Atom =
  | { readonly type: 'text'; readonly piece: Piece }
  | { readonly type: 'run'; readonly calls: readonly ToolCall[] }
  | { readonly type: 'line'; readonly item: LineItem };

/** Code points. A chat post holds 16,383; the rest is for what stands below the text, and for fences. */
export const PART_BUDGET = 14_000;
export const POST_MAX = 16_383;
/** A post with less room than this gets no more text, or tools. */
const LEAST_TEXT = 400;
const LEAST_RUN = 700;
const LINE_SIZE = 260;
/** Between two items. */
const GAP = 2;
/** Runs of more calls are folded into one line when they are over. */
export const KEPT_CALLS = 3;

export function layoutSegment(turn: Turn, segment: Segment, verbosity: Verbosity): Atom[][] {
  let part: Atom[] = [];
  const parts = [part];
  let used = 0;
  const nextPart = (): void => {
    part = [];
    parts.push(part);
    used = 0;
  };
  const place = (atom: Atom, least: number, size: number): void => {
    if (used > 0 && used + least > PART_BUDGET) nextPart();
    part.push(atom);
    used += size + GAP;
  };
  for (const item of segment.items) {
    switch (item.type) {
      case 'text': {
        if (item.text.trim() === '') break;
        if (PART_BUDGET - used < LEAST_TEXT) nextPart();
        const open = fenceAtEnd(earlierText(turn, segment, item.blockId));
        const pieces = splitMarkdown(item.text, { first: PART_BUDGET - used, rest: PART_BUDGET, open });
        for (const [index, piece] of pieces.entries()) {
          if (index > 0) nextPart();
          part.push({ type: 'text', piece });
          used += weigh(piece.text) + GAP;
        }
        break;
      }
      case 'run':
        if (verbosity === 'quiet') break;
        if (verbosity === 'normal') {
          place({ type: 'run', calls: item.calls }, LEAST_RUN, runReserve(item.calls));
          break;
        }
        for (const call of item.calls) {
          const size = toolLineReserve(call, 'long') + (diffPreview(call) === '' ? 0 : DIFF_RESERVE);
          place({ type: 'run', calls: [call] }, size, size);
        }
        break;
      case 'line':
        place({ type: 'line', item }, LINE_SIZE, LINE_SIZE);
        break;
    }
  }
  return parts;
}

function runReserve(calls: readonly ToolCall[]): number {
  if (calls.length > KEPT_CALLS) return FOLDED_RESERVE;
  return calls.reduce((sum, call) => sum + toolLineReserve(call, 'short'), 0);
}

/** What of the block stands in earlier segments: a fence may be open there. */
function earlierText(turn: Turn, segment: Segment, blockId: string): string {
  let text = '';
  for (const earlier of turn.segments) {
    if (earlier === segment) break;
    for (const item of earlier.items) {
      if (item.type === 'text' && item.blockId === blockId) text += item.text;
    }
  }
  return text;
}
