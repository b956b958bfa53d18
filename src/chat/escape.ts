/**
 * Makes the agent's Markdown harmless: it pings nobody and loads nothing. What stays is readable and can be copied.
 *
 * Guarantees: outside code no `@` starts a mention, and no address stands bare, see `links.ts`. A mass mention is broken inside inline and indented code as well,
 * because the chat server may see code ends where we do not; only a fence that begins in the first column is left as it is.
 */
import { type Brackets, linkAddresses, ZERO_WIDTH } from './links.ts';
import { type Fence, fenceAfter } from './render/fences.ts';

const MASS_MENTION = /@(?=(?:all|channel|here)(?![a-z0-9]))/gi;

/** Where links that name it lead. Counts only where no paragraph goes on; otherwise its address would stand bare. */
const DEFINITION = /^ {0,3}\[[^[\]\\]{1,200}\]:[ \t]+https?:\/\/[^\s<>]+(?:[ \t]+"[^"\\]*")?[ \t]*$/i;

/** @param open the fence the text begins in, if any. */
export function escapeMarkdown(text: string, open: Fence | null = null): string {
  let fence = open;
  let mayDefine = true;
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    const before = fence;
    fence = fenceAfter(line, fence);
    if (before === null && fence === null) {
      const isDefinition: boolean = mayDefine && DEFINITION.test(line);
      lines.push(isDefinition ? line.replaceAll('@', '%40') : escapeLine(line));
      mayDefine = isDefinition || line.trim() === '';
    } else if ((before ?? fence)?.certain === true) lines.push(before === null ? escapeMassMentions(line) : line);
    else lines.push(escapeMassMentions(line));
  }
  return lines.join('\n');
}

/** For one line outside fenced code. */
function escapeLine(line: string): string {
  let result = '';
  let at = 0;
  const brackets: Brackets = { open: 0 };
  while (at < line.length) {
    const span = nextCodeSpan(line, at);
    if (span === null) return result + escapeProse(line.slice(at), brackets);
    result +=
      escapeProse(line.slice(at, span.start), brackets, line.slice(span.start)) +
      escapeMassMentions(line.slice(span.start, span.end));
    at = span.end;
  }
  return result;
}

/** A run of backticks up to the next run of the same length, on the same line. */
function nextCodeSpan(line: string, from: number): { readonly start: number; readonly end: number } | null {
  const runs = [...line.matchAll(/`+/g)].map((run) => ({ at: run.index, length: run[0].length }));
  for (const [index, run] of runs.entries()) {
    if (run.at < from) continue;
    const escaped = isEscaped(line, run.at);
    const start = escaped ? run.at + 1 : run.at;
    const length = escaped ? run.length - 1 : run.length;
    if (length === 0) continue;
    const closing = runs.slice(index + 1).find((other) => other.length === length);
    if (closing !== undefined) return { start, end: closing.at + length };
  }
  return null;
}

function isEscaped(line: string, at: number): boolean {
  let backslashes = 0;
  while (line[at - 1 - backslashes] === '\\') backslashes += 1;
  return backslashes % 2 === 1;
}

function escapeProse(text: string, brackets: Brackets, following = ''): string {
  return escapeMentions(linkAddresses(escapeImages(text), brackets), following);
}

/** A picture is loaded by everyone who reads the thread, so its address is shown instead, in code: no preview either. */
function escapeImages(text: string): string {
  const inline = /!\[([^[\]]*)\]\(\s*<?([^\s()<>`]+)>?(?:\s[^()]*)?\)/g;
  return text
    .replace(inline, (_whole, alt: string, address: string) => `${alt.trim()} (image \`${address}\`)`.trimStart())
    .replace(/!(?=\[)/g, `!${ZERO_WIDTH}`);
}

/** An entity is as good as the character to the chat server. */
const AT_SIGN = /@|&#0*64;|&#x0*40;|&commat;/gi;
const MASS_NAME = /^(?:all|channel|here)(?![a-z0-9])/i;

function escapeMentions(text: string, following: string): string {
  return text.replace(AT_SIGN, (sign: string, at: number) => {
    const after = text.slice(at + sign.length, at + sign.length + 80) + following.slice(0, 1);
    if (after === '' || /^\s/u.test(after)) return sign;
    const isMail = sign === '@' && /[A-Za-z0-9]$/.test(text.slice(0, at)) && /^[A-Za-z0-9-]+\.[A-Za-z]/.test(after);
    return isMail && !MASS_NAME.test(after) ? sign : `${sign}${ZERO_WIDTH}`;
  });
}

function escapeMassMentions(text: string): string {
  return text.replace(MASS_MENTION, `@${ZERO_WIDTH}`);
}
