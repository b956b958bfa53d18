import { deepEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type AnyMachineSnapshot, initialTransition, transition } from 'xstate';
import type { Envelope } from '../../src/actors/index.ts';
import { begin, decide } from '../../src/actors/scope.ts';
import { endTask, step, stepInitial, takeDueTimer, wakeAtOf } from '../../src/actors/step.ts';
import { KINDS, sender } from './support.ts';

const SESSION = KINDS[0];
if (SESSION === undefined) throw new Error('no kind');
const S = 'session/s' as const;
const INPUT = { address: S, peer: 'container/c' };

const someEvent = fc
  .record({
    type: fc.constantFrom('TELL', 'ASK', 'ASKED', 'WAIT', 'WORK', 'LEAVE', 'SAY', 'BIND', 'SLICE', 'NONSENSE'),
    at: fc.nat(1_000_000),
    text: fc.string({ unit: 'binary' }),
    rootId: fc.string(),
  })
  .map((event) => ({ ...event }));

test('the reused scope decides exactly as the public transition() does, on random paths', () => {
  fc.assert(
    fc.property(fc.array(someEvent, { maxLength: 25 }), (events) => {
      const ours = begin(sender, INPUT);
      let [theirs, theirActions] = initialTransition(sender, { address: S, peer: 'container/c' });
      let mine: AnyMachineSnapshot = ours.snapshot;
      for (const event of events) {
        const stepped = decide(sender, mine, event);
        [theirs, theirActions] = transition(sender, theirs, event as never);
        deepEqual(stepped.snapshot.value, theirs.value);
        deepEqual(stepped.snapshot.context, theirs.context);
        deepEqual(stepped.snapshot.status, theirs.status);
        deepEqual(Object.keys(stepped.snapshot.children), Object.keys(theirs.children));
        deepEqual(
          stepped.asked.map((asked) => ('name' in asked ? asked.name : asked.type)),
          theirActions.map(({ type }) => NAMES[type] ?? type),
        );
        mine = stepped.snapshot;
      }
    }),
    { numRuns: 200 },
  );
});

const NAMES: Readonly<Record<string, string>> = {
  'xstate.raise': 'raise',
  'xstate.cancel': 'cancel',
  'xstate.spawnChild': 'spawn',
  'xstate.stopChild': 'stop',
};

test('a trip through JSON between any two steps changes nothing', () => {
  const kind = SESSION;
  fc.assert(
    fc.property(fc.array(someEvent, { maxLength: 25 }), (events) => {
      let kept: Envelope = stepInitial(kind, S, INPUT, { rev: 1, now: 5 }).envelope;
      let travelled: Envelope = JSON.parse(JSON.stringify(kept));
      for (const [index, event] of events.entries()) {
        const time = { rev: index + 2, now: event.at };
        const one = step(kind, S, kept, event, time);
        const other = step(kind, S, travelled, event, time);
        deepEqual(JSON.parse(JSON.stringify(one)), JSON.parse(JSON.stringify(other)));
        kept = one.envelope;
        travelled = JSON.parse(JSON.stringify(other.envelope));
      }
    }),
    { numRuns: 200 },
  );
});

test('a step changes nothing that it was given', () => {
  const kind = SESSION;
  const { envelope } = stepInitial(kind, S, INPUT, { rev: 1, now: 5 });
  const before = JSON.stringify(envelope);
  step(kind, S, envelope, { type: 'WORK', at: 9 }, { rev: 2, now: 9 });
  step(kind, S, envelope, { type: 'TELL', at: 9 }, { rev: 2, now: 9 });
  assert.is(JSON.stringify(envelope), before);
});

test('entering a state again replaces its timer and its task', () => {
  const kind = SESSION;
  let { envelope } = stepInitial(kind, S, INPUT, { rev: 1, now: 0 });
  envelope = step(kind, S, envelope, { type: 'WAIT', at: 10 }, { rev: 2, now: 10 }).envelope;
  assert.is(wakeAtOf(envelope), 1010);
  envelope = step(kind, S, envelope, { type: 'WAIT', at: 20 }, { rev: 3, now: 20 }).envelope;
  assert.equal(
    Object.values(envelope.timers).map(({ due }) => due),
    [1020],
  );
  envelope = step(kind, S, envelope, { type: 'LEAVE', at: 30 }, { rev: 4, now: 30 }).envelope;
  assert.equal(envelope.timers, {});

  envelope = step(kind, S, envelope, { type: 'WORK', at: 40 }, { rev: 5, now: 40 }).envelope;
  assert.is(envelope.tasks.job?.key, `${S}/5/job`);
  assert.equal(envelope.tasks.job?.input, { who: S });
  // Also when the envelope was read from the database: leaving a state must find its task to stop it.
  const read: Envelope = JSON.parse(JSON.stringify(envelope));
  envelope = step(kind, S, read, { type: 'WORK', at: 50 }, { rev: 6, now: 50 }).envelope;
  assert.equal(
    Object.values(envelope.tasks).map(({ key }) => key),
    [`${S}/6/job`],
  );
  assert.is(endTask(envelope, 'job').tasks.job?.ended, true);
  envelope = step(kind, S, envelope, { type: 'LEAVE', at: 60 }, { rev: 7, now: 60 }).envelope;
  assert.equal(envelope.tasks, {});
});

test('a timer counts from the decision and is taken once, at its deadline, not before', () => {
  const kind = SESSION;
  const { envelope: idle } = stepInitial(kind, S, INPUT, { rev: 1, now: 0 });
  const { envelope } = step(kind, S, idle, { type: 'WAIT', at: 10 }, { rev: 2, now: 5000 });
  assert.is(wakeAtOf(envelope), 6000, 'the event had waited in the inbox');
  assert.is(takeDueTimer(envelope, 5999), undefined);
  const due = takeDueTimer(envelope, 6000);
  assert.ok(due);
  assert.equal(due.event, { type: 'xstate.after.nap.sender.waiting', at: 6000 });
  assert.is(takeDueTimer(due.rest, 9999), undefined);
  assert.is(step(kind, S, due.rest, due.event, { rev: 3, now: 6000 }).envelope.snapshot.value, 'idle');
});

test('an event without an enabled transition says so', () => {
  const kind = SESSION;
  const { envelope } = stepInitial(kind, S, INPUT, { rev: 1, now: 0 });
  assert.is(step(kind, S, envelope, { type: 'LEAVE', at: 1 }, { rev: 2, now: 1 }).handled, false);
  assert.is(step(kind, S, envelope, { type: 'ASKED', at: 1 }, { rev: 2, now: 1 }).handled, true);
});

test.run();
