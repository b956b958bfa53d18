/**
 * Reads an answer back from the posts it was put into, without knowing how they were made: the posts are laid along the
 * answer, and whatever does not belong to it must be a fence that was closed at the end of one post and opened again at the
 * beginning of the next. White space between two posts counts only inside of code, and an address counts as itself, whether it
 * stands bare or as a link that shows it.
 */

export interface Fence {
  readonly marker: string;
  readonly info: string;
}

/** CommonMark's rules for fenced code at the beginning of a document's lines; lists and quotes are not looked into. */
function after(line: string, open: Fence | null): Fence | null {
  const [, marker = '', info = ''] = /^ {0,3}(`{3,}|~{3,})(.*)$/.exec(line) ?? [];
  if (open === null)
    return marker === '' || (marker[0] === '`' && info.includes('`')) ? null : { marker, info: info.trim() };
  const closes = marker[0] === open.marker[0] && marker.length >= open.marker.length && info.trim() === '';
  return closes ? null : open;
}

/** The fence that is open at the end of the text. */
export function openFence(text: string): Fence | null {
  let open: Fence | null = null;
  for (const line of text.split('\n')) open = after(line, open);
  return open;
}

const ZERO_WIDTH = /\u200b/g;

/** @returns what does not fit, or an empty string */
export function recover(answer: string, posts: readonly string[]): string {
  const wanted = answer.replace(ZERO_WIDTH, '');
  const texts = posts.map((post) => withoutLinks(post.replace(ZERO_WIDTH, '')));
  let furthest = { at: 0, index: 0 };
  /** From where the posts cannot be read on. Text that repeats itself leads to the same places again and again. */
  const stuck = new Set<string>();

  /** A closing fence may look like the beginning of what comes next, so every way of reading is tried. */
  const reads = (index: number, at: number, open: Fence | null): boolean => {
    const from = JSON.stringify([index, at, open]);
    if (stuck.has(from)) return false;
    const canBeRead = readsOn(index, at, open);
    if (!canBeRead) stuck.add(from);
    return canBeRead;
  };
  const readsOn = (index: number, at: number, open: Fence | null): boolean => {
    if (index > furthest.index) furthest = { at, index };
    const post = texts[index];
    if (post === undefined) return wanted.slice(at).trim() === '';
    const opener = open === null ? '' : `${open.marker}${open.info}\n`;
    if (!post.startsWith(opener)) return false;
    const text = post.slice(opener.length);
    const starts = open === null ? afterBlank(wanted, at, text) : [at];
    return starts.some((start) => laid(wanted, start, text).some((end) => reads(index + 1, end.at, end.open)));
  };

  if (reads(0, 0, null)) return '';
  const { at, index } = furthest;
  const was = (texts[index] ?? '(nothing)').slice(0, 120);
  return `post ${index} does not follow: ${JSON.stringify(was)} instead of ${JSON.stringify(wanted.slice(at, at + 120))}`;
}

function withoutLinks(post: string): string {
  return post.replace(/\[(https?:[^\s\]]*)\]\((https?:[^\s()]*)\)/g, (whole, shown: string, target: string) => {
    const address = target.replace(/%(28|29|40|5C)/g, (code) => decodeURIComponent(code));
    return shown.replace(/\\(.)/g, '$1') === address ? address : whole;
  });
}

interface End {
  readonly at: number;
  readonly open: Fence | null;
}

/** Where the text may end in the answer: as it is, or without a closing fence that was added to it. */
function laid(wanted: string, at: number, text: string): End[] {
  const ends: End[] = [];
  const [, said = '', marker = ''] = /^([\s\S]*?)(`{3,}|~{3,})$/.exec(text) ?? [];
  for (const body of marker === '' ? [] : [said, said.replace(/\n$/, '')]) {
    if (!wanted.startsWith(body, at)) continue;
    const end = at + body.length;
    const open = openFence(wanted.slice(0, end).replace(/\n$/, ''));
    if (open?.marker === marker) ends.push({ at: end, open: wanted.slice(end).trim() === '' ? null : open });
  }
  if (wanted.startsWith(text, at)) {
    const end = at + text.length;
    if (openFence(wanted.slice(0, end)) === null) ends.push({ at: end, open: null });
  }
  return ends;
}

/** Where the text may begin when white space before it does not count. */
function afterBlank(wanted: string, at: number, text: string): number[] {
  const blank = /^\s*/.exec(wanted.slice(at))?.[0].length ?? 0;
  const starts = Array.from({ length: blank + 1 }, (_, index) => at + index);
  return starts.filter((start) => wanted[start] === text[0]);
}
