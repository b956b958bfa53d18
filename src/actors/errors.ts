/**
 * How adapters tell the runtime what a failure means. `code` is a stable word for charts and metrics, `message` is for the
 * log, `human` is what the thread may show.
 */
interface Details {
  /** A sentence for people; shown in the thread. */
  readonly human?: string;
  readonly cause?: unknown;
}

/** Trying again would not help. The effect or task ends at once. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
  readonly code: string;
  readonly human: string | undefined;
  constructor(code: string, message: string, details: Details = {}) {
    super(message, { cause: details.cause });
    this.code = code;
    this.human = details.human;
  }
}

/** Trying again may help. The effect is retried until its deadline. */
export class RetryableError extends Error {
  override readonly name = 'RetryableError';
  readonly code: string;
  readonly human: string | undefined;
  /** Not before this many milliseconds from now (a server's Retry-After). */
  readonly retryAfterMs: number | undefined;
  constructor(code: string, message: string, details: Details & { readonly retryAfterMs?: number } = {}) {
    super(message, { cause: details.cause });
    this.code = code;
    this.human = details.human;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** What a failed effect or task tells its chart. */
export type Failure = { readonly code: string; readonly message: string; readonly human: string };

/** Any thrown value in the three words charts understand. Unknown errors are retryable and say so little to people. */
export function failureOf(error: unknown): Failure {
  if (error instanceof TerminalError || error instanceof RetryableError) {
    return { code: error.code, message: error.message, human: error.human ?? error.message };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'unexpected', message, human: 'Something unexpected went wrong.' };
}

/** Another process leads now: nothing this process decides may be written any more. */
export class FencedError extends Error {
  override readonly name = 'FencedError';
}

/** The database refused these rows, whoever writes them and however often. */
export class BadDataError extends Error {
  override readonly name = 'BadDataError';
}

/** The connection was lost while the statement was on its way: it may or may not have happened. */
export class UnknownOutcomeError extends Error {
  override readonly name = 'UnknownOutcomeError';
}
