// What an operator types, against a leader on a real database.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { acquireLeadership, createStore } from '../../src/adapters/postgres/index.ts';
import { event, KINDS, leading } from '../actors/support.ts';
import { startPostgres, type TestDatabase, type TestPostgres } from '../support/postgres.ts';
import { csm } from './csm.ts';

const S = 'session/stuck' as const;

let postgres: TestPostgres;
test.before(async () => {
  postgres = await startPostgres();
});
test.after(() => postgres.stop());

/** What an operator types, with the address of the database alone. */
const operate = (database: TestDatabase | undefined, ...args: string[]) =>
  csm(args, database ? { SM_DATABASE_URL: database.url } : {});

/** A leader with one session that is parked. */
async function parked(database: TestDatabase) {
  const kinds = KINDS.map((kind) => ({ ...kind, policy: { maxAttempts: 1, parkAfter: 0 } }));
  const leader = await leading(database, { kinds, handlers: { 'audit.record': async () => undefined } });
  for (const type of ['START', 'BREAK'] as const) {
    await leader.runtime.deliverAndWait(event(S, { type, at: 1 }), { timeoutMs: 5000 });
  }
  return leader;
}

test('an operator finds what is parked, reads why, and lets it go on', async () => {
  const database = await postgres.freshDatabase();
  const { runtime, stop } = await parked(database);
  const actors = await operate(database, 'actors', '--status', 'parked');
  assert.match(actors.said, /^session\/stuck\tparked\tidle\t1 dead letters, 1 failures$/m);
  assert.is((await operate(database, 'actors', 'nobody')).said, '');
  const letters = await operate(database, 'letters', S);
  assert.match(letters.said, /session\/stuck\tpoison\tBREAK\tthe chart is broken/);
  const skipped = await operate(database, 'skip', S);
  assert.equal(skipped, { code: 0, said: 'Done.\n' });
  assert.is((await runtime.read(S))?.status, 'active');
  assert.is((await operate(database, 'letters')).said, '');
  const [row] = await database.rows(`select params->>'who' as who from effect where kind = 'audit.record'`);
  assert.match(row?.who, /\(command line\)$/);
  await stop();
});

test('an order that is not possible ends with a sentence and exit code 1', async () => {
  const database = await postgres.freshDatabase();
  const { stop } = await parked(database);
  const wrong: [RegExp, ...string[]][] = [
    [/There is no actor session\/nobody/, 'stop', 'session/nobody'],
    [/is no address.*session\/abc/, 'stop', 'nonsense'],
    [/number of a dead letter/, 'retry', S, '--letter', 'x'],
    [/no dead letter 99/, 'retry', S, '--letter', '99'],
  ];
  for (const [words, ...args] of wrong) {
    const { code, said } = await operate(database, ...args);
    assert.is(code, 1, args.join(' '));
    assert.match(said, words);
    assert.not.match(said, /at .*\.js:/, 'no stack');
  }
  await stop();
});

test('a program with older charts leads again when an operator says so, and names what it cannot read', async () => {
  const database = await postgres.freshDatabase();
  const older = { charts: { session: 1 }, signal: AbortSignal.timeout(60_000) };
  const newer = await acquireLeadership(database.db, { charts: { session: 99 }, program: '9.0.0' });
  await newer.release();
  const reasons: string[] = [];
  let tell: () => void = () => {};
  const standsBy = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const leads = acquireLeadership(database.db, {
    ...older,
    onWaiting: (reason) => {
      reasons.push(reason);
      tell();
    },
  });
  await standsBy;
  assert.match(reasons.join(), /session 99 \(here: 1\).*csm allow-older/);

  await database.rows(
    `insert into actor (id, kind, key, version, rev, term, commit_id, status, state)
     select 'session/' || n, 'session', n, 99, 1, 1, gen_random_uuid(), case n when 3 then 'done' else 'active' end, '{}'
     from generate_series(1, 3) n`,
  );
  const refused = await operate(database, 'allow-older');
  assert.is(refused.code, 1);
  assert.match(refused.said, /cannot read: 2 × session 99\..*--leave-unreadable/);
  const allowed = await operate(database, 'allow-older', '--leave-unreadable');
  assert.is(allowed.code, 0, allowed.said);
  assert.match(allowed.said, /may lead now.*2 × session 99/);
  await (await leads).release();
  await database.rows('delete from actor');
  assert.match((await operate(database, 'allow-older')).said, /It can read every state/);
});

test('without a database it says which variable is missing', async () => {
  const { code, said } = await operate(undefined, 'actors');
  assert.is(code, 1);
  assert.match(said, /SM_DATABASE_URL is required/);
});

test('the audit log can be checked and exported, and shows what was changed, taken out or cut off', async () => {
  const database = await postgres.freshDatabase();
  const store = createStore(database.db);
  for (let index = 1; index <= 5; index += 1) {
    const entry = { key: `k${index}`, at: index, action: 'approval.denied', who: 'bob', subject: 'approval/a/b' };
    await store.appendAudit({ ...entry, detail: { hosts: ['pypi.org'], index } });
  }
  const whole = await operate(database, 'audit', 'verify');
  assert.is(whole.code, 0, whole.said);
  assert.match(whole.said, /5 entries/);
  const [known = ''] = /[0-9a-f]{64}/.exec(whole.said) ?? [];
  const exported = await operate(database, 'audit', 'export');
  const lines = exported.said
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(
    lines.map(({ detail }) => detail.index),
    [1, 2, 3, 4, 5],
  );
  assert.is((await operate(database, 'audit', 'verify', '--known', known)).code, 0);

  await database.rows(`delete from audit_log where key = 'k5'`);
  const cut = await operate(database, 'audit', 'verify', '--known', known);
  assert.is(cut.code, 1);
  assert.match(cut.said, /cut off/);
  await database.rows(`update audit_log set who = 'eve' where key = 'k3'`);
  const changed = await operate(database, 'audit', 'verify');
  assert.is(changed.code, 1);
  assert.match(changed.said, /entry 3/);
});

test.run();
