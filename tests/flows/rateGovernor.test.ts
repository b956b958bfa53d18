import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createRateGovernor, type Priority } from '../../src/flows/rateGovernor.ts';

test('what people wait for goes before progress, whatever came first', async () => {
  const governor = createRateGovernor({ perSecond: 1_000, burst: 1 });
  await governor.turn('progress');
  const order: Priority[] = [];
  const all = (['board', 'progress', 'sign', 'question', 'final', 'decision'] as const).map((priority) =>
    governor.turn(priority).then(() => order.push(priority)),
  );
  await Promise.all(all);
  assert.equal(order, ['decision', 'final', 'question', 'sign', 'progress', 'board']);
});

test('progress without end holds no board up for ever, and nothing but progress waits for one', async () => {
  const governor = createRateGovernor({ perSecond: 1_000, burst: 1 });
  await governor.turn('progress');
  const order: Priority[] = [];
  const ask = (priority: Priority) => governor.turn(priority).then(() => order.push(priority));
  const all = [...Array.from({ length: 40 }, () => ask('progress')), ask('board'), ask('board')];
  all.push(...Array.from({ length: 15 }, () => ask('final')));
  await Promise.all(all);
  const boards = order.flatMap((priority, at) => (priority === 'board' ? [at] : []));
  assert.is(order.lastIndexOf('final'), 14);
  assert.ok((boards[0] ?? 99) <= 15 + 10, `the first board goes at ${boards[0]}`);
  assert.ok((boards[1] ?? 99) <= 15 + 21, `the second board goes at ${boards[1]}`);
  assert.ok((boards[1] ?? 0) - (boards[0] ?? 0) >= 10);
});

test('never more requests than the budget allows in any stretch of time', async () => {
  let clock = 0;
  const governor = createRateGovernor({ perSecond: 10, burst: 5, now: () => clock });
  let gone = 0;
  for (let i = 0; i < 50; i += 1) governor.turn('progress').then(() => (gone += 1), assert.unreachable);
  await settled();
  assert.is(gone, 5);
  assert.is(governor.waiting(), 45);
  clock += 1_000;
  governor.turn('decision').then(() => (gone += 1), assert.unreachable);
  await until(() => gone === 10);
  assert.is(governor.waiting(), 41);
  await until(() => {
    clock += 1_000;
    return governor.waiting() === 0;
  });
});

test('who gives a place up is refused at once and spends nothing; whose turn has come keeps it', async () => {
  let clock = 0;
  const governor = createRateGovernor({ perSecond: 1_000, burst: 1, now: () => clock });
  const early = new AbortController();
  await governor.turn('progress', early.signal);
  early.abort();
  const patience = new AbortController();
  const why = new Error('something else goes first');
  const given = governor.turn('progress', patience.signal).then(
    () => assert.unreachable('it went'),
    (error: unknown) => assert.is(error, why),
  );
  const other = governor.turn('board');
  patience.abort(why);
  await given;
  assert.is(governor.waiting(), 1);
  clock = 1;
  await other;
});

test('a pause that the server asks for closes the budget until it is over', async () => {
  let clock = 0;
  const governor = createRateGovernor({ perSecond: 1_000, burst: 10, now: () => clock });
  governor.pause(20);
  let gone = false;
  const turn = governor.turn('decision').then(() => {
    gone = true;
  });
  await settled();
  assert.is(gone, false);
  clock = 20;
  await turn;
});

test('a clock of the day that is set back holds nothing up', async () => {
  const { now } = Date;
  let setBack = 0;
  Date.now = () => now() - setBack;
  try {
    const governor = createRateGovernor({ perSecond: 1_000, burst: 2 });
    await governor.turn('final');
    setBack = 3_600_000;
    await governor.turn('final');
    await governor.turn('final');
    governor.pause(5);
    setBack = 7_200_000;
    const gone = governor.turn('final').then(() => true);
    assert.ok(await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, 20_000, false).unref())]));
  } finally {
    Date.now = now;
  }
});

test('once closed, nobody who waits gets a turn any more, and nobody waits', async () => {
  const governor = createRateGovernor({ perSecond: 1_000, burst: 1 });
  governor.pause(60_000);
  const refusals: string[] = [];
  const waiting = (['final', 'progress'] as const).map((priority) =>
    governor.turn(priority).catch((error: Error) => refusals.push(error.message)),
  );
  governor.close();
  await Promise.all(waiting);
  await governor.turn('decision').catch((error: Error) => refusals.push(error.message));
  assert.is(refusals.length, 3);
  assert.is(governor.waiting(), 0);
});

test('opened again, turns are given as before', async () => {
  const governor = createRateGovernor({ perSecond: 1_000, burst: 1 });
  governor.close();
  governor.open();
  await governor.turn('final');
  await governor.turn('progress');
});

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function until(fits: () => boolean): Promise<void> {
  for (const end = Date.now() + 5_000; !fits() && Date.now() < end; )
    await new Promise((resolve) => setTimeout(resolve, 5));
}

test.run();
