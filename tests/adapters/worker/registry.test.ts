import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RetryableError, TerminalError } from '../../../src/actors/index.ts';
import { createLinkRegistry } from '../../../src/adapters/worker/registry.ts';

const SESSION = 'session/one';
const signal = new AbortController().signal;
const request = { $case: 'clear', value: { inputId: 'i' } } as const;

test('a request counts as done only when the worker has answered for its input id', async () => {
  const registry = createLinkRegistry();
  const sent: unknown[] = [];
  registry.opened(SESSION, { write: (each) => void sent.push(each) });
  let done = false;
  const asked = registry.request(SESSION, 'i', request, signal).then(() => {
    done = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.is(sent.length, 1);
  registry.accepted(SESSION, 'another');
  registry.accepted('session/other', 'i');
  await new Promise((resolve) => setImmediate(resolve));
  assert.is(done, false);
  registry.accepted(SESSION, 'i');
  await asked;
});

test('a request waits for a stream that is on its way', async () => {
  const registry = createLinkRegistry();
  const asked = registry.request(SESSION, 'i', request, signal);
  registry.opened(SESSION, { write: () => queueMicrotask(() => registry.accepted(SESSION, 'i')) });
  await asked;
});

test('without a stream the request fails for now, not for good', async () => {
  const registry = createLinkRegistry(5);
  const error = await registry.request(SESSION, 'i', request, signal).catch((caught: unknown) => caught);
  assert.instance(error, RetryableError);
});

test('a stream that breaks before the answer fails the request for now', async () => {
  const registry = createLinkRegistry();
  const stream = { write: () => {} };
  registry.opened(SESSION, stream);
  const asked = registry.request(SESSION, 'i', request, signal).catch((caught: unknown) => caught);
  await new Promise((resolve) => setImmediate(resolve));
  registry.closed(SESSION, stream);
  assert.instance(await asked, RetryableError);
});

test('an older stream that closes late does not take the newer one with it', async () => {
  const registry = createLinkRegistry();
  const older = { write: () => {} };
  registry.opened(SESSION, older);
  registry.opened(SESSION, { write: () => queueMicrotask(() => registry.accepted(SESSION, 'i')) });
  registry.closed(SESSION, older);
  await registry.request(SESSION, 'i', request, signal);
});

test("the worker's refusal ends the request, with its words", async () => {
  const registry = createLinkRegistry();
  registry.opened(SESSION, {
    write: () =>
      queueMicrotask(() => registry.refused(SESSION, { inputId: 'i', code: 'NO_SUCH_TURN', reason: 'It ended.' })),
  });
  const error = await registry.request(SESSION, 'i', request, signal).catch((caught: unknown) => caught);
  assert.instance(error, TerminalError);
  assert.is((error as TerminalError).code, 'NO_SUCH_TURN');
  assert.is((error as TerminalError).human, 'It ended.');
});

test.run();
