import { encodeEvent, type HubEvent, isDispensable } from './event.ts';

/** Events already sent that are kept for a client that did not get them. */
const SENT_KEPT = 128;
/** Events that wait for a connection that is away; one more and the connection is given up. */
const WAITING_MOST = 256;
/** From here on, dispensable events are dropped. */
const WAITING_SLOW = 128;

/** The two queues that outlive a socket: what was sent, and what waits to be sent. */
export interface Queues {
  sent: { seq: number; frame: string }[];
  waiting: HubEvent[];
  nextSeq: number;
}

export function createQueues(): Queues {
  return { sent: [], waiting: [], nextSeq: 0 };
}

/** Puts an event in the waiting queue. False: the queue is full, and the connection must be given up. */
export function enqueue(queues: Queues, event: HubEvent): boolean {
  if (queues.waiting.length >= WAITING_SLOW && isDispensable(event)) return true;
  if (queues.waiting.length >= WAITING_MOST) return false;
  queues.waiting.push(event);
  return true;
}

/** Numbers an event, keeps it among the sent ones, and returns its frame. */
export function takeNumber(queues: Queues, event: HubEvent, userId: string): string {
  const seq = queues.nextSeq;
  queues.nextSeq += 1;
  const frame = encodeEvent(event, userId, seq);
  queues.sent.push({ seq, frame });
  if (queues.sent.length > SENT_KEPT) queues.sent.shift();
  return frame;
}

/** What a resume finds: the frames to send again, or that something is lost for good. */
export type Replay = { lost: false; frames: string[] } | { lost: true };

/**
 * Prepares the queues for a client that expects `sequence` next. Nothing sent yet, or the last sent plus one: nothing
 * to repeat. Within the kept ones: repeat from there. Anything else is a gap. Zero repeats nothing and starts the
 * numbering anew (as recorded; the server takes it for a first connection).
 */
export function resumeAt(queues: Queues, sequence: number): Replay {
  queues.nextSeq = sequence;
  if (sequence === 0) return { lost: false, frames: [] };
  const at = queues.sent.findIndex((item) => item.seq === sequence);
  if (at >= 0) {
    const frames = queues.sent.slice(at).map((item) => item.frame);
    queues.nextSeq = sequence + frames.length;
    return { lost: false, frames };
  }
  const last = queues.sent.at(-1);
  if (last === undefined || last.seq === sequence - 1) return { lost: false, frames: [] };
  queues.sent = [];
  queues.nextSeq = 0;
  return { lost: true };
}
