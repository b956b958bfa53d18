import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createAlarms } from '../../src/actors/alarms.ts';
import { type Clock, createRuntime, LONGEST_DELAY } from '../../src/actors/index.ts';
import { acquireLeadership, createStore } from '../../src/adapters/postgres/index.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { event, KINDS, leading, until, untilAborted } from './support.ts';

let postgres: TestPostgres;
test.before(async () => {
  postgres = await startPostgres();
});
test.after(() => postgres.stop());

const S = 'session/s' as const;

/** A clock that stands still until it is moved. */
function handClock(): Clock & { advance(ms: number): void } {
  let now = Date.now();
  const calls = new Set<{ at: number; call(): void }>();
  return {
    now: () => now,
    after(ms, call) {
      if (ms > LONGEST_DELAY) throw new Error('longer than a timer can be');
      const entry = { at: now + ms, call };
      calls.add(entry);
      return () => calls.delete(entry);
    },
    advance(ms) {
      now += ms;
      for (const entry of [...calls].sort((left, right) => left.at - right.at)) {
        if (entry.at <= now && calls.delete(entry)) entry.call();
      }
    },
  };
}

test('a timer fires at its deadline, once', async () => {
  const database = await postgres.freshDatabase();
  const clock = handClock();
  const { runtime, stop } = await leading(database, { clock });
  await runtime.deliverAndWait(event(S, { type: 'START', at: clock.now() }), { timeoutMs: 5000 });
  await runtime.deliverAndWait(event(S, { type: 'WAIT', at: clock.now() }), { timeoutMs: 5000 });
  assert.is((await runtime.read(S))?.wakeAt, clock.now() + 1000);
  clock.advance(999);
  assert.is((await runtime.read(S))?.value, 'waiting');
  clock.advance(1);
  await until('it fired', async () => (await runtime.read(S))?.value === 'idle');
  assert.equal((await runtime.read(S))?.context.done, ['xstate.after.nap.sender.waiting']);
  assert.equal(await database.rows('select id from actor where wake_at is not null'), []);
  clock.advance(10_000);
  await runtime.deliverAndWait(event(S, { type: 'SAY', at: clock.now(), text: 'x' }), { timeoutMs: 5000 });
  assert.is((await runtime.read(S))?.rev, 4);
  // The runtime waits on this clock to stop, too.
  await stop();
});

test('a deadline that passed while nobody ran fires at the start, after what came before it', async () => {
  const database = await postgres.freshDatabase();
  const first = await leading(database);
  const from = Date.now();
  await first.runtime.deliverAndWait(event(S, { type: 'START', at: from }), { timeoutMs: 5000 });
  await first.runtime.deliverAndWait(event(S, { type: 'WAIT', at: from }), { timeoutMs: 5000 });
  await first.stop();

  const clock: Clock = { now: () => Date.now() + 60_000, after: () => () => undefined };
  const leadership = await acquireLeadership(database.db);
  const runtime = createRuntime({
    kinds: KINDS,
    handlers: {},
    tasks: { link: untilAborted },
    store: createStore(database.db),
    clock: { ...clock, after: (ms, call) => cancelling(setTimeout(call, ms)) },
  });
  let value: unknown;
  await runtime.start({
    term: leadership.term,
    // A decision made before the deadline and read only now wins.
    catchUp: async () => {
      await runtime.deliverAndWait(event(S, { type: 'LEAVE', at: from + 10 }), { timeoutMs: 5000 });
      value = (await runtime.read(S))?.value;
    },
  });
  assert.is(value, 'idle');
  assert.equal((await runtime.read(S))?.context.done, [], 'the timer did not fire');
  await runtime.deliverAndWait(event(S, { type: 'WAIT', at: from + 20 }), { timeoutMs: 5000 });
  await runtime.stop();
  await leadership.release();

  const later: Clock = { ...clock, now: () => Date.now() + 120_000 };
  const third = await leading(database, {
    clock: { ...later, after: (ms, call) => cancelling(setTimeout(call, ms)) },
  });
  await until('it fired', async () => (await third.runtime.read(S))?.value === 'idle');
  assert.equal((await third.runtime.read(S))?.context.done, ['xstate.after.nap.sender.waiting']);
  await third.stop();
});

function cancelling(timer: NodeJS.Timeout): () => void {
  return () => clearTimeout(timer);
}

test('after a jump of the clock everything that is due by it fires', async () => {
  const database = await postgres.freshDatabase();
  let jump = 0;
  const clock: Clock = {
    now: () => Date.now() + jump,
    after: (ms, call) => cancelling(setTimeout(call, ms)),
  };
  const { runtime, stop } = await leading(database, { clock, limits: { pollMs: 50 } });
  await runtime.deliverAndWait(event(S, { type: 'START', at: clock.now() }), { timeoutMs: 5000 });
  await runtime.deliverAndWait(event(S, { type: 'WAIT', at: clock.now() }), { timeoutMs: 5000 });
  await database.rows('select 1');
  jump = 86_400_000;
  await until('it fired', async () => (await runtime.read(S))?.value === 'idle');
  await stop();
});

test('a deadline further away than one timer can hold still waits for its time', () => {
  const clock = handClock();
  const woken: string[] = [];
  const alarms = createAlarms(clock, (address) => woken.push(address));
  const year = 365 * 86_400_000;
  alarms.set(S, clock.now() + year);
  for (let days = 0; days < 364; days += 1) clock.advance(86_400_000);
  assert.equal(woken, []);
  clock.advance(86_400_000);
  assert.equal(woken, [S]);
  alarms.set(S, clock.now() + 1000);
  alarms.set(S, undefined);
  clock.advance(year);
  assert.equal(woken, [S]);
});

test.run();
