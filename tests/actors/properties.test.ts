// @limit 120
import { deepEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { registerKinds } from '../../src/actors/register.ts';
import { decide, restore, wanted } from '../../src/actors/scope.ts';
import { step } from '../../src/actors/step.ts';
import type { InboxRow } from '../../src/actors/store.ts';
import { planTurn } from '../../src/actors/turn.ts';
import type { Envelope } from '../../src/actors/types.ts';
import { untilAborted } from './support.ts';
import { choices, first, WALKED, type Walked, walk } from './walks.ts';

const RUNS = { numRuns: 60 };
const stored = (envelope: Envelope): Envelope => JSON.parse(JSON.stringify(envelope));

function forAll(check: (numbers: readonly number[], coin: readonly boolean[]) => void): void {
  const coins = fc.array(fc.boolean(), { minLength: 61, maxLength: 61 });
  fc.assert(fc.property(choices, coins, check), RUNS);
}

for (const walked of WALKED) {
  const { definition, address, name } = walked;
  const [registered] = registerKinds([definition], {
    link: untilAborted,
    other: untilAborted,
    workerLink: untilAborted,
  }).values();
  if (!registered) throw new Error('not registered');

  test(`${name}: a crash between any two steps changes no result, and a step changes nothing it was given`, () => {
    forAll((numbers, coins) => {
      // Three lives of one actor: kept in memory, read from the database before every step, and now and then.
      let [kept, read, mixed] = [0, 0, 0].map(() => first(walked, 1_000));
      walk(walked, numbers, ({ from, prepare, event, rev, now }) => {
        const before = JSON.stringify(from);
        const results = [kept, read, mixed].map((envelope, life) => {
          if (!envelope) throw new Error('no envelope');
          const crashed = life === 1 || (life === 2 && coins[rev % coins.length]);
          return step(definition, address, prepare(crashed ? stored(envelope) : envelope), event, { rev, now });
        });
        [kept, read, mixed] = results.map(({ envelope }) => envelope);
        const [one, ...others] = results.map((result) => JSON.parse(JSON.stringify(result)));
        for (const other of others) deepEqual(other, one);
        assert.is(JSON.stringify(from), before);
      });
    });
  });

  test(`${name}: what is asked for again is replaced, what is left is cancelled, all else stays as it was`, () => {
    forAll((numbers) => {
      walk(walked, numbers, ({ from, event, rev, now }) => {
        const { machine } = definition;
        const { asked } = decide(machine, restore(machine, from.snapshot, from.tasks), event);
        const result = step(definition, address, from, event, { rev, now });
        const expected = { timers: { ...from.timers }, tasks: { ...from.tasks } };
        for (const [index, wish] of asked.entries()) {
          if (wish.type === 'raise') {
            const id = wish.id ?? `raise/${rev}/${index}`;
            expected.timers[id] = { due: now + Math.round(wish.delay), event: wish.event };
          } else if (wish.type === 'cancel') delete expected.timers[wish.id];
          else if (wish.type === 'stop') delete expected.tasks[wish.id];
          else if (wish.type === 'spawn') {
            const input = JSON.parse(JSON.stringify(wish.input ?? {}));
            expected.tasks[wish.id] = { key: `${address}/${rev}/${wish.id}`, src: wish.src, input };
          }
        }
        const { timers, tasks } = result.envelope;
        deepEqual({ timers, tasks }, result.status === 'active' ? expected : { timers: {}, tasks: {} });
      });
    });
  });

  test(`${name}: there are timers and tasks of active states only, and a task for each that asks for one`, () => {
    forAll((numbers) => {
      const check = (envelope: Envelope) => {
        if (envelope.snapshot.status !== 'active') return;
        const { machine } = definition;
        const asked = wanted(machine, restore(machine, envelope.snapshot, envelope.tasks), { type: 'X', at: 0 });
        const owned = Object.keys(envelope.timers).filter((id) => id.startsWith('xstate.after.'));
        deepEqual(
          owned.filter((id) => !asked.timers.some((timer) => timer.id === id)),
          [],
        );
        deepEqual(Object.keys(envelope.tasks).sort(), asked.spawns.map(({ id }) => id).sort());
      };
      check(
        walk(walked, numbers, ({ from, event, rev, now }) => {
          check(step(definition, address, from, event, { rev, now }).envelope);
        }),
      );
    });
  });

  test(`${name}: the end of an earlier incarnation of a task, or of one that was stopped, changes nothing`, () => {
    let refused = 0;
    forAll((numbers) => {
      const keys = new Map<string, string>();
      walk(walked, numbers, ({ from, event, rev, now }) => {
        const { envelope } = step(definition, address, from, event, { rev, now });
        for (const [id, { key }] of Object.entries(from.tasks)) keys.set(key, id);
        for (const [key, id] of keys) {
          if (envelope.tasks[id]?.key === key && !envelope.tasks[id]?.ended) continue;
          if (envelope.snapshot.status !== 'active') continue;
          refused += 1;
          for (const how of ['done', 'error']) {
            const row: InboxRow = {
              seq: 1,
              to: address,
              event: { type: `xstate.${how}.actor.${id}`, at: now, error: {} },
              dedupKey: 'k',
              cause: undefined,
              taskKey: key,
              attempts: 0,
            };
            const actor = { rev, status: 'active', parent: undefined, failures: 0, envelope } as const;
            const turn = planTurn({
              address,
              kind: registered,
              actor,
              rows: [row],
              now,
              fireTimers: false,
              fold: 9,
              troubles: [],
            });
            deepEqual(turn?.commit.taken, [1]);
            deepEqual(turn?.commit.journal, []);
            assert.is(turn?.next?.envelope, envelope);
          }
        }
      });
    });
    // Only some charts have tasks that random events start again soon enough.
    if (name === 'chain' || name === 'parallel') assert.ok(refused > 100, `${refused} refused`);
  });

  test(`${name}: a timer of a state that was left does nothing`, () => {
    forAll((numbers) => {
      const known = new Set<string>();
      walk(walked, numbers, ({ from, event, rev, now }) => {
        for (const id of Object.keys(from.timers)) if (id.startsWith('xstate.after.')) known.add(id);
        const { envelope } = step(definition, address, from, event, { rev, now });
        if (envelope.snapshot.status !== 'active') return;
        const active = afters(walked, envelope);
        for (const type of known) {
          if (active.includes(type)) continue;
          const late = step(definition, address, envelope, { type, at: now }, { rev: rev + 1, now });
          // A chart that takes every event takes this one, too; it leads nowhere.
          if (late.handled) deepEqual(late.envelope.snapshot.value, envelope.snapshot.value);
          else assert.is(late.envelope, envelope);
        }
      });
    });
  });
}

/** The `after` timers that the active states ask for. */
function afters({ definition: { machine } }: Walked, { snapshot, tasks }: Envelope): string[] {
  return wanted(machine, restore(machine, snapshot, tasks), { type: 'X', at: 0 }).timers.map(({ id }) => id);
}

test.run();
