/** The answers to `diff` and `logs`. What git and the worker print is foreign text: it stays inside code. */
import { fenced } from './render/fences.ts';
import { bytes, clip, codeSpan } from './render/lines.ts';

export interface Checkout {
  /** `git status --porcelain=v1 --branch` */
  readonly status: string;
  readonly diff: { readonly output: string; readonly truncated: boolean };
  /** One commit per line. */
  readonly unpushed: string;
}

export interface DiffReport {
  readonly message: string;
  /** What is too long for a post. */
  readonly file?: { readonly name: string; readonly content: string };
}

/** Code points of a diff that is shown in the post itself. */
const SHOWN_DIFF = 6_000;
const SHOWN_FILES = 25;
const SHOWN_COMMITS = 10;

export function diffReport({ status, diff, unpushed }: Checkout): DiffReport {
  const [head = '', ...files] = linesOf(status);
  const branch = head.replace(/^## (?:No commits yet on )?/, '').replace(/\.\.\..*$/, '');
  const commits = linesOf(unpushed);
  const parts = [
    files.length === 0
      ? `Nothing is changed on ${codeSpan(branch)} since its last commit.`
      : [
          `**${files.length === 1 ? 'One file is' : `${files.length} files are`} changed on ${codeSpan(branch)}:**`,
          list(files, SHOWN_FILES),
        ].join('\n'),
    commits.length === 0
      ? ''
      : [
          `**${commits.length === 1 ? 'One commit is' : `${commits.length} commits are`} not pushed:**`,
          list(commits, SHOWN_COMMITS),
        ].join('\n'),
  ];
  const cut = diff.truncated ? 'The diff is longer than what the worker gives; its end is missing.' : '';
  if (diff.output.trim() === '') return { message: join([...parts, cut]) };
  if ([...diff.output].length <= SHOWN_DIFF) return { message: join([...parts, fenced(diff.output, 'diff'), cut]) };
  const size = bytes(Buffer.byteLength(diff.output));
  return {
    message: join([...parts, `The diff (${size}) is attached.`, cut]),
    file: { name: 'changes.diff', content: diff.output },
  };
}

/** Newest last. What does not fit is left out from the top. */
export function logsText(lines: readonly string[]): string {
  if (lines.length === 0) return "The worker's log is empty.";
  let room = 14_000;
  const shown: string[] = [];
  for (const line of [...lines].reverse()) {
    const text = clip(line, 500);
    room -= [...text].length + 1;
    if (room < 0) break;
    shown.unshift(text);
  }
  const left = lines.length - shown.length;
  return `${left > 0 ? `The last ${shown.length} of ${lines.length} lines:\n` : ''}${fenced(shown.join('\n'))}`;
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

function list(lines: readonly string[], most: number): string {
  const rest = lines.length - most;
  const shown = lines.slice(0, most).map((line) => `- ${codeSpan(line, 160)}`);
  return [...shown, ...(rest > 0 ? [`- … and ${rest} more`] : [])].join('\n');
}

function join(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n\n');
}
