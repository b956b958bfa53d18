/** Fenced code blocks, as CommonMark sees them: at most three spaces of indent, three or more of ` or ~. */

export interface Fence {
  /** The run of ` or ~ that opened it. */
  readonly marker: string;
  /** What stood after the marker, e.g. the language. */
  readonly info: string;
  /** Opened in the first column: no list or quote can end it early. */
  readonly certain: boolean;
}

const OPENING = /^( {0,3})(`{3,40}(?!`)|~{3,40}(?!~))([^\n]*)$/;
const MAX_INFO = 60;

/** The fence that is open after the line, given the one that was open before it. */
export function fenceAfter(line: string, open: Fence | null): Fence | null {
  const bare = line.endsWith('\r') ? line.slice(0, -1) : line;
  if (open === null) {
    const [, indent = '', marker = '', info = ''] = OPENING.exec(bare) ?? [];
    if (marker === '' || (marker.startsWith('`') && info.includes('`'))) return null;
    return { marker, info: [...info.trim()].slice(0, MAX_INFO).join(''), certain: indent === '' };
  }
  const closing = /^ {0,3}(`{3,}|~{3,})[ \t]*$/.exec(bare)?.[1];
  const closes = closing !== undefined && closing[0] === open.marker[0] && closing.length >= open.marker.length;
  return closes ? null : open;
}

/** The fence that is open at the end of the text. An unfinished last line counts as it stands. */
export function fenceAtEnd(text: string, open: Fence | null = null): Fence | null {
  let state = open;
  for (const line of text.split('\n')) state = fenceAfter(line, state);
  return state;
}

/** A fence around text that the text cannot close. */
export function fenced(text: string, info = ''): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map((run) => run[0].length));
  const marker = '`'.repeat(longest + 1);
  return `${marker}${info}\n${text}${text.endsWith('\n') ? '' : '\n'}${marker}`;
}
