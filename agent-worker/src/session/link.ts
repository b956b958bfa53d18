// The gateway's stream of one session: what has been sent, and how fast it may go on.

import type { SessionResponse } from '../generated/claude_agent/v1/agent.ts';
import { type SessionLog, toResponse } from '../log/sessionLog.ts';
import type { Output } from '../mapping/state.ts';

/** A stream as the session sees it. */
export interface Wire {
  /** False: wait for `onDrain` before sending more. */
  write(response: SessionResponse): boolean;
  onDrain(listener: () => void): void;
  /**
   * Ends the stream. `taken-over` (ABORTED) tells the gateway that this link is finished; `stopping` (UNAVAILABLE) that
   * it may come back.
   */
  end(why: 'taken-over' | 'stopping', reason: string): void;
}

export interface Link {
  readonly term: number;
  /** Sends everything of the log that was not sent yet, as fast as the stream takes it. */
  pump(): void;
  /** Sends an answer that is not part of the log. */
  answer(output: Output): void;
  end: Wire['end'];
}

/** @param afterSeq the position the gateway has */
export function createLink(wire: Wire, log: SessionLog, term: number, afterSeq: number): Link {
  let cursor = afterSeq;
  let blocked = false;
  let done = false;

  const pump = () => {
    while (!blocked && !done) {
      const entry = log.next(cursor);
      if (!entry) return;
      cursor = entry.seq;
      blocked = !wire.write(toResponse(entry));
    }
  };
  wire.onDrain(() => {
    blocked = false;
    pump();
  });

  return {
    term,
    pump,
    answer(output) {
      if (!done) wire.write({ seq: 0, firstSeq: 0, atMs: Date.now(), response: output });
    },
    end(why, reason) {
      done = true;
      wire.end(why, reason);
    },
  };
}
