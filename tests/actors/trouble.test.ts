// Leaders in trouble, on a store in memory that can be held up at any point.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createRuntime, type Runtime, type RuntimeOptions, UnknownOutcomeError } from '../../src/actors/index.ts';
import { createMemoryStore, type MemoryStore } from './memoryStore.ts';
import { event, KINDS, until, untilAborted } from './support.ts';

const S = 'session/s' as const;

const started: Runtime[] = [];
test.after.each(async () => {
  for (const runtime of started.splice(0)) await runtime.stop();
});

/** @param change what is different about the store */
async function leadingOn(store: MemoryStore, change: Partial<MemoryStore> = {}, options: Partial<RuntimeOptions> = {}) {
  const runtime = createRuntime({
    kinds: KINDS,
    handlers: {},
    tasks: { link: untilAborted },
    ...options,
    store: { ...store, ...change },
  });
  started.push(runtime);
  await runtime.start({ term: store.lead() });
  return runtime;
}

function gate() {
  let open: () => void = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

test('an effect that ends while pending work is read again does not run once more', async () => {
  const store = createMemoryStore();
  const posted = gate();
  const read = gate();
  let posts = 0;
  let reads = 0;
  let isLost = false;
  const runtime = await leadingOn(
    store,
    {
      async deliver(...args) {
        const outcome = await store.deliver(...args);
        if (!isLost) return outcome;
        isLost = false;
        throw new UnknownOutcomeError('the answer was lost');
      },
      async claimEffects(term, page) {
        const rows = await store.claimEffects(term, page);
        if (rows.length === 0) return rows;
        reads += 1;
        await read.passed;
        return rows;
      },
    },
    {
      handlers: {
        'chat.reply': async () => {
          posts += 1;
          await posted.passed;
        },
      },
    },
  );
  await runtime.deliverAndWait(event(S, { type: 'START', at: 1 }), { timeoutMs: 5000 });
  await runtime.deliverAndWait(event(S, { type: 'ASK', at: 1, text: 'x' }), { timeoutMs: 5000 });
  isLost = true;
  await runtime.deliver([event(S, { type: 'TELL', at: 1 })]).catch(() => undefined);
  await until('read as undone', () => reads === 1);
  posted.open();
  await until('done', () => runtime.stats().pendingEffects === 0);
  read.open();
  await runtime.deliverAndWait(event(S, { type: 'TELL', at: 1 }), { timeoutMs: 5000 });
  assert.is(posts, 1);
});

test.run();
