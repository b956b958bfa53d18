/**
 * Secrets are taken out before anything is cut, shortened or split, so that no part of one gets by. Text is masked as the whole
 * that its deltas make; everything else as it comes in.
 */
import type { Mask } from '../masking.ts';
import type { TranscriptEntry } from '../transcript.ts';
import type { TextItem, ThreadModel, Turn } from './model.ts';

/** The entry as it may be shown. Deltas and blocks of text stay as they are: `maskTexts` is for them. */
export function maskedEntry(entry: TranscriptEntry, mask: Mask): TranscriptEntry {
  switch (entry.kind) {
    case 'textDelta':
    case 'textBlock':
      return entry;
    case 'toolResult': {
      const body = mask.json(entry.body);
      const fullLength = (body.fullLength ?? 0) - (entry.body.summary.length - body.summary.length);
      return { ...entry, body: { ...body, ...(body.fullLength === undefined ? {} : { fullLength }) } };
    }
    default:
      // The same kind with a body of the same shape.
      return { ...entry, body: mask.json(entry.body) } as TranscriptEntry;
  }
}

export function maskTexts({ turns }: ThreadModel, mask: Mask): void {
  for (const turn of turns) {
    for (const block of blocksOf(turn).values()) {
      const live = turn.ended === null && block.every(({ whole }) => !whole);
      const shown = mask.pieces(
        block.map(({ text }) => text),
        live,
      );
      for (const [index, item] of block.entries()) item.text = shown[index] ?? '';
    }
  }
}

/** A block of text goes on in a later segment when something came between. */
function blocksOf({ segments }: Turn): Map<string, TextItem[]> {
  const blocks = new Map<string, TextItem[]>();
  for (const item of segments.flatMap(({ items }) => items)) {
    if (item.type !== 'text') continue;
    const known = blocks.get(item.blockId);
    if (known) known.push(item);
    else blocks.set(item.blockId, [item]);
  }
  return blocks;
}
