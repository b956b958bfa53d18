/**
 * Calls to the database that have to get through: tried again while the failure may pass, for as long as this process leads.
 * Meanwhile the process is degraded: it says since when and why, takes nothing new from outside, and holds what it has.
 */
import type { Clock } from './clock.ts';
import { RetryableError, UnknownOutcomeError } from './errors.ts';
import type { Log } from './log.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2000;

export interface Degradation {
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly reason: string;
}

export interface Persistence {
  /**
   * Calls until it works. With `again` an unknown outcome is tried again, too: for statements that have the same effect
   * twice as once.
   * @throws FencedError, BadDataError, UnknownOutcomeError (without `again`), and the last error once closed.
   */
  insist<Result>(call: () => Promise<Result>, unknown?: 'again'): Promise<Result>;
  /** Set while calls fail. */
  degraded(): Degradation | undefined;
  /** No call is tried again from now on; pauses end at once. */
  close(): void;
}

export interface PersistenceOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Calls work again after some failed: what was missed meanwhile must be read again. */
  onRecovered(): void;
}

export function createPersistence({ clock, log, onRecovered }: PersistenceOptions): Persistence {
  const pauses = new Set<() => void>();
  let failing = 0;
  /** One that failed for a while got through: its first attempt may have been written, unheard. */
  let missed = false;
  let degradation: Degradation | undefined;
  let closed = false;

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        pauses.delete(end);
        resolve();
      };
      const cancel = clock.after(ms, end);
      pauses.add(end);
    });
  }

  function failed(first: boolean, error: Error): void {
    if (first) failing += 1;
    if (degradation === undefined)
      log.error({ err: error }, 'the database does not answer; holding on to what is there');
    degradation ??= { since: clock.now(), reason: error.message };
  }

  function settled(recovered: boolean): void {
    failing -= 1;
    missed ||= recovered;
    if (failing > 0 || degradation === undefined) return;
    const { since } = degradation;
    degradation = undefined;
    if (!missed) return;
    missed = false;
    log.info({ ms: clock.now() - since }, 'the database answers again');
    onRecovered();
  }

  return {
    async insist(call, unknown) {
      let failures = 0;
      for (;;) {
        try {
          const result = await call();
          if (failures > 0) settled(true);
          return result;
        } catch (error) {
          const passes =
            error instanceof RetryableError || (error instanceof UnknownOutcomeError && unknown === 'again');
          if (!passes || closed) {
            if (failures > 0) settled(false);
            throw error;
          }
          failed(failures === 0, error);
          failures += 1;
          await pause(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1)));
          if (closed) {
            settled(false);
            throw error;
          }
        }
      }
    },
    degraded: () => degradation,
    close() {
      closed = true;
      for (const end of [...pauses]) end();
    },
  };
}
