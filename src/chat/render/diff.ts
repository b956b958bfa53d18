/** What a call changes in a file: as a short preview, and as a number of lines. */
import { fenced } from './fences.ts';
import { parseInput } from './input.ts';
import { clip } from './lines.ts';

interface Change {
  readonly name: string;
  readonly inputJson: string;
}

const DIFF_LINES = 8;
const DIFF_LINE_MAX = 100;
export const DIFF_RESERVE = 2 * DIFF_LINES * (DIFF_LINE_MAX + 3) + 100;

/** A short preview of a change to a file, or nothing. Of several changes, the first. */
export function diffPreview(call: Change): string {
  const [first] = editsOf(call);
  if (first === undefined) return '';
  const { removed, added } = changedLines(first);
  if (removed.length === 0 && added.length === 0) return '';
  return fenced([...side('-', removed), ...side('+', added)].join('\n'), 'diff');
}

/** `+3 −1`: lines that the calls put in and take out; empty for calls that change no file, or where the number is not known. */
export function changeSize(...calls: readonly Change[]): string {
  const edits = calls.flatMap(editsOf);
  if (edits.length === 0 || edits.some(({ before, after }) => isShortened(before) || isShortened(after))) return '';
  const changed = edits.map(changedLines);
  const added = changed.reduce((sum, edit) => sum + edit.added.length, 0);
  const removed = changed.reduce((sum, edit) => sum + edit.removed.length, 0);
  return [added > 0 ? `+${added}` : '', removed > 0 ? `−${removed}` : ''].filter((part) => part !== '').join(' ');
}

interface Edit {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

function editsOf({ name, inputJson }: Change): Edit[] {
  const input = parseInput(inputJson);
  switch (name) {
    case 'Write':
      return [{ before: [], after: linesOf(input.content) }];
    case 'Edit':
      return [editOf(input)];
    case 'MultiEdit': {
      const edits: unknown[] = Array.isArray(input.edits) ? input.edits : [];
      return edits.flatMap((edit) => (typeof edit === 'object' && edit !== null ? [editOf({ ...edit })] : []));
    }
    default:
      return [];
  }
}

function editOf(input: Readonly<Record<string, unknown>>): Edit {
  return { before: linesOf(input.old_string), after: linesOf(input.new_string) };
}

function linesOf(value: unknown): string[] {
  return typeof value === 'string' && value !== '' ? value.replace(/\n$/, '').split('\n') : [];
}

/** Very long texts come from the worker without their end. */
function isShortened(lines: readonly string[]): boolean {
  return /…\[\+\d+ characters\]$/.test(lines.at(-1) ?? '');
}

/** Lines that both sides begin or end with are no change. */
function changedLines({ before, after }: Edit): { readonly removed: string[]; readonly added: string[] } {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < before.length - start && end < after.length - start && before.at(-1 - end) === after.at(-1 - end))
    end += 1;
  return { removed: before.slice(start, before.length - end), added: after.slice(start, after.length - end) };
}

function side(sign: string, lines: readonly string[]): string[] {
  const shown = lines
    .slice(0, DIFF_LINES)
    .map((line) => `${sign}${clip(line.replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, ' '), DIFF_LINE_MAX)}`);
  return lines.length > DIFF_LINES ? [...shown, `${sign} … ${lines.length - DIFF_LINES} more lines`] : shown;
}
