import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type AnyStateMachine, assign, createMachine, emit, enqueueActions, raise, sendTo, setup } from 'xstate';
import type { Envelope, KindDefinition } from '../../src/actors/index.ts';
import { complaintsOf, registerKinds } from '../../src/actors/register.ts';
import { step, stepInitial } from '../../src/actors/step.ts';
import { chart, task } from '../../src/machines/define.ts';
import { untilAborted } from './support.ts';

function kind(machine: AnyStateMachine): KindDefinition {
  return { kind: 'session', machine, version: 1, birthEvents: ['START'], inputOf: () => ({}) };
}

function complaints(machine: AnyStateMachine): string[] {
  return complaintsOf(kind(machine), { link: untilAborted });
}

test('an inline action is refused with the path of its state', () => {
  const machine = setup({}).createMachine({
    tags: 'waiting',
    initial: 'a',
    states: {
      a: { initial: 'b', states: { b: { entry: () => undefined, on: { GO: { actions: () => undefined } } } } },
    },
  });
  assert.equal(complaints(machine), [
    'a.b: entry has an inline action; name it in setup()',
    'a.b: on GO has an inline action; name it in setup()',
  ]);
});

test('sendTo, emit and unknown actions are refused', () => {
  const machine = createMachine({
    tags: 'waiting',
    entry: sendTo('someone', { type: 'X' }),
    exit: emit({ type: 'Y' }),
    on: { GO: { actions: 'missing' } },
  });
  const said = complaints(machine);
  assert.is(said.length, 3);
  assert.match(said[0] ?? '', /\(root\): entry uses xstate.sendTo/);
  assert.match(said[1] ?? '', /\(root\): exit uses xstate.emit/);
  assert.match(said[2] ?? '', /on GO names unknown action "missing"/);
});

test('a task needs an explicit id and a registered, non-nested source', () => {
  const nested = createMachine({});
  const config = {
    tags: 'busy',
    initial: 'a',
    states: {
      a: { invoke: { src: 'link' } },
      b: { invoke: { id: 'x', src: 'other' } },
      c: { invoke: { id: 'y', src: 'nested' } },
      d: { invoke: { id: 'z', src: nested } },
    },
  };
  const machine = createMachine(config, { actors: { link: task(), other: task(), nested } });
  assert.equal(complaints(machine), [
    'a: invoke of "link" needs an explicit id',
    'b: invoke of "other", for which no task runner is registered',
    'c: invoke of "nested", a nested machine; make it an actor kind of its own',
    'c: invoke of "nested", for which no task runner is registered',
    'd: invoke with an inline or nested machine; register the source by name',
  ]);
});

test('every step between versions needs a migration', () => {
  const definition = {
    ...kind(createMachine({ tags: 'waiting' })),
    version: 3,
    migrate: { 1: (envelope: Envelope) => envelope },
  };
  assert.equal(complaintsOf(definition, {}), ['migrate[2] is missing']);
  assert.throws(() => registerKinds([definition], {}), /migrate\[2\] is missing/);
});

type Context = { n: number };
type Go = { type: 'GO'; at: number };
const { effect } = chart<Context, Go>();

test('enqueueActions, assign and raise are allowed, and effects inside them keep their order and context', () => {
  const machine = setup({
    types: {} as { context: Context; events: Go },
    actions: {
      first: effect(({ context }) => ({ kind: 'say', note: 'a', tone: 'info', text: `${context.n}` })),
      second: effect(({ context, event }) => [
        { kind: 'say', note: 'b', tone: 'info', text: `${context.n} at ${event.at}` },
      ]),
    },
  }).createMachine({
    context: { n: 0 },
    tags: 'waiting',
    initial: 'a',
    states: {
      a: {
        entry: raise({ type: 'GO', at: 7 }),
        on: {
          GO: {
            target: 'b',
            actions: [
              'first',
              assign({ n: 1 }),
              enqueueActions(({ enqueue }) => {
                enqueue('first');
                enqueue.assign({ n: 2 });
                enqueue('second');
              }),
            ],
          },
        },
      },
      b: {},
    },
  });
  assert.equal(complaints(machine), []);
  const { effects, envelope } = stepInitial(kind(machine), 'session/s', {}, { rev: 1, now: 3 });
  assert.equal(
    effects.map((asked) => (asked.kind === 'say' ? asked.text : '')),
    ['0', '1', '2 at 7'],
  );
  assert.is(envelope.snapshot.value, 'b');
});

test('an initial state that asks for effects knows when it is', () => {
  const machine = setup({
    types: {} as { context: Context; events: Go },
    actions: { hello: effect(({ event }) => ({ kind: 'say', note: 'a', tone: 'info', text: `${event.at}` })) },
  }).createMachine({ context: { n: 0 }, entry: 'hello' });
  const { effects } = stepInitial(kind(machine), 'session/s', {}, { rev: 1, now: 33 });
  assert.equal(effects, [{ kind: 'say', note: 'a', tone: 'info', text: '33' }]);
});

test('an action that returns something else is an error that names it', () => {
  const machine = setup({ actions: { odd: () => 'nonsense' } }).createMachine({ on: { GO: { actions: 'odd' } } });
  const definition = kind(machine);
  const { envelope } = stepInitial(definition, 'session/s', {}, { rev: 1, now: 1 });
  assert.throws(
    () => step(definition, 'session/s', envelope, { type: 'GO', at: 1 }, { rev: 2, now: 1 }),
    /Action "odd" returned something that is not an effect/,
  );
});

test('a state that does not say whether something moves it on is named', () => {
  const machine = createMachine({
    initial: 'a',
    states: {
      a: {},
      b: { tags: 'busy', initial: 'c', states: { c: {}, past: { type: 'history' } } },
      d: { type: 'parallel', states: { e: { tags: 'other' }, f: { tags: 'waiting' } } },
      passage: { always: 'a' },
      guarded: { always: { guard: () => false, target: 'a' } },
      end: { type: 'final' },
    },
  });
  const words = 'tagged neither busy (something moves it on) nor waiting (only the outside can)';
  assert.equal(complaints(machine), [`a: ${words}`, `d.e: ${words}`, `guarded: ${words}`]);
});

test('a delay that is unknown, inline or no number of milliseconds is refused with the path of its state', () => {
  // Apart, so that the compiler does not find the unknown one first.
  const config = {
    tags: 'waiting',
    initial: 'a',
    states: {
      a: { after: { missing: 'b', known: 'b' }, on: { GO: { actions: raise({ type: 'X' }, { delay: () => 5 }) } } },
      b: { initial: 'c', states: { c: { after: { never: 'd', [-5]: 'd' } }, d: { exit: 'later' } } },
    },
  };
  const machine = createMachine(config, {
    delays: { known: 5, never: Number.NaN },
    actions: { later: raise({ type: 'X' }, { delay: Number.POSITIVE_INFINITY }) },
  });
  assert.equal(complaints(machine), [
    'a: unknown delay "missing"',
    'a: a delay is an inline function; name it in setup({ delays })',
    'b.c: delay "never" is NaN ms',
    'b.c: a delay of -5 ms',
    'b.d: a delay of Infinity ms',
  ]);
});

test('a computed delay that gives nonsense is an error that names its state, instead of firing at once or never', () => {
  const machine = setup({
    types: {} as { context: { ms: unknown }; events: Go | { type: 'SET'; at: number; ms: unknown } },
    actions: { set: assign({ ms: ({ event }) => ('ms' in event ? event.ms : 0) }) },
    delays: { computed: ({ context }) => context.ms as number },
  }).createMachine({
    tags: 'waiting',
    context: { ms: 1 },
    initial: 'a',
    on: { SET: { actions: 'set' } },
    states: {
      a: { on: { GO: 'b.c' } },
      b: { initial: 'c', states: { c: { after: { computed: { target: 'c', reenter: true } } } } },
    },
  });
  const definition = kind(machine);
  assert.equal(complaints(machine), []);
  const { envelope } = stepInitial(definition, 'session/s', {}, { rev: 1, now: 1 });
  const go = (ms: unknown) => {
    const set = { ...envelope, snapshot: { ...envelope.snapshot, context: { ms } } } as Envelope;
    return step(definition, 'session/s', set, { type: 'GO', at: 1 }, { rev: 2, now: 1 });
  };
  for (const ms of [Number.NaN, -1, Number.POSITIVE_INFINITY, '5', null, undefined]) {
    assert.throws(
      () => go(ms),
      (error: Error) => error.message === `b.c: delay "computed" gives ${String(ms)} ms`,
    );
  }
  assert.is(Object.values(go(0).envelope.timers)[0]?.due, 1);
});

test.run();
