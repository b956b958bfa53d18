// The event log in memory: what the gateway has not acknowledged yet. Pure data and functions.
//
// Guarantees: `replay(after)` is exactly the outputs after `after`, in order; merging changes neither that nor any text;
// only adjacent pieces of one text block are ever merged, everything else stays a whole entry until it is acknowledged.
import type { Output } from '../mapping/state.ts';

export interface Entry {
  firstSeq: number;
  seq: number;
  atMs: number;
  output: Output;
  /** For merged text: where each position's text ends, so that a replay can begin inside. */
  parts?: readonly (readonly [seq: number, end: number])[];
}

export interface Entries {
  items: Entry[];
  lastSeq: number;
  ackedSeq: number;
}

export function emptyEntries(lastSeq = 0): Entries {
  return { items: [], lastSeq, ackedSeq: lastSeq };
}

/** Adds one output under the next position. */
export function append(log: Entries, output: Output, atMs: number): Entry {
  const seq = log.lastSeq + 1;
  const entry = { firstSeq: seq, seq, atMs, output };
  log.items.push(entry);
  log.lastSeq = seq;
  return entry;
}

/** Forgets everything up to `seq`. A position beyond the log is taken as its end. */
export function acknowledge(log: Entries, seq: number): void {
  const upTo = Math.min(seq, log.lastSeq);
  if (upTo <= log.ackedSeq) return;
  log.ackedSeq = upTo;
  log.items = replay(log, upTo);
}

/** Everything after `afterSeq` that is still held, in order. Merged text is cut where the replay begins. */
export function replay(log: Entries, afterSeq: number): Entry[] {
  const items: Entry[] = [];
  for (let index = indexAfter(log, afterSeq); index < log.items.length; index += 1) {
    const entry = log.items[index];
    if (entry) items.push(entryAfter(entry, afterSeq));
  }
  return items;
}

/** The first entry after `afterSeq`, or undefined at the end. */
export function next(log: Entries, afterSeq: number): Entry | undefined {
  const entry = log.items[indexAfter(log, afterSeq)];
  return entry && entryAfter(entry, afterSeq);
}

/** Joins adjacent pieces of the same text block. Returns how many entries that saved. */
export function mergeDeltas(log: Entries): number {
  const merged: Entry[] = [];
  for (const entry of log.items) {
    const last = merged.at(-1);
    const joined = last && join(last, entry);
    if (joined) merged[merged.length - 1] = joined;
    else merged.push(entry);
  }
  const saved = log.items.length - merged.length;
  log.items = merged;
  return saved;
}

function join(left: Entry, right: Entry): Entry | undefined {
  if (left.output.$case !== 'textDelta' || right.output.$case !== 'textDelta') return undefined;
  const a = left.output.value;
  const b = right.output.value;
  if (a.blockId !== b.blockId || a.turnId !== b.turnId || a.parentToolUseId !== b.parentToolUseId) return undefined;
  const offset = a.text.length;
  return {
    firstSeq: left.firstSeq,
    seq: right.seq,
    atMs: right.atMs,
    output: { $case: 'textDelta', value: { ...a, text: a.text + b.text } },
    parts: [...partsOf(left), ...partsOf(right).map(([seq, end]) => [seq, end + offset] as const)],
  };
}

function partsOf(entry: Entry): readonly (readonly [number, number])[] {
  const length = entry.output.$case === 'textDelta' ? entry.output.value.text.length : 0;
  return entry.parts ?? [[entry.seq, length]];
}

function entryAfter(entry: Entry, afterSeq: number): Entry {
  if (entry.firstSeq > afterSeq || entry.output.$case !== 'textDelta' || !entry.parts) return entry;
  const cut = entry.parts.findLast(([seq]) => seq <= afterSeq)?.[1] ?? 0;
  const parts = entry.parts.filter(([seq]) => seq > afterSeq).map(([seq, end]) => [seq, end - cut] as const);
  return {
    firstSeq: afterSeq + 1,
    seq: entry.seq,
    atMs: entry.atMs,
    output: { $case: 'textDelta', value: { ...entry.output.value, text: entry.output.value.text.slice(cut) } },
    parts,
  };
}

function indexAfter(log: Entries, afterSeq: number): number {
  let low = 0;
  let high = log.items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((log.items[middle]?.seq ?? 0) <= afterSeq) low = middle + 1;
    else high = middle;
  }
  return low;
}
