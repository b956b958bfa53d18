/**
 * Who may run now. Every system that effects are asked of is a lane with a bound of its own; in a lane the most urgent goes
 * first, and among equals who waits longest. A kind at its own bound lets others pass.
 */
import type { ExternalKind } from '../machines/effects.ts';
import { EFFECT_POLICIES, LANES, type Lane, URGENCIES } from './effectPolicy.ts';

interface Waiting {
  readonly kind: ExternalKind;
  run(): Promise<void>;
}

export interface Lanes {
  /** Calls `run` when it is its turn; a place is taken until its promise settles. */
  enter(kind: ExternalKind, run: () => Promise<void>): void;
  /** Nobody who waits gets a turn any more. */
  close(): void;
  running(): number;
}

export function createLanes(): Lanes {
  const queues = new Map<Lane, Map<string, Waiting[]>>();
  const runningIn = new Map<string, number>();
  let running = 0;
  let closed = false;

  const countOf = (name: string): number => runningIn.get(name) ?? 0;
  const count = (name: string, by: 1 | -1) => runningIn.set(name, countOf(name) + by);

  function queueOf(kind: ExternalKind): Waiting[] {
    const { lane, urgency } = policyOf(kind);
    const lanes = queues.get(lane) ?? new Map<string, Waiting[]>();
    queues.set(lane, lanes);
    const queue = lanes.get(urgency) ?? [];
    lanes.set(urgency, queue);
    return queue;
  }

  function takeNext(lane: Lane): Waiting | undefined {
    for (const urgency of URGENCIES) {
      const queue = queues.get(lane)?.get(urgency) ?? [];
      const at = queue.findIndex(({ kind }) => countOf(kind) < policyOf(kind).concurrency);
      if (at >= 0) return queue.splice(at, 1)[0];
    }
    return undefined;
  }

  function pump(lane: Lane): void {
    while (!closed && countOf(`lane ${lane}`) < LANES[lane]) {
      const next = takeNext(lane);
      if (next === undefined) return;
      start(lane, next);
    }
  }

  function start(lane: Lane, { kind, run }: Waiting): void {
    running += 1;
    count(kind, 1);
    count(`lane ${lane}`, 1);
    const leave = () => {
      running -= 1;
      count(kind, -1);
      count(`lane ${lane}`, -1);
      pump(lane);
    };
    run().then(leave, leave);
  }

  return {
    enter(kind, run) {
      queueOf(kind).push({ kind, run });
      pump(policyOf(kind).lane);
    },
    close() {
      closed = true;
    },
    running: () => running,
  };
}

/** A row of a kind that this program does not know (a newer one wrote it) waits with the rest and is refused when it runs. */
function policyOf(kind: ExternalKind): (typeof EFFECT_POLICIES)[ExternalKind] {
  return EFFECT_POLICIES[kind] ?? EFFECT_POLICIES['chat.reply'];
}
