import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createRuntime, RetryableError, TerminalError } from '../../src/actors/index.ts';
import { createStore } from '../../src/adapters/postgres/index.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { event, KINDS, leading, until, untilAborted } from './support.ts';

let postgres: TestPostgres;
test.before(async () => {
  postgres = await startPostgres();
});
test.after(() => postgres.stop());

const S = 'session/s' as const;
const start = () => event(S, { type: 'START', at: Date.now() });

test('an event for an absent actor creates it if it is a birth event, else it is a dead letter', async () => {
  const database = await postgres.freshDatabase();
  const { runtime, stop } = await leading(database);
  assert.is(await runtime.deliverAndWait(event('session/x', { type: 'TELL', at: 1 }), { timeoutMs: 5000 }), 'dead');
  assert.is(await runtime.read('session/x'), undefined);
  assert.is(await runtime.deliverAndWait(start(), { timeoutMs: 5000 }), 'done');
  const view = await runtime.read(S);
  assert.is(view?.value, 'idle');
  assert.is(view?.rev, 1);
  const dead = await database.rows('select actor_id, reason from dead_letter');
  assert.equal(dead, [{ actor_id: 'session/x', reason: 'absent' }]);
  await stop();
});

test('what one actor tells another arrives exactly once, in order of telling', async () => {
  const database = await postgres.freshDatabase();
  const { runtime, stop } = await leading(database);
  await runtime.deliver([start(), ...Array.from({ length: 200 }, () => event(S, { type: 'TELL', at: Date.now() }))]);
  await until('all told', async () => (await runtime.read('container/c'))?.context.told === 200);
  const [counts] = await database.rows(
    `select count(*) as rows, count(distinct dedup_key) as keys, count(*) filter (where done_at is null) as left
     from inbox where actor_id = 'container/c'`,
  );
  assert.equal(counts, { rows: 200, keys: 200, left: 0 });
  const journal = await database.rows('select rev from journal where actor_id = $1 order by rev', [S]);
  assert.equal(
    journal.map(({ rev }) => rev),
    Array.from({ length: 201 }, (_, index) => index + 1),
  );
  assert.ok(runtime.stats().commits < 100, `${runtime.stats().commits} commits for 401 turns`);
  await stop();
});

test('the same dedup key is taken once, also within one delivery and after it was done', async () => {
  const database = await postgres.freshDatabase();
  const { runtime, stop } = await leading(database);
  await runtime.deliver([start()]);
  const tell = event(S, { type: 'TELL', at: Date.now() });
  assert.equal(await runtime.deliver([tell, tell]), ['accepted', 'duplicate']);
  await until('told', async () => (await runtime.read('container/c'))?.context.told === 1);
  assert.equal(await runtime.deliver([tell]), ['duplicate']);
  assert.is(await runtime.deliverAndWait(tell, { timeoutMs: 1000 }), 'duplicate');
  assert.is((await runtime.read(S))?.context.sent, 1);
  await stop();
});

test('an event that the chart does not expect now is a dead letter and changes nothing', async () => {
  const database = await postgres.freshDatabase();
  const { runtime, stop } = await leading(database);
  await runtime.deliver([start()]);
  assert.is(await runtime.deliverAndWait(event(S, { type: 'LEAVE', at: 1 }), { timeoutMs: 5000 }), 'dead');
  assert.is((await runtime.read(S))?.rev, 1);
  const dead = await database.rows('select reason from dead_letter');
  assert.equal(dead, [{ reason: 'unhandled' }]);
  await stop();
});

test('public ingress refuses events that only the runtime makes, and events without a time', async () => {
  const database = await postgres.freshDatabase();
  const { runtime, stop } = await leading(database);
  for (const body of [
    { type: 'xstate.done.actor.job', at: 1 },
    { type: 'runtime.parked', at: 1 },
    { type: 'TELL', at: Number.NaN },
  ]) {
    let refusal: unknown;
    await runtime.deliver([event(S, body)]).catch((error: unknown) => {
      refusal = error;
    });
    assert.instance(refusal, TerminalError);
  }
  await stop();
});

test('an effect is retried until it works, its result comes back once, with what it was asked to carry', async () => {
  const database = await postgres.freshDatabase();
  const attempts: number[] = [];
  const { runtime, stop } = await leading(database, {
    handlers: {
      'chat.reply': async ({ attempt, key }) => {
        attempts.push(attempt);
        assert.is(key, `${S}/2/0`);
        if (attempt < 3) throw new RetryableError('flaky', 'not yet');
        return { result: 'posted' };
      },
    },
  });
  await runtime.deliver([start(), event(S, { type: 'ASK', at: Date.now(), text: 'hello' })]);
  await until('asked', async () => ((await runtime.read(S))?.context.done as string[])?.includes('ASKED'));
  assert.equal(attempts, [1, 2, 3]);
  const [reply] = await database.rows(`select event from inbox where event->>'type' = 'ASKED'`);
  assert.is(reply?.event.result, 'posted');
  assert.is(reply?.event.tag, 'mine');
  assert.equal(await database.rows('select status, attempts from effect'), [{ status: 'done', attempts: 3 }]);
  await stop();
});

test('an effect that is done leaves nothing behind in memory', async () => {
  const database = await postgres.freshDatabase();
  const signals: WeakRef<AbortSignal>[] = [];
  const { runtime, stop } = await leading(database, {
    handlers: {
      'chat.reply': async (_request, { signal }) => {
        signals.push(new WeakRef(signal));
        return {};
      },
    },
  });
  const asks = Array.from({ length: 50 }, (_, n) => event(S, { type: 'ASK', at: Date.now(), text: String(n) }));
  await runtime.deliver([start(), ...asks]);
  await until('all asked', async () => ((await runtime.read(S))?.context.done as string[])?.length === 50);
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  await until('what ran is forgotten', () => {
    collect();
    return signals.every((signal) => signal.deref() === undefined);
  });
  await stop();
});

test('a terminal failure is told at once, an unknown one until the deadline', async () => {
  const database = await postgres.freshDatabase();
  let calls = 0;
  const { runtime, stop } = await leading(database, {
    handlers: {
      'chat.reply': async () => {
        calls += 1;
        throw new TerminalError('gone', 'the channel is gone', { human: 'The channel is gone.' });
      },
    },
  });
  await runtime.deliver([start(), event(S, { type: 'ASK', at: Date.now(), text: 'hello' })]);
  await until('failed', async () => ((await runtime.read(S))?.context.done as string[])?.includes('ASK.FAILED'));
  assert.is(calls, 1);
  const [reply] = await database.rows(`select event from inbox where event->>'type' = 'ASK.FAILED'`);
  assert.is(reply?.event.human, 'The channel is gone.');
  await stop();

  await database.rows(`update effect set status = 'pending', done_at = null, deadline = now() - interval '1 second'`);
  await database.rows(`delete from inbox where event->>'type' = 'ASK.FAILED'`);
  const second = await leading(database, { handlers: { 'chat.reply': async () => undefined } });
  await until('failed by its deadline', async () => {
    const [row] = await database.rows('select status, error from effect');
    return row?.status === 'failed' && String(row.error).startsWith('deadline');
  });
  await second.stop();
});

test('what an effect says because it was stopped counts for nothing; the next leader tries again', async () => {
  const database = await postgres.freshDatabase();
  let began = false;
  const first = await leading(database, {
    handlers: {
      'chat.reply': async (_request, { signal }) => {
        began = true;
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        throw new TerminalError('killed', 'a program it ran was killed');
      },
    },
  });
  await first.runtime.deliver([start(), event(S, { type: 'ASK', at: Date.now(), text: 'hello' })]);
  await until('begun', () => began);
  await first.stop();
  assert.equal(await database.rows('select status from effect'), [{ status: 'pending' }]);
  const second = await leading(database, { handlers: { 'chat.reply': async () => ({ result: 'posted' }) } });
  await until('asked', async () => ((await second.runtime.read(S))?.context.done as string[])?.includes('ASKED'));
  await second.stop();
});

test('effects with the same order key run one after the other, as they were asked for', async () => {
  const database = await postgres.freshDatabase();
  const log: string[] = [];
  const { runtime, stop } = await leading(database, {
    handlers: {
      'chat.reply': async ({ params, attempt }) => {
        log.push(`+${params.message}`);
        if (params.message === '0' && attempt === 1) throw new RetryableError('flaky', 'not yet');
        await new Promise((resolve) => setImmediate(resolve));
        log.push(`-${params.message}`);
        return {};
      },
    },
  });
  const asks = ['0', '1', '2', '3'].map((text) => event(S, { type: 'ASK', at: Date.now(), text }));
  await runtime.deliver([start(), ...asks]);
  await until('all asked', async () => ((await runtime.read(S))?.context.done as string[])?.length === 4);
  assert.equal(log, ['+0', '+0', '-0', '+1', '-1', '+2', '-2', '+3', '-3']);
  await stop();
});

test('a chart that throws loses the event, not the actor; too often, and the actor is parked and somebody is told', async () => {
  const database = await postgres.freshDatabase();
  const kinds = KINDS.map((kind) => ({
    ...kind,
    onTrouble: ({ at }: { at: number }) => [
      { kind: 'tell' as const, to: 'container/root' as const, event: { type: 'TOLD', at } },
    ],
  }));
  const { runtime, stop } = await leading(database, { kinds });
  await runtime.deliver([start()]);
  const breaking = () => runtime.deliverAndWait(event(S, { type: 'BREAK', at: Date.now() }), { timeoutMs: 5000 });
  assert.is(await breaking(), 'dead');
  const [letter] = await database.rows('select reason, error from dead_letter');
  assert.equal(letter, { reason: 'poison', error: 'the chart is broken' });
  const [row] = await database.rows(`select attempts from inbox where event->>'type' = 'BREAK'`);
  assert.is(row?.attempts, 2, 'two attempts were noted before the third buried it');
  assert.is(await runtime.deliverAndWait(event(S, { type: 'TELL', at: Date.now() }), { timeoutMs: 5000 }), 'done');
  for (let again = 0; again < 3; again += 1) await breaking();
  assert.is((await runtime.read(S))?.status, 'parked');
  await until('told of it', async () => (await runtime.read('container/root'))?.context.told === 1);
  assert.is(await runtime.deliverAndWait(event(S, { type: 'TELL', at: 1 }), { timeoutMs: 300 }), 'timeout');
  await stop();
});

test('what the chart cuts in half does not poison the database', async () => {
  const database = await postgres.freshDatabase();
  const { runtime, stop } = await leading(database);
  const nul = event(S, { type: 'SLICE', at: 1, text: '\u0000\ud800x' });
  assert.is(await runtime.deliverAndWait(start(), { timeoutMs: 5000 }), 'done');
  assert.is(await runtime.deliverAndWait(nul, { timeoutMs: 5000 }), 'done');
  assert.is((await runtime.read(S))?.context.note, '\ufffd');
  const half = event(S, { type: 'SLICE', at: 1, text: '😀' });
  assert.is(await runtime.deliverAndWait(half, { timeoutMs: 5000 }), 'done');
  assert.is((await runtime.read(S))?.context.note, '\ufffd');
  await stop();
});

test('rows that the database refuses bury their event; the rest of the batch is committed', async () => {
  const database = await postgres.freshDatabase();
  const { runtime, stop } = await leading(database);
  const others = Array.from({ length: 10 }, (_, index) => `session/o${index}` as const);
  await runtime.deliver([start(), ...others.map((to) => event(to, { type: 'START', at: 1 }))]);
  const bind = (to: typeof S | (typeof others)[number]) => event(to, { type: 'BIND', at: 1, rootId: 'same' });
  assert.is(await runtime.deliverAndWait(bind(S), { timeoutMs: 5000 }), 'done');
  const [first] = others;
  assert.ok(first);
  const results = await Promise.all([
    runtime.deliverAndWait(bind(first), { timeoutMs: 5000 }),
    ...others.slice(1).map((to) => runtime.deliverAndWait(event(to, { type: 'TELL', at: 1 }), { timeoutMs: 5000 })),
  ]);
  assert.equal(results, ['dead', ...others.slice(1).map(() => 'done')]);
  const dead = await database.rows('select actor_id, reason from dead_letter');
  assert.equal(dead, [{ actor_id: first, reason: 'poison' }]);
  assert.is((await runtime.read(first))?.status, 'active');
  await stop();
});

test('a full inbox says busy, and what actors tell each other is not bounded', async () => {
  const database = await postgres.freshDatabase();
  const kinds = KINDS.map((kind) => ({ ...kind, policy: { inboxLimit: 5 } }));
  const runtime = createRuntime({
    kinds,
    handlers: {},
    tasks: { link: untilAborted },
    store: createStore(database.db),
  });
  const fill = Array.from({ length: 5 }, () => event(S, { type: 'START', at: 1 }));
  assert.equal(
    await runtime.deliver(fill),
    fill.map(() => 'accepted'),
  );
  assert.equal(await runtime.deliver([event(S, { type: 'TELL', at: 1 })]), ['busy']);
  assert.equal(await runtime.deliver(fill.slice(0, 1)), ['duplicate']);
});

test('a final state ends the actor, keeps it, and buries what comes later', async () => {
  const database = await postgres.freshDatabase();
  const { runtime, stop } = await leading(database);
  await runtime.deliver([start(), event(S, { type: 'WORK', at: 1 }), event(S, { type: 'END', at: 1 })]);
  await until('done', async () => (await runtime.read(S))?.status === 'done');
  assert.is(await runtime.deliverAndWait(event(S, { type: 'TELL', at: 1 }), { timeoutMs: 5000 }), 'dead');
  await until('no task runs', () => runtime.stats().runningTasks === 0);
  await stop();
});

test.run();
