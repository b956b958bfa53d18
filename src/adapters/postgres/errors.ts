/**
 * Driver and server errors in the runtime's words: what they mean for the statement, for its connection, and for the
 * database as a whole. The only place that knows SQLSTATEs.
 */
import { BadDataError, RetryableError, UnknownOutcomeError } from '../../actors/errors.ts';
import { NoAnswerError } from './limited.ts';

export interface Verdict {
  /** BadDataError, UnknownOutcomeError or RetryableError. */
  readonly error: Error;
  /** Whether the connection may be used again. */
  readonly keep: boolean;
  /** Every other connection of the pool is of no use either: they lead to a server that has changed its part. */
  readonly dropAll: boolean;
  /** `all`: the database cannot be used. `writes`: it can be read. `none`: only this statement failed. */
  readonly affects: 'all' | 'writes' | 'none';
}

/** What was being done when it failed. */
export interface Doing {
  /** The statement's name, for the log. */
  readonly name: string;
  /** Nothing is written by it: whatever happened, it may be done again. */
  readonly reads: boolean;
  /** False while the connection was still being made. */
  readonly sent: boolean;
}

type Kind =
  | 'badData'
  | 'conflict'
  | 'slow'
  | 'full'
  | 'readonly'
  | 'overloaded'
  | 'busy'
  | 'outdated'
  | 'unreachable'
  | 'lost'
  | 'other';

/**
 * By the longest prefix. https://www.postgresql.org/docs/current/errcodes-appendix.html
 * A statement that ends with one of these had no effect, except for `lost`.
 */
const KINDS: Readonly<Record<string, Kind>> = {
  '22': 'badData',
  '23': 'badData',
  '54': 'badData',
  '40': 'conflict',
  // The transaction may have been committed although its connection broke.
  '40003': 'lost',
  '55P03': 'slow',
  '57014': 'slow',
  '53100': 'full',
  '53200': 'overloaded',
  '53300': 'busy',
  '53400': 'overloaded',
  '53': 'overloaded',
  // A former primary after a switch: the next connection may lead to the new one.
  '25006': 'readonly',
  // "cached plan must not change result type", after another process migrated; "prepared statement does not exist".
  '0A000': 'outdated',
  '26000': 'outdated',
  '08': 'lost',
  '57P01': 'lost',
  '57P02': 'lost',
  '57P03': 'unreachable',
  '57P04': 'unreachable',
  '57P05': 'lost',
  '28': 'unreachable',
  '3D': 'unreachable',
  '58': 'overloaded',
  ECONNREFUSED: 'unreachable',
  ENOENT: 'unreachable',
  ENOTFOUND: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EAI_AGAIN: 'unreachable',
  ECONNRESET: 'lost',
  EPIPE: 'lost',
  ETIMEDOUT: 'lost',
  ECONNABORTED: 'lost',
};

const HUMAN: Readonly<Record<Exclude<Kind, 'badData'>, string>> = {
  conflict: 'The database was busy with the same rows.',
  slow: 'The database took too long.',
  full: 'The disk of the database is full.',
  readonly: 'The database cannot be written to.',
  overloaded: 'The database has run out of something it needs.',
  busy: 'The database has no connection left.',
  outdated: 'The database was changed by a newer program.',
  unreachable: 'The database cannot be reached.',
  lost: 'The connection to the database was lost.',
  other: 'The database refused a statement.',
};

export function judge(error: unknown, doing: Doing): Verdict {
  const kind = kindOf(error, doing.sent);
  return {
    error: translated(error, kind, doing),
    keep: ['badData', 'conflict', 'slow', 'full', 'other'].includes(kind) && !isFatal(error),
    dropAll: kind === 'readonly',
    affects: affected(kind),
  };
}

/**
 * An unknown outcome is safe to be settled by reading: every statement that writes checks what it starts from (the term, an
 * actor's revision, events still undone, an effect still pending, a key not yet used). If the first attempt is still under
 * way on the server, it and the second meet at the same rows, and whichever comes later finds nothing left to do. The
 * server's own limit on statements ends the first soon after.
 */
function translated(error: unknown, kind: Kind, { name, reads, sent }: Doing): Error {
  const message = `${name}: ${error instanceof Error ? error.message : String(error)}`;
  if (kind === 'badData') return new BadDataError(message, { cause: error });
  if (kind === 'lost' && sent && !reads) return new UnknownOutcomeError(message, { cause: error });
  const code = kind === 'other' ? 'database' : `database.${kind}`;
  return new RetryableError(code, message, { cause: error, human: HUMAN[kind] });
}

function kindOf(error: unknown, sent: boolean): Kind {
  if (error instanceof NoAnswerError) return 'lost';
  const code = codeOf(error);
  const known = KINDS[code] ?? KINDS[code.slice(0, 2)];
  if (known !== undefined) return known === 'lost' && !sent ? 'unreachable' : known;
  const message = error instanceof Error ? error.message : '';
  // The pool says so when all its connections are in use.
  if (message.includes('timeout exceeded when trying to connect')) return 'busy';
  if (!sent) return 'unreachable';
  return /Connection terminated|Client has encountered a connection error|Client was closed/.test(message)
    ? 'lost'
    : 'other';
}

function affected(kind: Kind): Verdict['affects'] {
  switch (kind) {
    case 'unreachable':
    case 'lost':
      return 'all';
    case 'full':
    case 'readonly':
    case 'overloaded':
      return 'writes';
    default:
      return 'none';
  }
}

function isFatal(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'severity' in error && error.severity !== 'ERROR';
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';
}
