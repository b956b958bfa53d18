import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createRuntime, type Trouble } from '../../src/actors/index.ts';
import { createStore } from '../../src/adapters/postgres/index.ts';
import type { Effect } from '../../src/machines/effects.ts';
import { startPostgres, type TestDatabase, type TestPostgres } from '../support/postgres.ts';
import { event, KINDS, leading, type Options, until, untilAborted } from './support.ts';

let postgres: TestPostgres;
test.before(async () => {
  postgres = await startPostgres();
});
test.after(() => postgres.stop());

const S = 'session/s' as const;
const by = 'ops';
const audited = {
  'audit.record': async () => undefined,
};

/** A leader whose session `S` has been parked by events that make its chart throw. */
async function parked(database: TestDatabase, options: Options = {}) {
  const troubles: Trouble[] = [];
  const kinds = KINDS.map((kind) => ({
    ...kind,
    policy: { maxAttempts: 1, parkAfter: 1 },
    onTrouble(trouble: Trouble): readonly Effect[] {
      troubles.push(trouble);
      return [{ kind: 'tell', to: 'container/c', event: { type: 'TOLD', at: trouble.at } }];
    },
  }));
  const leader = await leading(database, { kinds, handlers: audited, ...options });
  const { runtime } = leader;
  await runtime.deliverAndWait(event(S, { type: 'START', at: 1 }), { timeoutMs: 5000 });
  for (const key of ['first', 'second']) {
    await runtime.deliverAndWait(event(S, { type: 'BREAK', at: 1 }, key), { timeoutMs: 5000 });
  }
  assert.is((await runtime.read(S))?.status, 'parked');
  return { ...leader, troubles, kinds };
}

function letters(database: TestDatabase) {
  return database.rows('select dedup_key, settled_how as how from dead_letter order by id');
}

test('a parked actor keeps what arrives, and takes it when an operator lets it go on', async () => {
  const database = await postgres.freshDatabase();
  const { runtime, stop, troubles } = await parked(database);
  await runtime.deliver([event(S, { type: 'SAY', at: 2, text: 'kept' })]);
  assert.equal(await runtime.operate({ action: 'skip', address: S, by }), { result: 'done', reason: '' });
  await until('taken', async () => (await runtime.read(S))?.status === 'active' && runtime.stats().pendingEvents === 0);
  const [said] = await database.rows('select body from transcript');
  assert.match(JSON.stringify(said?.body), /"text":"kept"/);
  assert.equal(await letters(database), [
    { dedup_key: 'first', how: null },
    { dedup_key: 'second', how: 'skipped' },
  ]);
  assert.equal(
    troubles.map(({ status }) => status),
    ['parked'],
  );
  await stop();
});

test('retry offers the event that parked the actor again; it may park it again', async () => {
  const database = await postgres.freshDatabase();
  const { runtime, stop } = await parked(database);
  await runtime.operate({ action: 'retry', address: S, by });
  assert.is((await runtime.read(S))?.status, 'active', 'one failure after a fresh start does not park');
  assert.equal(await letters(database), [
    { dedup_key: 'first', how: null },
    { dedup_key: 'second', how: 'replayed' },
    { dedup_key: 'second', how: null },
  ]);
  await runtime.deliverAndWait(event(S, { type: 'BREAK', at: 1 }, 'third'), { timeoutMs: 5000 });
  assert.is((await runtime.read(S))?.status, 'parked');
  await stop();
});

test('an event that came too early is offered again to an actor that can take it now', async () => {
  const database = await postgres.freshDatabase();
  const { runtime, stop } = await leading(database, { handlers: audited });
  await runtime.deliverAndWait(event(S, { type: 'START', at: 1 }), { timeoutMs: 5000 });
  assert.is(await runtime.deliverAndWait(event(S, { type: 'LEAVE', at: 1 }, 'early'), { timeoutMs: 5000 }), 'dead');
  const [letter] = await database.rows<{ id: number }>('select id from dead_letter');
  const order = { action: 'retry', address: S, letter: Number(letter?.id), by } as const;
  await runtime.deliverAndWait(event(S, { type: 'WORK', at: 1 }), { timeoutMs: 5000 });
  assert.is((await runtime.operate(order)).result, 'done');
  assert.is((await runtime.read(S))?.value, 'idle');
  const again = await runtime.operate(order);
  assert.is(again.result, 'refused');
  assert.match(again.reason, /settled already/);
  await stop();
});

test('restart makes the actor anew from its birth; its old task is ended and a late result of it does not count', async () => {
  const database = await postgres.freshDatabase();
  const ends: (() => void)[] = [];
  const aborted: string[] = [];
  const link = ({ key }: { readonly key: string }, { signal }: { readonly signal: AbortSignal }) =>
    new Promise<void>((resolve) => {
      ends.push(resolve);
      signal.addEventListener('abort', () => aborted.push(key));
    });
  const { runtime, stop } = await leading(database, { handlers: audited, tasks: { link } });
  await runtime.deliverAndWait(event(S, { type: 'START', at: 1 }), { timeoutMs: 5000 });
  for (const type of ['TELL', 'WORK'] as const) {
    await runtime.deliverAndWait(event(S, { type, at: 1 }), { timeoutMs: 5000 });
  }
  await until('it works', () => ends.length === 1);
  assert.is((await runtime.operate({ action: 'restart', address: S, by })).result, 'done');
  const after = await runtime.read(S);
  assert.is(after?.value, 'idle');
  assert.is(after?.context.sent, 0);
  assert.is(after?.rev, 4);
  await until('the old task was told', () => aborted.length === 1);
  ends[0]?.();
  await runtime.deliverAndWait(event(S, { type: 'WORK', at: 1 }), { timeoutMs: 5000 });
  await until('a new task', () => ends.length === 2);
  assert.is((await runtime.read(S))?.value, 'working');
  ends[1]?.();
  await stop();
});

test('stop ends an actor for good; whoever counts on it is told, and nothing more reaches it', async () => {
  const database = await postgres.freshDatabase();
  const { runtime, stop, troubles } = await parked(database);
  assert.is((await runtime.operate({ action: 'stop', address: S, by })).result, 'done');
  assert.is((await runtime.read(S))?.status, 'done');
  assert.equal(
    troubles.map(({ status }) => status),
    ['parked', 'stopped'],
  );
  await until('told', async () => (await runtime.read('container/c'))?.context.told === 2);
  assert.is(await runtime.deliverAndWait(event(S, { type: 'TELL', at: 1 }), { timeoutMs: 5000 }), 'dead');
  const again = await runtime.operate({ action: 'stop', address: S, by });
  assert.equal(again, { result: 'refused', reason: 'It is done already.' });
  await stop();
});

test('every order is audited with who gave it, also one given to a standby', async () => {
  const database = await postgres.freshDatabase();
  const records: unknown[] = [];
  const { stop, kinds } = await parked(database, {
    handlers: {
      'audit.record': async ({ params: { action, who, subject } }) => {
        records.push({ action, who, subject });
      },
    },
  });
  const standby = createRuntime({
    kinds,
    handlers: {},
    tasks: { link: untilAborted },
    store: createStore(database.db),
  });
  assert.is((await standby.operate({ action: 'skip', address: S, by: 'alice' })).result, 'done');
  assert.is((await standby.operate({ action: 'restart', address: S, by: 'bob' })).result, 'done');
  await until('audited', () => records.length === 2);
  assert.equal(records, [
    { action: 'operator.skip', who: 'alice', subject: S },
    { action: 'operator.restart', who: 'bob', subject: S },
  ]);
  await stop();
});

test('what makes no sense is refused in words and changes nothing', async () => {
  const database = await postgres.freshDatabase();
  const { runtime, stop } = await leading(database, { handlers: audited });
  await runtime.deliverAndWait(event(S, { type: 'START', at: 1 }), { timeoutMs: 5000 });
  const refusals = [
    await runtime.operate({ action: 'retry', address: S, by }),
    await runtime.operate({ action: 'skip', address: S, by }),
    await runtime.operate({ action: 'skip', address: S, letter: 99, by }),
    await runtime.operate({ action: 'stop', address: 'session/nobody', by }),
  ];
  for (const { result, reason } of refusals) {
    assert.is(result, 'refused');
    assert.match(reason, /\.$/);
  }
  assert.is((await runtime.read(S))?.rev, 1);
  await stop();
});

test('nobody can give an order by way of the public ingress', async () => {
  const database = await postgres.freshDatabase();
  const { runtime, stop } = await leading(database);
  let refusal = '';
  const forged = event(S, { type: 'runtime.operator', at: 1, order: { action: 'stop', by: 'x' } } as never);
  await runtime.deliver([forged]).catch((error: Error) => {
    refusal = error.message;
  });
  assert.match(refusal, /made by the runtime only/);
  await stop();
});

test.run();
