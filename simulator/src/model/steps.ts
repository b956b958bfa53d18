/** One step of a script: what the person asked for, before anything is known about tools or results. */
export type Step =
  | { kind: 'create'; file: string; content: string }
  | { kind: 'append'; file: string; text: string }
  | { kind: 'replace'; file: string; from: string; to: string }
  | { kind: 'read'; file: string }
  | { kind: 'run'; command: string; background: boolean }
  | { kind: 'ask'; questions: Question[] }
  | { kind: 'plan'; text: string }
  | { kind: 'network'; hosts: string[]; reason: string }
  | { kind: 'send'; file: string }
  | { kind: 'agent'; name: string; prompt: string; background: boolean }
  | { kind: 'slow'; words: number }
  | { kind: 'long'; kilobytes: number }
  | { kind: 'hold'; gate: string }
  | { kind: 'fail'; how: FailKind; times: number | 'always' }
  | { kind: 'think'; text: string }
  | { kind: 'say'; text: string }
  /** Words that are no step: answered in prose that quotes them. */
  | { kind: 'remark'; text: string };

/** A question for the person, as the AskUserQuestion tool takes it. */
export interface Question {
  question: string;
  options: string[];
  multiSelect: boolean;
}

/** An HTTP status to answer with, or `cut`: the connection is closed in the middle of the stream. */
export type FailKind = 400 | 401 | 403 | 404 | 413 | 429 | 500 | 529 | 'cut';

/** The statuses `fail CODE` knows. */
export const FAIL_STATUSES = [400, 401, 403, 404, 413, 429, 500, 529] as const;

/** The grammar in a few lines, for people who talk to the simulated model. */
export const grammarHelp = `The simulated model does what it is told, with the real tools. Steps are separated by ", then ", ";" or a new line:
  create FILE with the word W | create FILE with the words "..." | write FILE: TEXT
  append "TEXT" to FILE | replace "A" with "B" in FILE | read FILE | send FILE
  run: COMMAND | run in the background: COMMAND
  ask QUESTION? A or B or C | ask: QUESTION? A | B | ask any: QUESTION? A | B (several may be chosen)
  plan: TEXT | network HOST [because REASON]
  agent NAME: TEXT | agent NAME in the background: TEXT ("TEXT" in quotes may hold several steps)
  slow N (N numbered words) | long N (N kilobytes) | hold GATE (until a test opens the gate)
  fail CODE | fail CODE times K | fail cut | think TEXT | say TEXT
Anything else is answered in prose. Example: create hello.txt with the word hi, then run: cat hello.txt`;
