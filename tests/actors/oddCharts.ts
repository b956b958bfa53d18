/** Made-up charts that use what the real ones use little or not at all: history, `always` chains, re-entry, delayed raises. */
import { and, assign, cancel, enqueueActions, not, raise, setup, stateIn } from 'xstate';
import type { KindDefinition } from '../../src/actors/index.ts';
import { chart, task } from '../../src/machines/define.ts';

type Context = { n: number; log: string[] };
type Letter = { type: 'A' | 'B' | 'C' | 'D' | 'LATER' | 'ECHO' | 'BACK'; at: number; n?: number };
export const LETTERS = ['A', 'B', 'C', 'D', 'LATER', 'ECHO', 'BACK'] as const;

const { effect } = chart<Context, Letter>();

const words = setup({
  types: {} as { context: Context; events: Letter; tags: 'busy' | 'waiting' },
  actors: { link: task<{ n: number }>(), other: task() },
  actions: {
    say: effect(({ context, event }) => ({ kind: 'say', note: `${context.n}`, tone: 'info', text: event.type })),
    count: assign({ n: ({ context }) => (context.n + 1) % 7 }),
    log: assign({ log: ({ context, event }) => [...context.log.slice(-5), event.type] }),
    later: raise(({ context, event }) => ({ type: 'LATER' as const, at: event.at, n: context.n }), {
      id: 'later',
      delay: 'computed',
    }),
    notLater: cancel('later'),
    echo: raise(({ event }) => ({ type: 'ECHO' as const, at: event.at })),
  },
  guards: {
    isOdd: ({ context }) => context.n % 2 === 1,
    isBig: ({ context }) => context.n > 4,
  },
  delays: { computed: ({ context }) => context.n * 100 },
});

/** Parallel regions with shallow and deep history, guards across regions, and a region that ends. */
const parallel = words.createMachine({
  id: 'parallel',
  context: { n: 0, log: [] },
  initial: 'both',
  tags: 'waiting',
  on: { LATER: { actions: ['log', 'say'] } },
  states: {
    both: {
      type: 'parallel',
      entry: 'say',
      exit: ['count', 'say'],
      on: { D: 'away', C: { target: 'both', reenter: true } },
      onDone: { target: 'away', actions: 'log' },
      states: {
        left: {
          initial: 'one',
          states: {
            one: { entry: 'later', on: { A: 'two', B: { actions: 'count' } } },
            two: {
              initial: 'deep',
              invoke: { id: 'link', src: 'link', input: ({ context }) => ({ n: context.n }), onDone: 'end' },
              exit: 'notLater',
              states: {
                deep: { after: { 50: 'deeper', computed: { guard: 'isOdd', target: 'deeper', reenter: true } } },
                deeper: {
                  always: { guard: 'isBig', target: '#parallel.away' },
                  on: { B: 'deep', A: '#parallel.both.left.one' },
                },
              },
            },
            past: { type: 'history', history: 'deep' },
            end: { type: 'final' },
          },
        },
        right: {
          initial: 'off',
          states: {
            off: {
              on: {
                A: { guard: stateIn('#parallel.both.left.one'), target: 'on' },
                B: { target: 'end', guard: 'isBig' },
              },
            },
            on: {
              invoke: { id: 'other', src: 'other', input: {}, onError: 'off' },
              on: { B: 'off', A: { target: 'on', reenter: true } },
            },
            past: { type: 'history' },
            end: { type: 'final' },
          },
        },
      },
    },
    away: {
      entry: enqueueActions(({ context, enqueue, check }) => {
        enqueue('say');
        if (check('isOdd')) enqueue('count');
        if (context.n > 3) enqueue.raise({ type: 'ECHO', at: 0 });
        enqueue('say');
      }),
      on: {
        A: 'both',
        B: ['both.left.past', 'both.right.past'],
        BACK: 'both.left.past',
        C: { actions: ['say', 'count'] },
      },
    },
  },
});

/** Chains of `always`, internal events, transitions of ancestors, wildcards, a final state. */
const chain = words.createMachine({
  id: 'chain',
  context: { n: 0, log: [] },
  initial: 'start',
  tags: 'waiting',
  entry: 'echo',
  on: {
    ECHO: { actions: ['log', 'count'] },
    '*': { actions: 'log' },
    D: { target: '.start', reenter: true, actions: 'later' },
  },
  states: {
    start: {
      always: [
        { guard: and(['isBig', 'isOdd']), target: 'outer.inner' },
        { guard: 'isBig', target: 'hop' },
      ],
      after: { computed: { actions: 'count' } },
      on: { A: { actions: 'count' }, B: 'outer', C: { actions: 'echo' } },
    },
    hop: { entry: 'count', always: [{ guard: not('isBig'), target: 'start' }, { target: 'outer' }] },
    outer: {
      initial: 'inner',
      entry: 'echo',
      exit: 'say',
      invoke: { id: 'link', src: 'link', input: ({ context }) => ({ n: context.n }), onError: 'start' },
      on: { B: { target: 'outer', reenter: true }, C: '.inner', BACK: 'past' },
      onDone: 'start',
      states: {
        inner: {
          on: { A: 'second', C: { target: 'inner', reenter: true, actions: 'count' } },
          after: { 10: 'second' },
        },
        second: { entry: ['later', 'later'], on: { A: 'last', LATER: { actions: 'notLater', target: 'inner' } } },
        last: { type: 'final' },
      },
    },
    past: { type: 'history', target: 'start' },
  },
});

export const ODD_KINDS: readonly KindDefinition[] = [parallel, chain].map((machine) => ({
  kind: 'session',
  machine,
  version: 1,
  birthEvents: ['A'],
  inputOf: () => ({}),
}));
