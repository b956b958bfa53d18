/** Driver and server errors in the runtime's words. The only place that knows SQLSTATEs. */
import { BadDataError, RetryableError, UnknownOutcomeError } from '../../actors/errors.ts';

/** https://www.postgresql.org/docs/current/errcodes-appendix.html: data exception, constraint violation, program limit. */
const BAD_DATA = new Set(['22', '23', '54']);
/** Connection exception; the server is going down. */
const CONNECTION_LOST = ['08', '57P01', '57P02', '57P05'];
const NEVER_CONNECTED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN']);
const SOCKET_LOST = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ECONNABORTED']);

/** @param doing the statement's name, for the log. */
export function translate(error: unknown, doing: string): Error {
  const message = error instanceof Error ? error.message : String(error);
  const code = codeOf(error);
  const text = `${doing}: ${message}`;
  if (BAD_DATA.has(code.slice(0, 2))) return new BadDataError(text, { cause: error });
  if (NEVER_CONNECTED.has(code) || /timeout exceeded when trying to connect|due to connection timeout/.test(message)) {
    return new RetryableError('database.unreachable', text, { cause: error, human: 'The database cannot be reached.' });
  }
  const lost =
    CONNECTION_LOST.some((prefix) => code.startsWith(prefix)) ||
    SOCKET_LOST.has(code) ||
    /Connection terminated|Client has encountered a connection error/.test(message);
  if (lost) return new UnknownOutcomeError(text, { cause: error });
  return new RetryableError('database', text, { cause: error, human: 'The database refused a statement.' });
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';
}
