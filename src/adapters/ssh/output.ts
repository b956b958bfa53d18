/** What a command writes: kept up to a limit, and told line by line while it comes. */
import { StringDecoder } from 'node:string_decoder';

export interface Collector {
  add(chunk: Buffer): void;
  /** The whole, or its beginning and its end with a mark between. */
  bytes(): Buffer;
  readonly truncated: boolean;
}

/** Keeps the first and the last half of the limit: errors stand at the end, causes at the beginning. */
export function createCollector(limitBytes: number): Collector {
  const half = Math.floor(limitBytes / 2);
  const head: Buffer[] = [];
  let headBytes = 0;
  let tail: Buffer[] = [];
  let tailBytes = 0;
  let dropped = 0;

  function trimTail(): void {
    const all = Buffer.concat(tail);
    const kept = all.subarray(Math.max(0, all.length - half));
    dropped += all.length - kept.length;
    tail = [Buffer.from(kept)];
    tailBytes = kept.length;
  }

  return {
    add: (chunk) => {
      const toHead = Math.min(chunk.length, limitBytes - half - headBytes);
      if (toHead > 0) {
        head.push(chunk.subarray(0, toHead));
        headBytes += toHead;
      }
      if (toHead < chunk.length) {
        tail.push(chunk.subarray(toHead));
        tailBytes += chunk.length - toHead;
        // Not at every chunk: copying the whole tail each time would be quadratic.
        if (tailBytes > 2 * half + 65_536) trimTail();
      }
    },
    bytes: () => {
      if (tailBytes > half) trimTail();
      const mark = dropped > 0 ? Buffer.from(`\n[... ${dropped} bytes left out ...]\n`) : Buffer.alloc(0);
      return Buffer.concat([...head, mark, ...tail]);
    },
    get truncated() {
      return dropped > 0 || tailBytes > half;
    },
  };
}

const LONGEST_LINE = 16 * 1024;

/** Cuts a stream into lines; a carriage return ends one as well, as programs draw their progress with it. */
export function createLines(onLine: (line: string) => void): { add(chunk: Buffer): void; end(): void } {
  const decoder = new StringDecoder('utf8');
  let open = '';
  const take = (text: string): void => {
    const parts = (open + text).split(/\r\n|\n|\r/);
    open = parts.pop() ?? '';
    for (const part of parts) if (part !== '') onLine(part.slice(0, LONGEST_LINE));
    if (open.length > LONGEST_LINE) {
      onLine(open.slice(0, LONGEST_LINE));
      open = '';
    }
  };
  return {
    add: (chunk) => take(decoder.write(chunk)),
    end: () => take(`${decoder.end()}\n`),
  };
}
