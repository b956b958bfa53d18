/** What the real SDK said, as the thread shows it: recorded streams through the worker's mapper into the transcript. */
import { play } from '../../agent-worker/tests/support/recordings.ts';
import { type RenderOptions, renderThread } from '../../src/chat/render/index.ts';
import { readEntry, type TranscriptEntry } from '../../src/chat/transcript.ts';
import type { JsonObject } from '../../src/machines/json.ts';

/** The folder that the recordings were made in. */
const FOLDER = '/work/repo';

/** One second from output to output. */
export function recorded(name: string): TranscriptEntry[] {
  return play(name).outputs.flatMap((output, index) => {
    const body = JSON.parse(JSON.stringify(output.value)) as JsonObject;
    return readEntry({ id: index + 1, at: index * 1_000, kind: output.$case, body }) ?? [];
  });
}

/** What the posts say. */
export function wholly(entries: readonly TranscriptEntry[], options: Partial<RenderOptions> = {}): string[] {
  return renderThread(entries, { verbosity: 'normal', folder: FOLDER, ...options }).map(({ message }) => message);
}

/** What the posts say, without the line on what a turn took. */
export function shown(entries: readonly TranscriptEntry[], options: Partial<RenderOptions> = {}): string[] {
  return wholly(entries, options).map((message) => message.replace(/\n*_\d+ m?s · .*_$/m, ''));
}

/** The first entries up to the last one that fits. */
export function upTo(
  entries: readonly TranscriptEntry[],
  fits: (entry: TranscriptEntry) => boolean,
): TranscriptEntry[] {
  return entries.slice(0, entries.findLastIndex(fits) + 1);
}
