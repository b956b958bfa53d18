// What the root hears of the chat.
import pino from 'pino';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FencedError, type InboxItem, RetryableError } from '../../src/actors/index.ts';
import { createMetrics } from '../../src/adapters/http/index.ts';
import { followChat } from '../../src/chatFollower.ts';
import { until } from '../actors/support.ts';

const TERM = 7;

/** @param fail how many attempts fail before one gets through */
function followed(fail = 0, error: Error = new RetryableError('database', 'gone')) {
  const told: string[] = [];
  const metrics = createMetrics();
  let attempts = 0;
  const runtime = {
    async deliver(items: readonly InboxItem[], { term }: { readonly term?: number } = {}) {
      attempts += 1;
      assert.is(term, TERM);
      if (attempts <= fail) throw error;
      told.push(...items.map(({ event: { type } }) => type));
      return items.map(() => 'accepted' as const);
    },
  };
  const chat = followChat({ runtime, metrics }, pino({ enabled: false }), async () => undefined);
  return { chat, told, metrics, attempts: () => attempts };
}

test('the root hears of the chat although the database was away when it changed', async () => {
  const { chat, told } = followed(3);
  chat.onState({ name: 'up', since: 1 }, TERM);
  await until('told', () => told.length > 0);
  assert.equal(told, ['SYSTEM.UP']);
});

test('what came after is what is told in the end', async () => {
  const { chat, told } = followed(2);
  chat.onState({ name: 'up', since: 1 }, TERM);
  chat.onState({ name: 'down', since: 2, reason: 'cut' }, TERM);
  await until('told', () => told.at(-1) === 'SYSTEM.DOWN');
});

test('a process that does not lead any more tells nothing, and does not try again', async () => {
  const { chat, told, attempts } = followed(1, new FencedError('over'));
  chat.onState({ name: 'down', since: 1, reason: 'cut' }, TERM);
  await until('tried', () => attempts() === 1);
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.is(attempts(), 1);
  assert.equal(told, []);
});

test('that this process stops listening is no news of the chat; a first connection is no reconnection', async () => {
  const { chat, told, metrics } = followed();
  chat.onState({ name: 'up', since: 1 }, TERM);
  await until('told', () => told.length === 1);
  chat.onState({ name: 'stopped', since: 2 }, TERM);
  assert.is(chat.name(), 'stopped');
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(told, ['SYSTEM.UP']);
  assert.is((await metrics.reconnects.get()).values.length, 0);
  chat.onState({ name: 'connecting', since: 3 }, TERM);
  chat.onState({ name: 'up', since: 4 }, TERM);
  assert.is((await metrics.reconnects.get()).values[0]?.value, 1);
});

test.run();
