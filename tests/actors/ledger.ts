/** Two charts that write down what happens to them: one tells, asks, works and waits, the other is told. */
import { assign, setup } from 'xstate';
import type { KindDefinition } from '../../src/actors/index.ts';
import type { Address } from '../../src/machines/addresses.ts';
import { chart, task } from '../../src/machines/define.ts';

export const SINK: Address = 'container/sink';

interface Writer {
  readonly address: Address;
  readonly seen: readonly number[];
  readonly answers: readonly number[];
  readonly [field: string]: string | readonly number[];
}

type WriterEvent =
  | { type: 'NOTE'; at: number; n: number }
  | { type: 'ANSWERED' | 'UNANSWERED'; at: number; n: number }
  | { type: 'WORK' | 'WAIT' | 'BREAK'; at: number };

const { effect } = chart<Writer, WriterEvent>();
const numberOf = (event: WriterEvent): number => ('n' in event ? event.n : -1);

const writer = setup({
  types: {} as { context: Writer; events: WriterEvent; input: { address: Address }; tags: 'busy' | 'waiting' },
  actors: { job: task() },
  actions: {
    see: assign({ seen: ({ context, event }) => [...context.seen, numberOf(event)] }),
    hearAnswer: assign({ answers: ({ context, event }) => [...context.answers, numberOf(event)] }),
    explode: assign(() => {
      throw new Error('this event breaks the chart');
    }),
    tell: effect(({ context, event }) => ({
      kind: 'tell',
      to: SINK,
      event: { type: 'TOLD', at: event.at, from: context.address, n: numberOf(event) },
    })),
    ask: effect(({ context, event }) => ({
      kind: 'chat.reply',
      params: {
        place: { channelId: context.address, rootId: 'r' },
        message: `${context.address}#${numberOf(event)}`,
        replyTo: '',
      },
      reply: { done: 'ANSWERED', failed: 'UNANSWERED', with: { n: numberOf(event) } },
    })),
  },
}).createMachine({
  id: 'writer',
  context: ({ input }) => ({ address: input.address, seen: [], answers: [] }),
  initial: 'idle',
  on: {
    NOTE: { actions: ['see', 'tell', 'ask'] },
    ANSWERED: { actions: 'hearAnswer' },
    UNANSWERED: { actions: 'hearAnswer' },
    BREAK: { actions: 'explode' },
    WORK: {},
    WAIT: {},
  },
  states: {
    idle: { tags: 'waiting', on: { WORK: 'working', WAIT: 'resting' } },
    working: {
      tags: 'busy',
      invoke: { id: 'job', src: 'job', input: {}, onDone: 'idle', onError: 'idle' },
      on: { WORK: { target: 'working', reenter: true } },
    },
    resting: { tags: 'busy', after: { 1000: 'idle' } },
  },
});

type Told = { type: 'TOLD'; at: number; from: string; n: number };

const sink = setup({
  types: {} as { context: { told: string[] }; events: Told; tags: 'busy' | 'waiting' },
  actions: { write: assign({ told: ({ context, event }) => [...context.told, `${event.from}#${event.n}`] }) },
}).createMachine({
  id: 'sink',
  context: { told: [] },
  tags: 'waiting',
  on: { TOLD: { actions: 'write' } },
});

export const LEDGERS: readonly KindDefinition[] = [
  {
    kind: 'session',
    machine: writer,
    version: 1,
    birthEvents: ['NOTE', 'WORK', 'WAIT', 'BREAK'],
    inputOf: (address) => ({ address }),
  },
  { kind: 'container', machine: sink, version: 1, birthEvents: ['TOLD'], inputOf: () => ({}) },
];
