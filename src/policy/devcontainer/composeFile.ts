/** Where a compose file stands, and which others it may take in. */
import { posix } from 'node:path';
import { type Vetting, vetFile } from './places.ts';
import { quoted } from './verdict.ts';

/** What a compose file is vetted with: paths begin at its own folder or at the first file's, so both must be fine. */
export interface ComposeVetting extends Vetting {
  readonly bases: readonly string[];
  /** Files that are vetted too. */
  readonly read: ReadonlySet<string>;
}

/** A compose file that another one takes in must have been vetted itself. */
export function vetOtherFile(text: string, path: string, vetting: ComposeVetting): void {
  for (const base of vetting.bases) vetFile(text, base, path, 'a compose file', vetting);
  const places = vetting.bases.map((base) => posix.resolve(base, text));
  if (!places.some((place) => vetting.read.has(place))) {
    vetting.found.refuse(path, 'unreadable', `takes in a file that was not read (${quoted(text)})`);
  }
}
