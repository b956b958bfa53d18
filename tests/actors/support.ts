/** Two small charts and a runtime around them, for the promises of the actor system. */
import { assign, setup } from 'xstate';
import { createRuntime, type KindDefinition, type RuntimeOptions } from '../../src/actors/index.ts';
import { acquireLeadership, createStore, type Leadership } from '../../src/adapters/postgres/index.ts';
import type { Address } from '../../src/machines/addresses.ts';
import { chart, task } from '../../src/machines/define.ts';
import type { TestDatabase } from '../support/postgres.ts';

export const PLACE = { channelId: 'channel', rootId: 'root' };

type Context = { address: Address; peer: Address; sent: number; done: string[]; note: string };
export type Event =
  | { type: 'START'; at: number; peer?: string }
  | { type: 'TELL'; at: number }
  | { type: 'ASK'; at: number; text: string }
  | { type: 'ASKED'; at: number; result?: string; tag?: string }
  | { type: 'ASK.FAILED'; at: number; code: string; human: string }
  | { type: 'WAIT'; at: number }
  | { type: 'WORK'; at: number }
  | { type: 'LEAVE'; at: number }
  | { type: 'SAY'; at: number; text: string }
  | { type: 'BIND'; at: number; rootId: string }
  | { type: 'SLICE'; at: number; text: string }
  | { type: 'BREAK'; at: number }
  | { type: 'END'; at: number };

const { effect } = chart<Context, Event>();

/** A session that tells a container, asks the chat, waits, works, speaks. */
export const sender = setup({
  types: {} as { context: Context; events: Event; input: { address: Address; peer: Address } },
  actors: { link: task<{ who: string }>() },
  actions: {
    tell: effect(({ context, event }) => ({ kind: 'tell', to: context.peer, event: { type: 'TOLD', at: event.at } })),
    ask: effect(({ event }) => ({
      kind: 'chat.reply',
      params: { place: PLACE, message: event.type === 'ASK' ? event.text : '', replyTo: '' },
      reply: { done: 'ASKED', failed: 'ASK.FAILED', with: { tag: 'mine' } },
    })),
    say: effect(({ event }) => ({
      kind: 'say',
      note: 'n',
      tone: 'info',
      text: event.type === 'SAY' ? event.text : '',
    })),
    bind: effect(({ event }) => ({
      kind: 'bindThread',
      rootId: event.type === 'BIND' ? event.rootId : '',
      channelId: 'channel',
    })),
    slice: assign({ note: ({ event }) => (event.type === 'SLICE' ? event.text.slice(0, 1) : '') }),
    count: assign({ sent: ({ context }) => context.sent + 1 }),
    note: assign({ done: ({ context, event }) => [...context.done, event.type] }),
    explode: assign(() => {
      throw new Error('the chart is broken');
    }),
  },
  delays: { nap: 1000 },
}).createMachine({
  id: 'sender',
  context: ({ input }) => ({ address: input.address, peer: input.peer, sent: 0, done: [], note: '' }),
  initial: 'idle',
  on: {
    TELL: { actions: ['count', 'tell'] },
    ASK: { actions: 'ask' },
    ASKED: { actions: 'note' },
    'ASK.FAILED': { actions: 'note' },
    SAY: { actions: 'say' },
    BIND: { actions: 'bind' },
    SLICE: { actions: 'slice' },
    BREAK: { actions: 'explode' },
    END: '.ended',
  },
  states: {
    idle: { tags: 'waiting', on: { WAIT: 'waiting', WORK: 'working' } },
    waiting: {
      tags: 'busy',
      after: { nap: { target: 'idle', actions: 'note' } },
      on: { LEAVE: 'idle', WAIT: { target: 'waiting', reenter: true } },
    },
    working: {
      tags: 'busy',
      invoke: {
        id: 'job',
        src: 'link',
        input: ({ context }) => ({ who: context.address }),
        onDone: { target: 'idle', actions: 'note' },
        onError: { target: 'idle', actions: 'note' },
      },
      on: { LEAVE: 'idle', WORK: { target: 'working', reenter: true } },
    },
    ended: { type: 'final' },
  },
});

/** A container that counts what it is told. */
export const receiver = setup({
  types: {} as { context: { told: number }; events: { type: 'TOLD' | 'OPEN'; at: number } },
  actions: { count: assign({ told: ({ context }) => context.told + 1 }) },
}).createMachine({
  id: 'receiver',
  context: { told: 0 },
  initial: 'open',
  states: { open: { tags: 'waiting', on: { TOLD: { actions: 'count' } } } },
});

export const KINDS: readonly KindDefinition[] = [
  {
    kind: 'session',
    machine: sender,
    version: 1,
    birthEvents: ['START'],
    inputOf: (address, event) => ({ address, peer: String(event.peer ?? 'container/c') }),
  },
  { kind: 'container', machine: receiver, version: 1, birthEvents: ['TOLD', 'OPEN'], inputOf: () => ({}) },
];

export type Options = Partial<Omit<RuntimeOptions, 'store'>>;

/** A runtime that leads on this database. */
export async function leading(database: TestDatabase, options: Options = {}) {
  const leadership = await acquireLeadership(database.db);
  const store = createStore(database.db);
  const runtime = createRuntime({ kinds: KINDS, handlers: {}, tasks: { link: untilAborted }, store, ...options });
  let onFenced: (reason: string) => void = () => {};
  const fenced = new Promise<string>((resolve) => {
    onFenced = resolve;
  });
  await runtime.start({ term: leadership.term, onFenced });
  return {
    runtime,
    fenced,
    store,
    leadership,
    async stop() {
      await runtime.stop();
      await leadership.release();
    },
  } satisfies { leadership: Leadership } & Record<string, unknown>;
}

/** A task that only ends when it is told to. */
export function untilAborted(_task: unknown, { signal }: { readonly signal: AbortSignal }): Promise<void> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

let keys = 0;
/** An event with a key of its own. */
export function event(to: Address, body: Event | { type: string; at: number }, dedupKey?: string) {
  keys += 1;
  return { to, event: { ...body }, dedupKey: dedupKey ?? `test/${keys}` };
}

/** Waits for a condition; the deadline is generous because the machine is shared. */
export async function until(
  what: string,
  condition: () => Promise<boolean> | boolean,
  withinMs = 10_000,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
