import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type TaskContext, type TaskRequest, TerminalError } from '../../src/actors/index.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { event, leading, until } from './support.ts';

let postgres: TestPostgres;
test.before(async () => {
  postgres = await startPostgres();
});
test.after(() => postgres.stop());

const S = 'session/s' as const;

interface Run {
  readonly task: TaskRequest;
  readonly context: TaskContext;
  resolve(): void;
  reject(error: Error): void;
}

/** A runner whose runs the test ends. It does not listen to its signal: the worst kind. */
function runner() {
  const runs: Run[] = [];
  const link = (task: TaskRequest, context: TaskContext) =>
    new Promise<undefined>((resolve, reject) => {
      runs.push({ task, context, resolve: () => resolve(undefined), reject });
    });
  return { runs, link };
}

async function working(database: Awaited<ReturnType<TestPostgres['freshDatabase']>>) {
  const { runs, link } = runner();
  const lead = await leading(database, { tasks: { link } });
  await lead.runtime.deliver([event(S, { type: 'START', at: 1 }), event(S, { type: 'WORK', at: 1 })]);
  await until('the task runs', () => runs.length === 1);
  return { ...lead, runs };
}

test('a task starts after the commit with its input and term, and its end comes back', async () => {
  const { runtime, runs, stop, leadership } = await working(await postgres.freshDatabase());
  assert.equal(runs[0]?.task, { key: `${S}/2/job`, actor: S, id: 'job', input: { who: S } });
  assert.is(runs[0]?.context.term, leadership.term);
  runs[0]?.resolve();
  await until('it is over', async () => (await runtime.read(S))?.value === 'idle');
  assert.equal((await runtime.read(S))?.context.done, ['xstate.done.actor.job']);
  await stop();
});

test('a failing task tells its chart why', async () => {
  const database = await postgres.freshDatabase();
  const { runtime, runs, stop } = await working(database);
  runs[0]?.reject(new TerminalError('lost', 'the link is lost', { human: 'The link is lost.' }));
  await until('it is over', async () => (await runtime.read(S))?.value === 'idle');
  const [row] = await database.rows(`select event from inbox where task_key is not null`);
  assert.equal(row?.event.error, { code: 'lost', message: 'the link is lost', human: 'The link is lost.' });
  await stop();
});

test('leaving the state aborts the task; its completion afterwards is refused', async () => {
  const { runtime, runs, stop } = await working(await postgres.freshDatabase());
  await runtime.deliverAndWait(event(S, { type: 'LEAVE', at: 2 }), { timeoutMs: 5000 });
  assert.ok(runs[0]?.context.signal.aborted);
  let refused = false;
  await runs[0]?.context.emit({ type: 'TELL', at: 1 }).catch(() => {
    refused = true;
  });
  assert.ok(refused, 'an aborted task cannot emit');
  runs[0]?.resolve();
  await until('it ended', () => runtime.stats().runningTasks === 0);
  assert.equal((await runtime.read(S))?.context.done, []);
  await stop();
});

test('a completion of an earlier incarnation, already in the inbox, is refused', async () => {
  const database = await postgres.freshDatabase();
  const { runtime, runs, store, stop } = await working(database);
  await runtime.deliverAndWait(event(S, { type: 'WORK', at: 2 }), { timeoutMs: 5000 });
  await until('it runs again', () => runs.length === 2);
  assert.ok(runs[0]?.context.signal.aborted);
  const stale = {
    to: S,
    event: { type: 'xstate.done.actor.job', at: 3 },
    dedupKey: 'stale',
    taskKey: runs[0]?.task.key ?? '',
  };
  await store.deliver([stale], { term: undefined, limitOf: () => undefined, cursors: [] });
  await until('it was taken', async () => (await store.inboxState('stale')) === 'done');
  assert.is((await runtime.read(S))?.value, 'working');
  assert.not(runs[1]?.context.signal.aborted);
  runs[0]?.resolve();
  runs[1]?.resolve();
  await until('over', async () => (await runtime.read(S))?.value === 'idle');
  await stop();
});

test('a task of an active state runs again under the next leader, under the same key', async () => {
  const database = await postgres.freshDatabase();
  const first = await working(database);
  const stopped = first.stop();
  first.runs[0]?.resolve();
  await stopped;
  const { runs, link } = runner();
  const second = await leading(database, { tasks: { link } });
  await until('it runs again', () => runs.length === 1);
  assert.is(runs[0]?.task.key, `${S}/2/job`);
  assert.ok((runs[0]?.context.term ?? 0) > first.leadership.term);
  runs[0]?.resolve();
  await until('over', async () => (await second.runtime.read(S))?.value === 'idle');
  await second.stop();
});

test('what a task emits is in the inbox when it resolves, once per key', async () => {
  const { runtime, runs, stop } = await working(await postgres.freshDatabase());
  await runs[0]?.context.emit({ type: 'TELL', at: 1 }, 'once');
  await runs[0]?.context.emit({ type: 'TELL', at: 1 }, 'once');
  await until('told', async () => (await runtime.read('container/c'))?.context.told === 1);
  assert.is((await runtime.read(S))?.context.sent, 1);
  runs[0]?.resolve();
  await until('over', async () => (await runtime.read(S))?.value === 'idle');
  await stop();
});

test.run();
