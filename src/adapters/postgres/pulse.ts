/** The pulse of a leader, from both sides: the leader beats, those who wait listen. */
import type { PulseRow } from './sql/lease.ts';

/** How often the leader asks something on the connection that holds the lock. */
const BEAT_MS = 1_500;
/** An answer that takes longer makes the leader stop. */
const ANSWER_MS = 3_000;
/** The last answered beat must have been sent within this time, or the leader may not act. Less than SILENT_MS. */
const CERTAIN_MS = 5_000;
/** A leader that was silent for so long, by the server's clock, is ended. */
const SILENT_MS = 6_000;
/** And the one who ends it has seen the silence itself for so long: a clock that was set must not cost a healthy leader. */
const WATCHED_MS = 2_500;

export interface Heartbeat {
  /** False as soon as the last answered beat was sent too long ago, whether or not any timer has fired since. */
  certain(): boolean;
  stop(): void;
}

/**
 * @param ask one round trip on the connection that holds the lock.
 * @param since when the last statement that was answered was sent.
 * @param onDoubt called once with the reason.
 */
export function startHeartbeat(
  ask: () => Promise<unknown>,
  since: Instant,
  onDoubt: (reason: string) => void,
): Heartbeat {
  let confirmed: Instant | undefined = since;
  let pending = false;
  let deadline: NodeJS.Timeout | undefined;
  const stop = () => {
    confirmed = undefined;
    clearInterval(timer);
    clearTimeout(deadline);
  };
  const doubt = (reason: string) => {
    if (confirmed === undefined) return;
    stop();
    onDoubt(reason);
  };
  const beat = () => {
    if (pending) return;
    pending = true;
    const sent = instant();
    deadline = setTimeout(() => {
      // A process that was suspended finds its timers due before it has read the answer that lies there: read first.
      setImmediate(() => {
        if (pending) doubt(`heartbeat not answered within ${ANSWER_MS} ms`);
      });
    }, ANSWER_MS);
    ask().then(
      () => {
        pending = false;
        clearTimeout(deadline);
        if (confirmed !== undefined) confirmed = sent;
      },
      (error: Error) => doubt(`heartbeat: ${error.message}`),
    );
  };
  const timer = setInterval(beat, BEAT_MS);
  return { certain: () => confirmed !== undefined && ageOf(confirmed) < CERTAIN_MS, stop };
}

/** A moment by both clocks: the monotonic one cannot be set, but stands still while the machine is suspended. */
export interface Instant {
  readonly monotonic: number;
  readonly wall: number;
}

export function instant(): Instant {
  return { monotonic: performance.now(), wall: Date.now() };
}

/** Milliseconds, by the clock that says more. */
function ageOf({ monotonic, wall }: Instant): number {
  return Math.max(performance.now() - monotonic, Date.now() - wall);
}

/** Remembers what one connection has seen of the leader's pulse. @returns whether the leader is to be ended. */
export function createPulseWatch(): (row: PulseRow) => boolean {
  let seen = '';
  let since = 0;
  return ({ pulse, silent_ms }) => {
    if (pulse !== seen) {
      seen = pulse;
      since = performance.now();
    }
    return silent_ms !== null && silent_ms > SILENT_MS && performance.now() - since > WATCHED_MS;
  };
}
