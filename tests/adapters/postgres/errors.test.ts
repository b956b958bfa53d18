/** What every kind of error means: for the statement, its connection, and the database. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RetryableError } from '../../../src/actors/index.ts';
import { judge } from '../../../src/adapters/postgres/errors.ts';

const WRITING = { name: 's', reads: false, sent: true };

function failure(code: string, message = 'it failed', severity = 'ERROR') {
  return Object.assign(new Error(message), { code, severity });
}

function verdict(error: Error, doing = WRITING): string {
  const { error: made, keep, dropAll, affects } = judge(error, doing);
  const code = made instanceof RetryableError ? made.code : made.name;
  return [code, keep ? 'kept' : dropAll ? 'all dropped' : 'dropped', affects].join(', ');
}

test('each error of the server and the driver is mapped on purpose', () => {
  const expected: Readonly<Record<string, string>> = {
    '22P05': 'BadDataError, kept, none',
    '23505': 'BadDataError, kept, none',
    '54000': 'BadDataError, kept, none',
    '40001': 'database.conflict, kept, none',
    '40P01': 'database.conflict, kept, none',
    '40003': 'UnknownOutcomeError, dropped, all',
    '57014': 'database.slow, kept, none',
    '55P03': 'database.slow, kept, none',
    '53100': 'database.full, kept, writes',
    '53200': 'database.overloaded, dropped, writes',
    '53300': 'database.busy, dropped, none',
    '25006': 'database.readonly, all dropped, writes',
    '0A000': 'database.outdated, dropped, none',
    '26000': 'database.outdated, dropped, none',
    '57P01': 'UnknownOutcomeError, dropped, all',
    '57P02': 'UnknownOutcomeError, dropped, all',
    '57P03': 'database.unreachable, dropped, all',
    '58030': 'database.overloaded, dropped, writes',
    '08006': 'UnknownOutcomeError, dropped, all',
    '28P01': 'database.unreachable, dropped, all',
    '42703': 'database, kept, none',
    ECONNREFUSED: 'database.unreachable, dropped, all',
    ECONNRESET: 'UnknownOutcomeError, dropped, all',
  };
  for (const [code, means] of Object.entries(expected)) assert.is(verdict(failure(code)), means, code);
  assert.is(verdict(new Error('Connection terminated unexpectedly')), 'UnknownOutcomeError, dropped, all');
});

test('what was never sent has not happened, and what only reads may be done again', () => {
  const connecting = { ...WRITING, sent: false };
  assert.is(verdict(failure('ECONNRESET'), connecting), 'database.unreachable, dropped, all');
  assert.is(verdict(new Error('Connection terminated unexpectedly'), connecting), 'database.unreachable, dropped, all');
  assert.is(verdict(new Error('timeout exceeded when trying to connect'), connecting), 'database.busy, dropped, none');
  assert.is(verdict(failure('ECONNRESET'), { ...WRITING, reads: true }), 'database.lost, dropped, all');
});

test('a connection that the server ends is not used again', () => {
  assert.is(verdict(failure('57014', 'cancelled', 'FATAL')), 'database.slow, dropped, none');
});

test.run();
