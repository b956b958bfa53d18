// The worker's log file, with a bound: past it the file is put aside as `<file>.1` and begun anew.
import { closeSync, openSync, renameSync, statSync, writeSync } from 'node:fs';

/** Bytes after which a new file is begun; at most twice as much is kept. */
const FILE_LIMIT = 4 * 1024 * 1024;

/**
 * Appends lines to the file. Written at once: what is said last before a crash matters most. A line that cannot be written
 * is lost: a full disk must not end the agents.
 */
export function openLogFile(path: string, limit = FILE_LIMIT): (line: string) => void {
  let file = openSync(path, 'a', 0o600);
  let size = statSync(path).size;
  return (line) => {
    const bytes = Buffer.from(`${line}\n`);
    try {
      if (size > 0 && size + bytes.length > limit) {
        renameSync(path, `${path}.1`);
        const next = openSync(path, 'a', 0o600);
        closeSync(file);
        file = next;
        size = 0;
      }
      size += writeSync(file, bytes);
    } catch {
      // The next line is tried again.
    }
  };
}
