/** Which of a thread's posts, as they are stored, belongs to what is to be shown. */
import type { PostRow } from '../actors/index.ts';
import type { DesiredPost } from '../chat/render/index.ts';
import type { TranscriptEntry } from '../chat/transcript.ts';
import type { Address } from '../machines/addresses.ts';

/**
 * The post to use. One that a person deleted stays deleted with what it said; what is said beyond that gets a post of its own,
 * under the same key with a number behind it.
 */
export function place(
  rows: ReadonlyMap<string, PostRow>,
  base: string,
  hash: string,
): { key: string; row: PostRow | undefined } {
  for (let copy = 0; ; copy += 1) {
    const key = copy === 0 ? base : `${base}~${copy}`;
    const row = rows.get(key);
    if (row?.state !== 'gone' || row.contentHash === hash) return { key, row };
  }
}

/**
 * Posts of what is being rendered that should not be there any more: withdrawn notes, text that was taken back. A turn whose
 * beginning is not among the entries stands for good already: a row that names it late is no reason to take its posts away.
 */
export function surplus(
  session: Address,
  entries: readonly TranscriptEntry[],
  desired: readonly DesiredPost[],
  rows: ReadonlyMap<string, PostRow>,
): PostRow[] {
  const wanted = new Set(desired.map((post) => postKey(session, post.key)));
  const subjects = new Set(entries.flatMap(subjectOf).map((name) => postKey(session, name)));
  return [...rows.values()].filter((row) => {
    const key = row.key.replace(/~\d+$/, '');
    const isAbout = [...subjects].some((name) => key === name || key.startsWith(`${name}/`));
    return row.state === 'posted' && isAbout && !wanted.has(key);
  });
}

function subjectOf(entry: TranscriptEntry): string[] {
  if (entry.kind === 'note') return [`note/${entry.body.note}`];
  return entry.kind === 'turnStarted' ? [entry.body.turnId] : [];
}

export function postKey(session: Address, key: string): string {
  return `${session}|${key}`;
}
