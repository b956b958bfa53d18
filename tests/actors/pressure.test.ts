import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  createRuntime,
  RetryableError,
  type Runtime,
  type RuntimeStore,
  UnknownOutcomeError,
} from '../../src/actors/index.ts';
import { acquireLeadership, createStore } from '../../src/adapters/postgres/index.ts';
import { startPostgres, type TestDatabase, type TestPostgres } from '../support/postgres.ts';
import { event, KINDS, leading, until, untilAborted } from './support.ts';

let postgres: TestPostgres;
test.before(async () => {
  postgres = await startPostgres();
});
test.after(() => postgres.stop());

const S = 'session/s' as const;
const start = () => event(S, { type: 'START', at: 1 });

/** A leader whose database can be switched off: every call fails as if it could not be reached. */
async function fragile(database: TestDatabase) {
  const leadership = await acquireLeadership(database.db);
  const plain = createStore(database.db);
  let failure: (() => Error) | undefined;
  let calls = 0;
  const guarded = new Proxy(plain, {
    get(target, name, receiver) {
      const method: unknown = Reflect.get(target, name, receiver);
      if (typeof method !== 'function' || name === 'onHint') return method;
      return async (...args: unknown[]) => {
        calls += 1;
        if (failure !== undefined) throw failure();
        return Reflect.apply(method, target, args);
      };
    },
  });
  const runtime = createRuntime({
    kinds: KINDS,
    handlers: { 'chat.reply': async () => ({ result: 'posted' }) },
    tasks: { link: untilAborted },
    store: guarded,
  });
  await runtime.start({ term: leadership.term });
  return {
    runtime,
    calls: () => calls,
    fail(with_: (() => Error) | undefined) {
      failure = with_;
    },
    async stop() {
      await runtime.stop();
      await leadership.release();
    },
  };
}

async function doneOf(runtime: Runtime): Promise<unknown[]> {
  const done = (await runtime.read(S))?.context.done;
  return Array.isArray(done) ? done : [];
}

const gone = () => new RetryableError('database', 'gone');

test('while the database is away a leader says so, keeps what it has, and goes on by itself', async () => {
  const database = await postgres.freshDatabase();
  const { runtime, fail, stop } = await fragile(database);
  await runtime.deliverAndWait(start(), { timeoutMs: 5000 });
  await runtime.deliver([event(S, { type: 'ASK', at: 1, text: 'x' })]);
  fail(gone);
  await until('degraded', () => runtime.stats().degraded !== undefined);
  assert.match(runtime.stats().degraded?.reason ?? '', /gone/);
  let refused: unknown;
  await runtime.deliver([event(S, { type: 'TELL', at: 1 })]).catch((error: unknown) => {
    refused = error;
  });
  assert.instance(refused, RetryableError);
  fail(undefined);
  await until('answered', async () => (await doneOf(runtime)).length === 1);
  assert.is(runtime.stats().degraded, undefined);
  await stop();
});

test('an outcome that was lost with the connection is settled by looking: nothing twice, nothing missing', async () => {
  const database = await postgres.freshDatabase();
  const leadership = await acquireLeadership(database.db);
  const plain = createStore(database.db);
  let lose = 0;
  /** The statement is carried out, and its answer lost. */
  const deaf: RuntimeStore['commit'] = async (...args) => {
    const outcome = await plain.commit(...args);
    if (lose <= 0) return outcome;
    lose -= 1;
    throw new UnknownOutcomeError('the answer was lost');
  };
  const runtime = createRuntime({
    kinds: KINDS,
    handlers: { 'chat.reply': async () => ({ result: 'posted' }) },
    tasks: { link: untilAborted },
    store: { ...plain, commit: deaf },
  });
  await runtime.start({ term: leadership.term });
  await runtime.deliverAndWait(start(), { timeoutMs: 5000 });
  lose = 5;
  await runtime.deliver(
    Array.from({ length: 20 }, (_, index) =>
      event(S, index % 2 === 0 ? { type: 'TELL', at: 1 } : { type: 'ASK', at: 1, text: 'x' }),
    ),
  );
  await until('all of it', async () => {
    const told = (await runtime.read('container/c'))?.context.told;
    return (await doneOf(runtime)).length === 10 && told === 10;
  });
  const [row] = await database.rows<{ sent: number; rev: number }>(
    `select (state->'snapshot'->'context'->>'sent')::int as sent, rev from actor where id = $1`,
    [S],
  );
  assert.equal(row, { sent: 10, rev: 31 });
  await runtime.stop();
  await leadership.release();
});

test('a leader without its database can be stopped', async () => {
  const database = await postgres.freshDatabase();
  const { runtime, fail, stop } = await fragile(database);
  await runtime.deliverAndWait(start(), { timeoutMs: 5000 });
  await runtime.deliver([event(S, { type: 'ASK', at: 1, text: 'x' })]);
  fail(gone);
  await until('degraded', () => runtime.stats().degraded !== undefined);
  await stop();
});

test('more deliveries than may wait are answered with "busy" at once; none of them is half taken', async () => {
  const database = await postgres.freshDatabase();
  const leadership = await acquireLeadership(database.db);
  const plain = createStore(database.db);
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const runtime = createRuntime({
    kinds: KINDS,
    handlers: {},
    tasks: { link: untilAborted },
    store: {
      ...plain,
      deliver: async (...args) => {
        await held;
        return plain.deliver(...args);
      },
    },
    limits: { deliveries: 3 },
  });
  await runtime.start({ term: leadership.term });
  const waiting = Array.from({ length: 10 }, () => runtime.deliver([event(S, { type: 'START', at: 1 })]));
  assert.equal(await waiting.at(-1), ['busy']);
  let refused: unknown;
  await runtime
    .deliver([event(S, { type: 'START', at: 1 })], { cursors: [{ channelId: 'c', readUpTo: 5 }] })
    .catch((error: unknown) => {
      refused = error;
    });
  assert.instance(refused, RetryableError, 'a source with a cursor delivers again');
  release();
  const results = (await Promise.all(waiting)).flat();
  const accepted = results.filter((result) => result === 'accepted').length;
  assert.is(accepted + results.filter((result) => result === 'busy').length, 10);
  const [row] = await database.rows<{ n: number }>('select count(*) as n from inbox');
  assert.is(row?.n, accepted);
  assert.equal(await database.rows('select * from chat_cursor'), []);
  await runtime.stop();
  await leadership.release();
});

test('a full inbox takes nothing more from outside, and everything from other actors', async () => {
  const database = await postgres.freshDatabase();
  const kinds = KINDS.map((kind) => ({ ...kind, policy: { inboxLimit: 3, maxAttempts: 1, parkAfter: 0 } }));
  const { runtime, stop } = await leading(database, { kinds });
  await runtime.deliverAndWait(start(), { timeoutMs: 5000 });
  await runtime.deliverAndWait(event('container/c', { type: 'OPEN', at: 1 }), { timeoutMs: 5000 });
  await database.rows(`update actor set status = 'parked' where id = 'container/c'`);
  await stop();
  const second = await leading(database, { kinds });
  const tellIt = () => event('container/c', { type: 'TOLD', at: 1 });
  const results: string[] = [];
  for (let index = 0; index < 5; index += 1) results.push(...(await second.runtime.deliver([tellIt()])));
  assert.equal(results, ['accepted', 'accepted', 'accepted', 'busy', 'busy']);
  await second.runtime.deliverAndWait(event(S, { type: 'TELL', at: 1 }), { timeoutMs: 5000 });
  const [row] = await database.rows(
    `select count(*) as n from inbox where actor_id = 'container/c' and done_at is null`,
  );
  assert.is(row?.n, 4);
  await second.stop();
});

test('a process that is not sure to lead begins nothing', async () => {
  const database = await postgres.freshDatabase();
  const leadership = await acquireLeadership(database.db);
  let sure = false;
  let calls = 0;
  const runtime = createRuntime({
    kinds: KINDS,
    handlers: {
      'chat.reply': async () => {
        calls += 1;
      },
    },
    tasks: { link: untilAborted },
    store: createStore(database.db),
  });
  await runtime.start({ term: leadership.term, certain: () => sure });
  await runtime.deliver([start(), event(S, { type: 'ASK', at: 1, text: 'x' })]);
  await until('asked', () => runtime.stats().pendingEffects === 1 && runtime.stats().pendingEvents === 0);
  assert.is(calls, 0);
  sure = true;
  await until('done', () => runtime.stats().pendingEffects === 0);
  assert.is(calls, 1);
  await runtime.stop();
  await leadership.release();
});

test('a runtime that stopped leads again, with what others did meanwhile', async () => {
  const database = await postgres.freshDatabase();
  const first = await acquireLeadership(database.db);
  const make = () =>
    createRuntime({ kinds: KINDS, handlers: {}, tasks: { link: untilAborted }, store: createStore(database.db) });
  const [one, two] = [make(), make()];
  await one.start({ term: first.term });
  await one.deliverAndWait(start(), { timeoutMs: 5000 });
  await one.stop();
  await first.release();
  const second = await acquireLeadership(database.db);
  await two.start({ term: second.term });
  await two.deliverAndWait(event(S, { type: 'TELL', at: 1 }), { timeoutMs: 5000 });
  await two.stop();
  await second.release();
  const third = await acquireLeadership(database.db);
  await one.start({ term: third.term });
  await one.deliverAndWait(event(S, { type: 'TELL', at: 1 }), { timeoutMs: 5000 });
  assert.is((await one.read(S))?.context.sent, 2);
  assert.is((await one.read(S))?.rev, 3);
  await one.stop();
  await third.release();
});

test.run();
