/** A transcript as posts: what a thread should consist of, in order. */
import type { TranscriptEntry } from '../transcript.ts';
import { endingText } from './ending.ts';
import { bytes, codeSpan } from './lines.ts';
import { type Note, readThread, type Segment, type Turn } from './model.ts';
import { packSegment, type Verbosity } from './pack.ts';
import { activityLine, isEmpty, rateLimitLine, todoLines } from './status.ts';

/** A post that should be there. Its key stands for the same place of the same answer however the transcript grows. */
export interface DesiredPost {
  readonly key: string;
  readonly message: string;
  /** It belongs to a turn that has ended. */
  readonly final: boolean;
  /** Where it stands among the others. */
  readonly order: number;
}

export interface RenderOptions {
  readonly verbosity: Verbosity;
  /** What commands start with. */
  readonly trigger: string;
}

/**
 * Deterministic. As entries are added, posts change only at their end, are added, or (a note or text taken back) go; posts
 * of ended turns stay as they are.
 */
export function renderThread(entries: readonly TranscriptEntry[], options: RenderOptions): DesiredPost[] {
  const { turns, notes, files } = readThread(entries);
  const posts = [
    ...[...notes.values()].filter((note) => note.text !== '').map(renderNote),
    ...turns.flatMap((turn) => renderTurn(turn, options)),
    ...files.map(({ path, size, order }) => ({
      key: `file/${order}`,
      message: `📎 ${codeSpan(path)} (${bytes(size)})`,
      final: true,
      order,
    })),
  ];
  return posts.sort((a, b) => a.order - b.order);
}

const TONES: Readonly<Record<Note['tone'], string>> = { progress: '⏳ ', info: '', warning: '⚠️ ', error: '❌ ' };

function renderNote({ note, tone, text, order }: Note): DesiredPost {
  return { key: `note/${note}`, message: `${TONES[tone]}${text}`, final: tone !== 'progress', order };
}

function renderTurn(turn: Turn, options: RenderOptions): DesiredPost[] {
  return turn.segments.flatMap((segment, index) => {
    const isLast = index === turn.segments.length - 1;
    const parts = packSegment(segment, options.verbosity);
    const below = isLast ? belowTurn(turn, segment, index, options) : '';
    if (below !== '') parts.push([parts.pop() ?? '', below].filter((text) => text !== '').join('\n\n'));
    return parts.map((message, part) => ({
      key: `${turn.turnId}/${index}/${part}`,
      message,
      final: turn.ended !== null,
      // Fractions keep parts behind each other and before whatever was committed next.
      order: segment.order + part / 1000,
    }));
  });
}

/** What stands under a turn's newest text. An empty segment after a card stays invisible until there is something to say. */
function belowTurn(turn: Turn, segment: Segment, index: number, { trigger }: RenderOptions): string {
  const lines = [todoLines(turn.todos), rateLimitLine(turn)];
  if (turn.ended !== null) return [...lines, endingText(turn.ended, trigger)].filter(isSaid).join('\n\n');
  if (index > 0 && isEmpty(segment)) return '';
  return [...lines, activityLine(turn, undefined)].filter(isSaid).join('\n\n');
}

function isSaid(text: string): boolean {
  return text !== '';
}
