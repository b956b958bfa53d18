// An effect that a later one takes back is not carried out any more.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../src/actors/clock.ts';
import { createEffectRunner } from '../../src/actors/effectRunner.ts';
import { type EffectOutcome, type EffectRow, RetryableError, silentLog } from '../../src/actors/index.ts';
import type { JsonObject } from '../../src/machines/json.ts';
import { until } from './support.ts';

function reaction(key: string, params: JsonObject): EffectRow {
  const fields = { actor: 'session/s', kind: 'chat.react', reply: undefined, attempts: 0, runAt: 0 } as const;
  return { ...fields, key, params, orderKey: `post/${params.postId}`, deadline: Date.now() + 60_000 };
}

function runner() {
  const done: string[] = [];
  const outcomes: EffectOutcome[] = [];
  const waiting: (() => void)[] = [];
  const effects = createEffectRunner({
    handlers: {
      'chat.react': async ({ params: { postId, emoji, remove } }) => {
        await new Promise<void>((resolve) => waiting.push(resolve));
        done.push(`${remove ? '-' : '+'}${postId} ${emoji}`);
      },
    },
    clock: systemClock,
    log: silentLog,
    faults: undefined,
    certain: () => true,
    finish: async (outcome) => void outcomes.push(outcome),
    onOver: () => undefined,
    retry: async () => undefined,
  });
  const goOn = async (count: number) => {
    await until(`${count} are over`, () => {
      for (const go of waiting.splice(0)) go();
      return outcomes.length === count;
    });
    await effects.stop();
  };
  return { effects, done, outcomes, goOn };
}

const sign = (postId: string, emoji: string, remove: boolean) => ({ postId, emoji, remove });

test('a reaction that is to be taken away again is not given; the other ones are', async () => {
  const { effects, done, outcomes, goOn } = runner();
  effects.add([
    reaction('1', sign('p', 'arrow_right', false)),
    reaction('2', sign('p', 'hourglass', false)),
    reaction('3', sign('p', 'hourglass', true)),
    reaction('4', sign('p', 'white_check_mark', false)),
    reaction('5', sign('q', 'hourglass', false)),
  ]);
  await goOn(5);
  assert.equal([...done].sort(), ['+p arrow_right', '+p white_check_mark', '+q hourglass', '-p hourglass']);
  assert.ok(outcomes.every(({ status }) => status === 'done'));
});

test('one that was given is taken away', async () => {
  const { effects, done, outcomes, goOn } = runner();
  effects.add([reaction('1', sign('p', 'hourglass', false))]);
  await until('it is being given', () => effects.running() === 1);
  effects.add([reaction('2', sign('p', 'hourglass', true))]);
  await goOn(2);
  assert.equal(done, ['+p hourglass', '-p hourglass']);
  assert.is(outcomes.length, 2);
});

test('an agent that is to hear that something was closed again is not told before that it is open, whatever was under way', async () => {
  const told: unknown[] = [];
  const outcomes: EffectOutcome[] = [];
  let isAway = true;
  const effects = createEffectRunner({
    handlers: {
      // As the registry: it waits for the worker's stream, or until its attempt is over.
      'worker.decide': async ({ params: { outcome } }, { signal }) => {
        await until('the worker is back', () => signal.aborted || !isAway);
        if (signal.aborted) throw new RetryableError('WORKER_AWAY', 'no stream');
        told.push(outcome);
      },
    },
    clock: systemClock,
    log: silentLog,
    faults: undefined,
    certain: () => true,
    finish: async (outcome) => void outcomes.push(outcome),
    onOver: () => undefined,
    retry: async () => {
      isAway = false;
    },
  });
  const decision = (key: string, outcome: string, inputId = 'decision-r1'): EffectRow => ({
    ...{ actor: 'approval/s/r1', kind: 'worker.decide', reply: undefined, attempts: 0, runAt: 0 },
    ...{ key, params: { inputId, outcome }, orderKey: 'request/approval/s/r1', deadline: Date.now() + 60_000 },
  });
  effects.add([decision('1', 'approved')]);
  await until('it is under way', () => effects.running() === 1);
  effects.add([decision('2', 'denied'), decision('3', 'approved', 'decision-r2')]);
  await until('all are over', () => outcomes.length === 3);
  await effects.stop();
  assert.equal(told, ['denied', 'approved']);
  assert.ok(outcomes.every(({ status }) => status === 'done'));
});

test.run();
