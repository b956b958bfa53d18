// Waiting without keeping the process alive.

/** The longest delay a timer can hold, milliseconds (about 24.8 days). */
const LONGEST_DELAY_MS = 2_147_483_647;

/** Runs `work` after the delay (milliseconds); its failure goes to `failed`. */
export function later(delayMs: number, work: () => Promise<void>, failed: (error: unknown) => void): NodeJS.Timeout {
  return setTimeout(() => work().catch(failed), Math.min(delayMs, LONGEST_DELAY_MS)).unref();
}

/** Waits for the work, but no longer than this and not for its success: what comes next must be done in any case. */
export async function withinGrace(work: Promise<void>, graceMs: number): Promise<void> {
  const grace = new Promise<void>((resolve) => {
    setTimeout(resolve, graceMs).unref();
  });
  await Promise.race([work.catch(() => undefined), grace]);
}
