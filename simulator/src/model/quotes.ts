const PAIRS: Record<string, string> = { '"': '"', "'": "'", '`': '`', '“': '”', '«': '»' };

/**
 * How many characters to pass over at `at`: a whole quoted part, or one character. A quote opens only at the start of
 * a word and if it is closed before the next word character, so an apostrophe (`it's`) opens nothing.
 */
export function takeQuoted(text: string, at: number): number {
  const close = PAIRS[text[at] ?? ''];
  if (close === undefined) return 1;
  if (at > 0 && /[\w)\]]/.test(text[at - 1] ?? '')) return 1;
  for (let end = at + 1; end < text.length; end += 1) {
    if (text[end] === '\\') end += 1;
    else if (text[end] === close && !/\w/.test(text[end + 1] ?? '')) return end + 1 - at;
  }
  return 1;
}

/** The text without the quotes around the whole of it; in double quotes `\n`, `\t`, `\"` and `\\` are understood. */
export function unquote(text: string): string {
  const close = PAIRS[text[0] ?? ''];
  if (close === undefined || text.length < 2 || takeQuoted(text, 0) !== text.length) return text;
  const inner = text.slice(1, -1);
  return text[0] === '"' ? inner.replace(/\\([nt"\\])/g, (_, c: string) => ESCAPES[c] ?? c) : inner;
}

const ESCAPES: Record<string, string> = { n: '\n', t: '\t' };

/** Removes the indentation that all lines have in common. */
export function stripIndent(text: string): string {
  const lines = text.split('\n');
  const indents = lines.filter((line) => line.trim() !== '').map((line) => line.length - line.trimStart().length);
  const common = Math.min(...indents);
  return Number.isFinite(common) ? lines.map((line) => line.slice(common)).join('\n') : text;
}
