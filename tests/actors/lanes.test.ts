import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EFFECT_POLICIES, LANES } from '../../src/actors/effectPolicy.ts';
import { createLanes } from '../../src/actors/lanes.ts';
import { createReadyQueue } from '../../src/actors/readyQueue.ts';
import type { Address } from '../../src/machines/addresses.ts';
import type { ExternalKind } from '../../src/machines/effects.ts';

/** Effects that run until they are let go, in the order they began. */
function harness() {
  const lanes = createLanes();
  const began: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    lanes,
    began,
    enter(kind: ExternalKind, name: string) {
      lanes.enter(kind, () => {
        began.push(name);
        return new Promise((resolve) => ends.set(name, resolve));
      });
    },
    async end(name: string) {
      ends.get(name)?.();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test('a full lane lets a decision go before everything that waited longer', async () => {
  const { began, enter, end } = harness();
  const kinds: ExternalKind[] = ['chat.reply', 'chat.openThread'];
  for (let index = 0; index < LANES.chat; index += 1) enter(kinds[index % 2] ?? 'chat.reply', `busy ${index}`);
  assert.is(began.length, LANES.chat);
  enter('chat.status', 'answer');
  enter('chat.card', 'card');
  assert.is(began.length, LANES.chat, 'nothing beyond the bound of the lane');
  for (const index of [0, 1]) await end(`busy ${index}`);
  assert.equal(began.slice(LANES.chat), ['card', 'answer']);
});

test('however many answers wait, a few reactions at a time are on their way', async () => {
  const { began, enter, end } = harness();
  for (let index = 0; index < 1_000; index += 1) enter('chat.reply', `answer ${index}`);
  const answers = began.length;
  for (let index = 0; index < LANES.sign + 2; index += 1) enter('chat.react', `sign ${index}`);
  assert.is(began.length, answers + LANES.sign);
  await end('sign 0');
  assert.is(began.at(-1), `sign ${LANES.sign}`);
});

test('a kind at its own bound lets other kinds of its lane pass', async () => {
  const { began, enter, end } = harness();
  const bound = EFFECT_POLICIES['workspace.up'].concurrency;
  for (let index = 0; index <= bound; index += 1) enter('workspace.up', `up ${index}`);
  enter('workspace.inspect', 'inspect');
  assert.equal(began.slice(bound), ['inspect']);
  await end('up 0');
  assert.equal(began.slice(bound), ['inspect', `up ${bound}`]);
});

test('one system that does not answer keeps no other waiting', () => {
  const { began, enter } = harness();
  for (let index = 0; index < 50; index += 1) enter('firewall.allow', `firewall ${index}`);
  enter('worker.prompt', 'prompt');
  assert.is(began.at(-1), 'prompt');
  assert.is(began.length, EFFECT_POLICIES['firewall.allow'].concurrency + 1);
});

test('a handler that throws gives its place back', async () => {
  const { lanes, began, enter } = harness();
  for (let index = 0; index < 4; index += 1) {
    lanes.enter('firewall.allow', () => Promise.reject(new Error('refused')));
  }
  enter('firewall.allow', 'next');
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(began, ['next']);
  assert.is(lanes.running(), 1);
});

test('every kind has a lane that is at least as wide as the kind', () => {
  for (const [kind, { lane, concurrency }] of Object.entries(EFFECT_POLICIES)) {
    assert.ok(concurrency <= LANES[lane], kind);
  }
});

test('an actor that people wait for is taken before those that only have progress', () => {
  const queue = createReadyQueue();
  const address = (name: string): Address => `session/${name}`;
  queue.add(address('a'));
  queue.add(address('b'));
  queue.add(address('urgent'), true);
  queue.add(address('b'), true);
  queue.add(address('urgent'));
  assert.is(queue.size(), 3);
  assert.equal(queue.take(2), [address('urgent'), address('b')]);
  assert.equal(queue.take(5), [address('a')]);
  assert.is(queue.size(), 0);
});

test.run();
