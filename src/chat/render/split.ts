/**
 * Cuts long Markdown into pieces that fit into posts. Where a cut falls depends only on the text before the limit it
 * was made for, so a piece that is full stays as it is however much text follows. Every character of the text is in
 * exactly one piece. Lengths are in code points, as the chat server counts them.
 */
import { LINK_WEIGHT } from '../links.ts';
import { type Fence, fenceAfter } from './fences.ts';

export interface Piece {
  readonly text: string;
  /** The code fence that is open where the piece begins, and where it ends. */
  readonly opens: Fence | null;
  readonly closes: Fence | null;
}

export interface Limits {
  /** For the first piece: what is left in a post that has something already. */
  readonly first: number;
  readonly rest: number;
  /** A fence that is open before the text. */
  readonly open?: Fence | null;
}

/** Escaping may lengthen these. An upper bound, whatever stands around them, keeps cuts independent of context. */
export function weightOf(point: string, next: string | undefined): number {
  switch (point) {
    case '&':
      return 2;
    case '@':
    case '(':
    case ')':
    case '\\':
      return 3;
    case '!':
      return next === '[' ? 12 : 1;
    case ':':
      return next === '/' ? 1 + LINK_WEIGHT : 1;
    case 'w':
    case 'W':
      return next === 'w' || next === 'W' ? 1 + LINK_WEIGHT : 1;
    default:
      return 1;
  }
}

export function weigh(text: string): number {
  let weight = 0;
  let previous: string | undefined;
  for (const point of text) {
    if (previous !== undefined) weight += weightOf(previous, point);
    previous = point;
  }
  return previous === undefined ? weight : weight + weightOf(previous, undefined);
}

export function splitMarkdown(text: string, limits: Limits): Piece[] {
  const pieces: Piece[] = [];
  let open = limits.open ?? null;
  let rest = text;
  let limit = limits.first;
  for (;;) {
    const cut = cutAt(rest, limit, open);
    pieces.push({ text: rest.slice(0, cut.at), opens: open, closes: cut.fence });
    if (cut.at >= rest.length) return pieces;
    rest = rest.slice(cut.at);
    open = cut.fence;
    limit = limits.rest;
  }
}

/** A piece as a post of its own: fences that reach over its ends are closed and opened again. */
export function fenceClosed(piece: Piece, shown: string = piece.text): string {
  const before = piece.opens === null ? '' : `${piece.opens.marker}${piece.opens.info}\n`;
  const after = piece.closes === null ? '' : `${shown.endsWith('\n') ? '' : '\n'}${piece.closes.marker}`;
  return `${before}${shown}${after}`;
}

interface Cut {
  readonly at: number;
  readonly fence: Fence | null;
}

/** How good a place is: a higher class wins; within a class the later place. */
const PARAGRAPH = 5;
const LINE = 4;
const CODE_LINE = 3;
/** The rows behind it would stand without their head, as no table any more. */
const ROW = 2;
const SPACE = 1;

function cutAt(text: string, limit: number, open: Fence | null): Cut {
  const end = offsetOfWeight(text, limit);
  if (end >= text.length) return { at: text.length, fence: stateAt(text, text.length, open) };
  const earliest = offsetOfWeight(text, Math.floor(limit / 2));
  let best: (Cut & { readonly rank: number }) | null = null;
  const offer = (rank: number, at: number, fence: Fence | null): void => {
    if (at > earliest && at <= end && (best === null || rank >= best.rank)) best = { rank, at, fence };
  };
  let fence = open;
  let lineStart = 0;
  while (lineStart < end) {
    const lineEnd = text.indexOf('\n', lineStart);
    if (lineEnd < 0 || lineEnd >= end) break;
    const line = text.slice(lineStart, lineEnd);
    const before = fence;
    fence = fenceAfter(line, fence);
    const opened = before === null && fence !== null;
    if (opened) offer(LINE, lineStart, null);
    else offer(fence === null ? rankAfter(line, text.charAt(lineEnd + 1)) : CODE_LINE, lineEnd + 1, fence);
    lineStart = lineEnd + 1;
  }
  const found = best as Cut | null;
  if (found !== null) return found;
  // One line fills the whole window.
  const space = Math.max(text.lastIndexOf(' ', end - 1), text.lastIndexOf('\t', end - 1)) + 1;
  if (space > earliest && space > lineStart) offer(SPACE, space, fence);
  const atSpace = best as Cut | null;
  const at = atSpace?.at ?? graphemeBefore(text, end, Math.max(earliest, lineStart));
  return { at, fence: stateAt(text, at, open) };
}

/** @param next the sign that the next line begins with */
function rankAfter(line: string, next: string): number {
  if (line.trim() === '') return PARAGRAPH;
  return line.startsWith('|') && next === '|' ? ROW : LINE;
}

function stateAt(text: string, at: number, open: Fence | null): Fence | null {
  let state = open;
  const lines = text.slice(0, at).split('\n');
  // An empty last line is no line: the cut is right after a line break.
  if (lines.at(-1) === '') lines.pop();
  for (const line of lines) state = fenceAfter(line, state);
  return state;
}

/** The offset up to which the text weighs at most `limit`; never inside a code point, and never 0 for some text. */
function offsetOfWeight(text: string, limit: number): number {
  let weight = 0;
  let offset = 0;
  while (offset < text.length) {
    const point = String.fromCodePoint(text.codePointAt(offset) ?? 0);
    weight += weightOf(point, text[offset + point.length]);
    if (weight > limit && offset > 0) return offset;
    offset += point.length;
  }
  return text.length;
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
/** Longer clusters than this are cut: they are no writing. */
const LONGEST_CLUSTER = 200;

/** The last boundary between visible characters at or before `end`. */
function graphemeBefore(text: string, end: number, earliest: number): number {
  const from = Math.max(earliest, end - LONGEST_CLUSTER);
  // One code point after the end decides whether the end is a boundary.
  const following = String.fromCodePoint(text.codePointAt(end) ?? 0).length;
  let start = isLowSurrogate(text, from) ? from + 1 : from;
  // Which halves make a flag together shows only from where their row begins.
  while (isHalfOfFlag(text, start - 2)) start -= 2;
  let boundary = end;
  for (const { index } of graphemes.segment(text.slice(start, end + following))) {
    if (index > 0 && start + index <= end) boundary = start + index;
  }
  return boundary;
}

function isHalfOfFlag(text: string, at: number): boolean {
  const point = text.codePointAt(at) ?? 0;
  return point >= 0x1f1e6 && point <= 0x1f1ff;
}

function isLowSurrogate(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff;
}
