// @limit 300
import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { acquireLeadership, openDatabase, type WaitingFor } from '../../../src/adapters/postgres/index.ts';
import { createPulseWatch } from '../../../src/adapters/postgres/pulse.ts';
import { startFaultProxy } from '../../support/faultProxy.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';

let postgres: TestPostgres;
test.before(async () => {
  postgres = await startPostgres();
});
test.after(() => postgres.stop());

const END_HOLDER = `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted
  and database = (select oid from pg_database where datname = current_database())`;

/** What an acquisition waits for, as a promise for each reason. */
function listen() {
  const heard: string[] = [];
  const waiters = new Map<string, () => void>();
  return {
    heard,
    onWaiting(reason: string, waitingFor: WaitingFor) {
      heard.push(`${waitingFor}: ${reason}`);
      waiters.get(waitingFor)?.();
    },
    waitsFor: (waitingFor: WaitingFor) =>
      new Promise<void>((resolve) => {
        if (heard.some((line) => line.startsWith(waitingFor))) resolve();
        else waiters.set(waitingFor, resolve);
      }),
  };
}

test('there is one leader, each with a higher term, and a killed one frees the lead', async () => {
  const { db, rows } = await postgres.freshDatabase();
  const first = await acquireLeadership(db, { holder: 'one', program: '1.2.3', charts: { session: 1 } });
  assert.ok(first.certain());
  const ear = listen();
  let secondLeads = false;
  const waiting = acquireLeadership(db, { holder: 'two', onWaiting: ear.onWaiting }).then((leadership) => {
    secondLeads = true;
    return leadership;
  });
  await ear.waitsFor('standby');
  assert.equal(ear.heard, ['standby: another process leads: one']);
  assert.not(secondLeads);
  assert.equal(await rows('select holder, program, charts from lease'), [
    { holder: 'one', program: '1.2.3', charts: { session: 1 } },
  ]);
  await rows(END_HOLDER);
  assert.match(await first.lost, /connection|heartbeat/);
  assert.not(first.certain());
  const second = await waiting;
  assert.ok(second.term > first.term);
  await second.release();
  assert.is(await second.lost, 'released');
  assert.not(second.certain());
  await first.release();
});

test('terms go on rising when the database is put back to an earlier state', async () => {
  const { db, rows } = await postgres.freshDatabase();
  const first = await acquireLeadership(db);
  await first.release();
  await rows('update lease set term = 7');
  const second = await acquireLeadership(db);
  assert.ok(second.term >= first.term, `${second.term} after ${first.term}`);
  await second.release();
  const ahead = second.term + 1_000_000;
  await rows('update lease set term = $1', [ahead]);
  const third = await acquireLeadership(db);
  assert.is(third.term, ahead + 1, 'also when the clock of the server was set back');
  await third.release();
});

test('waiting for the lead can be given up, whether another leads or the database is away', async () => {
  const { db } = await postgres.freshDatabase();
  const leader = await acquireLeadership(db);
  const gone = openDatabase({ url: 'postgres://nobody@127.0.0.1:1/none' });
  for (const [database, waitingFor] of [[db, 'standby'] as const, [gone, 'unreachable'] as const]) {
    const ear = listen();
    const giveUp = new AbortController();
    const waiting = acquireLeadership(database, { signal: giveUp.signal, onWaiting: ear.onWaiting }).then(
      () => 'leads',
      (error: Error) => error.message,
    );
    await ear.waitsFor(waitingFor);
    giveUp.abort(new Error('gave up'));
    assert.is(await waiting, 'gave up');
  }
  await leader.release();
  await gone.close();
});

test('a standby whose connection is cut goes on waiting with another', async () => {
  const { db, rows } = await postgres.freshDatabase();
  const leader = await acquireLeadership(db);
  const ear = listen();
  const waiting = acquireLeadership(db, { onWaiting: ear.onWaiting });
  await ear.waitsFor('standby');
  await rows(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name like '% lead'
     and datname = current_database() and pid not in (select pid from pg_locks where locktype = 'advisory' and granted)`,
  );
  await ear.waitsFor('unreachable');
  await leader.release();
  const next = await waiting;
  assert.ok(next.term > leader.term);
  await next.release();
});

test('a process that runs older charts than have led waits, and says why', async () => {
  const { db, rows } = await postgres.freshDatabase();
  const newer = await acquireLeadership(db, { program: '2.0.0', charts: { session: 2, approval: 1 } });
  await newer.release();
  for (const charts of [{ session: 1, approval: 1 }, { session: 2 }]) {
    const ear = listen();
    const giveUp = new AbortController();
    const older = acquireLeadership(db, { charts, signal: giveUp.signal, onWaiting: ear.onWaiting }).catch(
      (error: Error) => error.message,
    );
    await ear.waitsFor('newer');
    assert.match(ear.heard[0] ?? '', /2\.0\.0.*session 2 \(here: 1\)|approval 1 \(here: none\)/);
    assert.equal(
      await rows(
        `select pid from pg_locks where locktype = 'advisory'
         and database = (select oid from pg_database where datname = current_database())`,
      ),
      [],
      'it does not stand in the way of one that may lead',
    );
    giveUp.abort(new Error('gave up'));
    assert.is(await older, 'gave up');
  }
  const again = await acquireLeadership(db, { charts: { session: 2, approval: 3 } });
  assert.equal(await rows('select charts from lease'), [{ charts: { session: 2, approval: 3 } }]);
  await again.release();
});

test('a leader that is stopped while its connection stands is ended, and knows when it wakes that it may not act', async () => {
  const { db, url } = await postgres.freshDatabase();
  const child = startLeader(url);
  const { term } = await child.says('term');
  const waiting = acquireLeadership(db);
  child.process.kill('SIGSTOP');
  const second = await waiting;
  assert.ok(second.term > Number(term));
  child.process.kill('SIGCONT');
  assert.is((await child.says('certain')).certain, false);
  assert.match(String((await child.says('lost')).lost), /connection|heartbeat/);
  await child.ended;
  await second.release();
});

test('a leader that is cut off while its connection stands stops by itself, and is ended by a standby', async () => {
  const database = await postgres.freshDatabase();
  const proxy = await startFaultProxy({ path: postgres.socketPath });
  const far = openDatabase({ url: database.urlThrough(proxy), onIdleError: () => undefined });
  const first = await acquireLeadership(far);
  proxy.blackhole();
  const waiting = acquireLeadership(database.db);
  assert.match(await first.lost, /not answered/);
  assert.not(first.certain());
  const second = await waiting;
  assert.ok(second.term > first.term);
  await first.release();
  await proxy.close();
  await far.close();
  await second.release();
});

test('the lead is taken again after the server failed and came back', async () => {
  const { db } = await postgres.freshDatabase();
  const first = await acquireLeadership(db);
  await postgres.crash();
  assert.match(await first.lost, /connection|heartbeat/);
  const ear = listen();
  const waiting = acquireLeadership(db, { onWaiting: ear.onWaiting });
  await ear.waitsFor('unreachable');
  await postgres.restart();
  const second = await waiting;
  assert.ok(second.term > first.term);
  await first.release();
  await second.release();
});

test('a clock that was set does not cost a healthy leader its lead', () => {
  const isStuck = createPulseWatch();
  assert.not(isStuck({ pid: 1, pulse: 'a', silent_ms: 3_600_000 }));
  assert.not(isStuck({ pid: 1, pulse: 'b', silent_ms: 3_600_000 }));
  assert.not(isStuck({ pid: 1, pulse: 'b', silent_ms: null }));
});

interface Leader {
  readonly process: ChildProcess;
  readonly ended: Promise<unknown>;
  /** The first line with this word that was not returned before. */
  says(word: string): Promise<Record<string, unknown>>;
}

function startLeader(url: string): Leader {
  const script = fileURLToPath(new URL('leaderChild.ts', import.meta.url));
  const tsx = createRequire(import.meta.url).resolve('tsx');
  const child = spawn(process.execPath, ['--import', tsx, script, url], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  process.once('exit', () => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const heard: Record<string, unknown>[] = [];
  return {
    process: child,
    ended,
    async says(word) {
      for (;;) {
        const at = heard.findIndex((said) => word in said);
        if (at >= 0) return heard.splice(at, 1)[0] ?? {};
        const { value, done } = await lines.next();
        if (done) throw new Error(`the leader ended without saying ${word}`);
        heard.push(JSON.parse(value));
      }
    },
  };
}

test.run();
