/**
 * Words for a POSIX shell. ssh hands the far side one string, which the user's login shell reads; quoted like this every
 * word arrives as it was, whatever it contains.
 */
import { TerminalError } from '../../actors/index.ts';

/** Linux takes at most 128 KiB in one argument, and the login shell gets the whole command as one. */
export const COMMAND_LIMIT_BYTES = 128 * 1024 - 1024;

/** @throws TerminalError for what no command line can carry: U+0000 and halves of characters */
export function quote(word: string): string {
  if (word.includes('\0') || /\p{Surrogate}/u.test(word)) {
    throw new TerminalError('SSH_UNSENDABLE', 'An argument contains U+0000 or half a character', {
      human: 'That text contains a character no command line can carry.',
    });
  }
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

export function quoteAll(words: readonly string[]): string {
  return words.map(quote).join(' ');
}
