/**
 * What simulated people write and simulated agents answer. Every prompt has a token of its own (`t17`); the answer is made
 * of numbered words (`t17w1 t17w2 ...`) and ends with `t17end`, so that each word can be found again, once, in the chat.
 */

export interface Task {
  readonly token: string;
  readonly words: number;
  /** Milliseconds between two pieces of the answer. */
  readonly pace: number;
  /** Asks people in the middle: for a tool, for a choice, for a way through the firewall, or for five tools at once. */
  readonly ask: Asks;
}

const ASKS = ['nothing', 'tool', 'question', 'network', 'five'] as const;
export type Asks = (typeof ASKS)[number];

const TASK = /\bdo (t\d+) words=(\d+) pace=(\d+) ask=(\w+)\b/;

/** What a task of `network` asks for. */
export function hostOf(token: string): string {
  return `${token}.pypi.org`;
}

export function taskText({ token, words, pace, ask }: Task): string {
  return `do ${token} words=${words} pace=${pace} ask=${ask}`;
}

export function readTask(text: string): Task | undefined {
  const [, token, words, pace, asked] = TASK.exec(text) ?? [];
  const ask = ASKS.find((each) => each === asked);
  if (token === undefined || ask === undefined) return undefined;
  return { token, words: Number(words), pace: Number(pace), ask };
}

/** As a PostgreSQL expression, too: what counts as a word of an answer. */
export const WORD_PATTERN = 't[0-9]+(?:w[0-9]+|end|(?:n[0-9]+)?(?:approved|denied|expired|withdrawn))';

export function wordsOf(text: string): string[] {
  return text.match(new RegExp(`\\b${WORD_PATTERN}\\b`, 'g')) ?? [];
}

/** The choices of a question; which one was taken is part of the decision. */
export const CHOICES = ['Heron', 'Egret'] as const;

/** The words of an answer in pieces, as an agent streams them: one to three at a time. */
export function piecesOf(words: readonly string[]): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < words.length; ) {
    const size = 1 + (at % 3);
    pieces.push(`${words.slice(at, at + size).join(' ')} `);
    at += size;
  }
  return pieces;
}
