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
  const definition = { ...kind(createMachine({})), version: 3, migrate: { 1: (envelope: Envelope) => envelope } };
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

test.run();
