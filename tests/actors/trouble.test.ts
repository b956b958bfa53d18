// Leaders in trouble, on a store in memory that can be held up at any point.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  BadDataError,
  createRuntime,
  RetryableError,
  type Runtime,
  type RuntimeOptions,
  UnknownOutcomeError,
} from '../../src/actors/index.ts';
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

test('an actor that cannot be read keeps nobody else from going on, and nothing of it is written', async () => {
  const store = createMemoryStore();
  const first = await leadingOn(store);
  await first.deliverAndWait(event(S, { type: 'START', at: 1 }), { timeoutMs: 5000 });
  await first.stop();
  const row = store.actors.get(S);
  assert.ok(row);
  const damaged = JSON.parse('{"version":1,"tasks":{}}');
  store.actors.set(S, { ...row, envelope: damaged });
  const runtime = await leadingOn(store);
  const both = [event(S, { type: 'TELL', at: 1 }), event('session/t', { type: 'START', at: 1 })];
  await runtime.deliver(both);
  await until('the other goes on', () => store.actors.has('session/t'));
  await until('it is left alone', () => runtime.stats().unreadable === 1);
  assert.equal(store.actors.get(S)?.envelope, damaged);
  assert.is(store.inbox.filter(({ to, done }) => to === S && !done).length, 1);
});

test('an actor of which the database refuses everything is not tried again and again', async () => {
  const store = createMemoryStore();
  let refused = 0;
  const runtime = await leadingOn(store, {
    async commit(term, id, turns) {
      if (turns.every(({ address }) => address !== S)) return store.commit(term, id, turns);
      if (turns.length === 1) refused += 1;
      throw new BadDataError('refused');
    },
  });
  await runtime.deliver([event(S, { type: 'START', at: 1 })]);
  for (let index = 0; index < 20; index += 1) {
    await runtime.deliverAndWait(event('session/t', { type: index === 0 ? 'START' : 'TELL', at: 1 }), {
      timeoutMs: 20_000,
    });
  }
  assert.ok(refused > 0 && refused <= 2, `${refused} attempts`);
});

test('what is only looked at does not stay in memory beyond its bound', async () => {
  const store = createMemoryStore();
  const first = await leadingOn(store);
  for (let index = 0; index < 8; index += 1) {
    await first.deliverAndWait(event(`session/${index}`, { type: 'START', at: 1 }), { timeoutMs: 5000 });
    await first.deliverAndWait(event(`session/${index}`, { type: 'WORK', at: 1 }), { timeoutMs: 5000 });
  }
  await first.stop();
  const runtime = await leadingOn(store, {}, { limits: { cached: 2 } });
  await until('all their tasks run', () => runtime.stats().runningTasks === 8);
  await until('few are kept', () => runtime.stats().cachedActors <= 2);
});

test('an actor that has come to its end is not kept in memory', async () => {
  const runtime = await leadingOn(createMemoryStore());
  await runtime.deliverAndWait(event(S, { type: 'START', at: 1 }), { timeoutMs: 5000 });
  const before = runtime.stats().cachedActors;
  await runtime.deliverAndWait(event(S, { type: 'END', at: 1 }), { timeoutMs: 5000 });
  assert.is((await runtime.read(S))?.status, 'done');
  assert.is(runtime.stats().cachedActors, before - 1);
});

test('an effect whose rows the database refuses ends at once, and those behind it go on', async () => {
  const store = createMemoryStore();
  const tried: string[] = [];
  const runtime = await leadingOn(
    store,
    {},
    {
      handlers: {
        'chat.reply': async ({ params: { message } }) => {
          tried.push(message);
          if (message === 'bad') throw new BadDataError('refused');
        },
      },
    },
  );
  await runtime.deliverAndWait(event(S, { type: 'START', at: 1 }), { timeoutMs: 5000 });
  for (const text of ['bad', 'good']) await runtime.deliver([event(S, { type: 'ASK', at: 1, text })]);
  await until(
    'both are over',
    () => store.inbox.filter(({ event: { type }, done }) => done && /^ASK./.test(type)).length === 2,
  );
  assert.equal(tried, ['bad', 'good']);
  assert.equal((await runtime.read(S))?.context.done, ['ASK.FAILED', 'ASKED']);
});

test('who waits for an event hears of it although the database was away meanwhile', async () => {
  const store = createMemoryStore();
  const leader = await leadingOn(store);
  await leader.deliverAndWait(event(S, { type: 'START', at: 1 }), { timeoutMs: 5000 });
  await leader.stop();
  let looks = 0;
  const standby = createRuntime({
    kinds: KINDS,
    handlers: {},
    tasks: { link: untilAborted },
    store: {
      ...store,
      async inboxState(key) {
        looks += 1;
        if (looks <= 2) throw new RetryableError('database', 'gone');
        return store.inboxState(key);
      },
    },
  });
  const waiting = standby.deliverAndWait(event(S, { type: 'TELL', at: 1 }), { timeoutMs: 20_000 });
  await leadingOn(store);
  assert.is(await waiting, 'done');
});

test('a leader that lost the lead before it had begun reads nothing up', async () => {
  const store = createMemoryStore();
  const claimed = gate();
  let isClaiming = false;
  const runtime = createRuntime({
    kinds: KINDS,
    handlers: {},
    tasks: { link: untilAborted },
    store: {
      ...store,
      async claimEffects(term) {
        isClaiming = true;
        await claimed.passed;
        return store.claimEffects(term);
      },
    },
  });
  let hasReadUp = false;
  const catchUp = async () => {
    hasReadUp = true;
  };
  const begun = runtime.start({ term: store.lead(), catchUp });
  await until('begins', () => isClaiming);
  await runtime.stop();
  claimed.open();
  await begun;
  assert.not(hasReadUp);
});

test.run();
