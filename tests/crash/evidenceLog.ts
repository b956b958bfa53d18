/** What a simulated worker writes down about itself, one line of JSON each, before anybody else can know of it. */
import { appendFileSync } from 'node:fs';

export type WorkerLine =
  | { readonly what: 'started'; readonly pid: number; readonly startTime: string; readonly identity: string }
  | { readonly what: 'attached'; readonly session: string; readonly logId: string; readonly term: number }
  | { readonly what: 'input'; readonly session: string; readonly inputId: string }
  | { readonly what: 'ran'; readonly session: string; readonly inputId: string; readonly text: string }
  | {
      readonly what: 'decided';
      readonly session: string;
      readonly requestId: string;
      readonly outcome: string;
      readonly answer: string;
    }
  | { readonly what: 'refused'; readonly session: string; readonly requestId: string; readonly code: string }
  | {
      readonly what: 'output';
      readonly session: string;
      readonly logId: string;
      readonly seq: number;
      readonly kind: string;
      /** Words of the answer that are said here for the first time. */
      readonly words: readonly string[];
      readonly requestId: string;
      /** What people are asked about, in the tool's own words. */
      readonly text: string;
    }
  | { readonly what: 'ack'; readonly session: string; readonly logId: string; readonly seq: number };

export type WriteDown = (line: WorkerLine) => void;

/** Several workers may write to the same file: a line is one append. */
export function evidenceLog(file: string): WriteDown {
  return (line) => appendFileSync(file, `${JSON.stringify({ at: Date.now(), ...line })}\n`);
}
