/**
 * The numbering of the server's event stream over several connections: what may be missing, and from where to go on.
 *
 * The server numbers every event of a connection, also the ones nobody here looks at. A connection that continues an
 * earlier stream goes on with its numbers and starts with no hello; a hello always means a stream that begins anew.
 */
import type { Frame } from './events.ts';

/**
 * Why events may be missing:
 * - `start`: the first connection of this process;
 * - `newConnection`: the server could not continue the earlier stream (away too long, restarted, too much missed);
 * - `sequence`: a number was skipped;
 * - `handler`: `onEvent` threw, so its event was not taken.
 */
export type GapReason = 'start' | 'newConnection' | 'sequence' | 'handler';

export interface EventStream {
  /** What to ask for when connecting; empty for a new stream. */
  resume(): { connection_id: string; sequence_number: string } | undefined;
  /** Takes note of a frame; returns a reason if events before it may be missing. */
  accept(frame: Frame): GapReason | undefined;
  /** The next connection asks for a new stream (which is a gap). */
  forget(): void;
}

export function createEventStream(): EventStream {
  let connectionId: string | undefined;
  let next = 0;
  let begun = false;

  const count = (seq: number): GapReason | undefined => {
    const gap = seq === next ? undefined : 'sequence';
    next = seq + 1;
    return gap;
  };

  return {
    resume: () =>
      connectionId === undefined ? undefined : { connection_id: connectionId, sequence_number: String(next) },
    forget() {
      connectionId = undefined;
    },
    accept(frame) {
      switch (frame.kind) {
        case 'hello': {
          const reason = begun ? 'newConnection' : 'start';
          const repeated = frame.connectionId === connectionId;
          begun = true;
          connectionId = frame.connectionId;
          next = frame.seq + 1;
          // Some servers greet twice after a stream was lost; the second says nothing new.
          return repeated ? undefined : reason;
        }
        case 'event':
        case 'other':
          return count(frame.seq);
        case 'malformed':
          // Without a number nothing is known; the next event's number tells whether one was lost.
          return frame.seq === undefined ? undefined : count(frame.seq);
        case 'reply':
          return undefined;
      }
    },
  };
}
