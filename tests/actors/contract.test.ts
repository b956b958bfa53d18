// @limit 120
import { deepEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type AnyMachineSnapshot, type ExecutableActionObject, initialTransition, transition } from 'xstate';
import { type Asked, begin, decide, persist, restore } from '../../src/actors/scope.ts';
import { choices, WALKED, walk } from './walks.ts';

/** What both say was asked for, in the same words. Children and implementations are objects of the one or the other. */
function ours(asked: Asked): unknown {
  switch (asked.type) {
    case 'custom':
    case 'refused':
      return [asked.name];
    case 'raise':
      return ['xstate.raise', asked.id, asked.delay, asked.event];
    case 'cancel':
      return ['xstate.cancel', asked.id];
    case 'spawn':
      return ['xstate.spawnChild', asked.id, asked.src, asked.input];
    case 'stop':
      return ['xstate.stopChild', asked.id];
  }
}

function theirs({ type, params }: ExecutableActionObject): unknown {
  const given = (params ?? {}) as Readonly<Record<string, unknown>>;
  switch (type) {
    case 'xstate.raise':
      return typeof given.delay === 'number' ? [type, given.id, given.delay, given.event] : [type];
    case 'xstate.cancel':
      return [type, given.sendId];
    case 'xstate.spawnChild':
      return [type, given.id, given.src, given.input];
    case 'xstate.stopChild':
      return [type, given.id ?? ''];
    default:
      return [type];
  }
}

function same(mine: AnyMachineSnapshot, other: AnyMachineSnapshot): void {
  deepEqual(mine.value, other.value);
  deepEqual(mine.context, other.context);
  deepEqual(mine.status, other.status);
  deepEqual([...mine.tags].sort(), [...other.tags].sort());
  deepEqual(Object.keys(mine.children).sort(), Object.keys(other.children).sort());
  deepEqual(JSON.stringify(mine.historyValue ?? {}), JSON.stringify(other.historyValue ?? {}));
}

for (const walked of WALKED) {
  test(`on random paths of ${walked.name} the reused scope decides and asks exactly as the public transition() does`, () => {
    const { machine } = walked.definition;
    let strides = 0;
    fc.assert(
      fc.property(choices, (numbers) => {
        const input = walked.definition.inputOf(walked.address, { ...walked.birth, at: 1_000 });
        const begun = begin(machine, input);
        let mine = begun.snapshot;
        let [other, actions] = initialTransition(machine, input);
        same(mine, other);
        deepEqual(begun.asked.map(ours), actions.map(theirs));
        walk(walked, numbers, ({ event }) => {
          strides += 1;
          const stepped = decide(machine, mine, event);
          [other, actions] = transition(machine, other, event);
          same(stepped.snapshot, other);
          deepEqual(stepped.asked.map(ours), actions.map(theirs));
          mine = stepped.snapshot;
          // Read again from what would be stored, it is still the same.
          const tasks = Object.fromEntries(Object.keys(mine.children).map((id) => [id, { src: srcOf(mine, id) }]));
          same(restore(machine, persist(machine, mine).json, tasks), other);
        });
      }),
      { numRuns: 60 },
    );
    assert.ok(strides > 200, `${strides} strides`);
  });
}

function srcOf({ children }: AnyMachineSnapshot, id: string): string {
  const src: unknown = children[id]?.src;
  return typeof src === 'string' ? src : 'link';
}

test.run();
