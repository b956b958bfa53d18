/**
 * Runs something with a signal that is aborted after a time, or when one of the others is. Timer and listeners are held
 * here until it is over: `AbortSignal.any` and `AbortSignal.timeout` hold theirs weakly and may be collected unheard.
 */
export async function withLimit<Result>(
  ms: number,
  others: readonly (AbortSignal | undefined)[],
  use: (limit: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const abort = (): void => controller.abort(others.find((other) => other?.aborted)?.reason);
  const timer = setTimeout(() => controller.abort(new Error('time is over')), ms);
  for (const other of others) {
    if (other?.aborted) abort();
    other?.addEventListener('abort', abort, { once: true });
  }
  try {
    return await use(controller.signal);
  } finally {
    clearTimeout(timer);
    for (const other of others) other?.removeEventListener('abort', abort);
  }
}
