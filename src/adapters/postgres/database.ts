/** The connection pool and the one way a statement is run. */
import pg from 'pg';
import { translate } from './errors.ts';

export interface DatabaseOptions {
  readonly url: string;
  /** Connections for statements; the lead takes one more. */
  readonly poolSize?: number;
  /** Milliseconds after which the server gives up on a statement. */
  readonly statementTimeoutMs?: number;
  readonly applicationName?: string;
  /** Told about idle connections that broke; statements report their own errors. */
  readonly onIdleError?: (error: Error) => void;
}

export interface Database {
  readonly pool: pg.Pool;
  readonly url: string;
  readonly applicationName: string;
  /** Called when the database says that another process wrote inbox rows. */
  readonly hints: Set<() => void>;
  close(): Promise<void>;
}

/** A statement with its own name, so that every connection parses it once. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

const INT8 = 20;
const TIMESTAMPTZ = 1184;

/** bigint as number (sequences and revisions stay far below 2^53), timestamptz as milliseconds since the epoch. */
const types: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (oid === INT8 && format !== 'binary') return Number;
    if (oid === TIMESTAMPTZ && format !== 'binary') return (text: string) => Date.parse(toIso(text));
    return format === 'binary' ? pg.types.getTypeParser(oid, 'binary') : pg.types.getTypeParser(oid, 'text');
  },
};

/** PostgreSQL writes `2026-01-02 03:04:05.678+00`. */
function toIso(text: string): string {
  const iso = text.replace(' ', 'T');
  return /[+-]\d\d$/.test(iso) ? `${iso}:00` : iso;
}

export function openDatabase(options: DatabaseOptions): Database {
  const applicationName = options.applicationName ?? 'claude-session-manager';
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: applicationName,
    max: options.poolSize ?? 8,
    connectionTimeoutMillis: 5000,
    keepAlive: true,
    statement_timeout: options.statementTimeoutMs ?? 30_000,
    types,
  });
  pool.on('error', (error) => options.onIdleError?.(error));
  return { pool, url: options.url, applicationName, hints: new Set(), close: () => pool.end() };
}

/**
 * Runs one statement.
 * @throws BadDataError, UnknownOutcomeError, RetryableError: see the store port.
 */
export async function run<Row extends pg.QueryResultRow>(
  db: Database,
  statement: Statement,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  try {
    const result = await db.pool.query<Row>({ name: statement.name, text: statement.text, values: [...values] });
    return result.rows;
  } catch (error) {
    throw translate(error, statement.name);
  }
}
