// Reading up while the database or the chat is away.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../src/actors/index.ts';
import { createReadUpLoop } from '../../src/flows/readUpLoop.ts';

/** A chat that cannot be read until `works`. Pauses last until they are ended. */
function away() {
  const ending = new AbortController();
  const state = { works: false, tries: 0, running: 0, most: 0, closed: 0, warnings: 0 };
  const pauses: { readonly ms: number; end(): void }[] = [];
  const ask = createReadUpLoop(
    {
      recovery: {
        async readUp() {
          state.tries += 1;
          state.running += 1;
          state.most = Math.max(state.most, state.running);
          await turns();
          state.running -= 1;
          if (!state.works) throw new Error('away');
        },
      },
      gate: {
        close: () => {
          state.closed += 1;
        },
      },
      log: {
        ...silentLog,
        warn: () => {
          state.warnings += 1;
        },
      },
      wait: (ms, signal) =>
        new Promise((resolve) => {
          pauses.push({ ms, end: resolve });
          signal.addEventListener('abort', () => resolve());
        }),
    },
    ending.signal,
  );
  return { ask, ending, state, pauses };
}

/** Until nothing moves any more by itself. */
async function turns(): Promise<void> {
  for (let index = 0; index < 5; index += 1) await new Promise((resolve) => setImmediate(resolve));
}

const settled = async () => {
  for (let index = 0; index < 5; index += 1) await turns();
};

test('however many ask while it fails, one tries, and nothing passes meanwhile', async () => {
  const { ask, state } = away();
  for (let index = 0; index < 50; index += 1) ask(`event ${index}`);
  await settled();
  assert.equal(state, { works: false, tries: 1, running: 0, most: 1, closed: 50, warnings: 1 });
});

test('it is tried again ever more seldom, until it works', async () => {
  const { ask, state, pauses } = away();
  ask('start');
  for (let index = 0; index < 8; index += 1) {
    await settled();
    pauses.at(-1)?.end();
  }
  assert.equal(
    pauses.map(({ ms }) => ms),
    [1, 2, 4, 8, 16, 32, 60, 60].map((seconds) => seconds * 1000),
  );
  state.works = true;
  await settled();
  pauses.at(-1)?.end();
  await settled();
  const { tries } = state;
  await settled();
  assert.is(state.tries, tries);
});

test('who asks during a pause ends it, and who asks during a run gets one more', async () => {
  const { ask, state } = away();
  ask('start');
  await settled();
  state.works = true;
  ask('gap');
  await settled();
  assert.is(state.tries, 2);
  ask('gap');
  ask('gap');
  await settled();
  assert.is(state.tries, 4);
  assert.is(state.most, 1);
});

test('nothing is tried once the lead ends', async () => {
  const { ask, ending, state } = away();
  ask('start');
  await settled();
  ending.abort();
  await settled();
  ask('gap');
  await settled();
  assert.is(state.tries, 1);
});

test.run();
