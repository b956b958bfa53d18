import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { StoredOutput, StorePorts } from '../../src/actors/index.ts';
import { createStages } from '../../src/flows/stages.ts';
import type { JsonObject } from '../../src/machines/json.ts';
import { createMemoryStore } from '../actors/memoryStore.ts';

const S = 'session/s';

/** A clock that goes on by a second with every reading, and what was observed. */
function stages(transcript: readonly StoredOutput[] = []) {
  const seen: string[] = [];
  let time = 0;
  const clock = createStages(
    (stage, seconds) => seen.push(`${stage} ${seconds}`),
    () => {
      time += 1000;
      return time;
    },
  );
  const reads: Partial<StorePorts> = { readTranscript: async () => transcript, cleanThread: async () => undefined };
  return { clock, seen, store: clock.watch({ ...createMemoryStore(), ...reads } as StorePorts) };
}

const row = (kind: string, body: JsonObject) => ({ seq: 1, firstSeq: 1, at: 0, kind, body });
const stored = (kind: string, body: JsonObject): StoredOutput => ({ ...row(kind, body), id: 1, logId: 'l' });
const notice = (type: string, postId: string) => ({
  address: S as typeof S,
  event: { type, at: 0, postId },
  from: 'a',
  to: 'b',
  rev: 1,
  status: 'active' as const,
  effects: [],
});
const batch = (...rows: ReturnType<typeof row>[]) => ({ session: S as typeof S, logId: 'l', rows, events: [] });

test('each stage of an answer is timed once, from the acceptance of the post', async () => {
  const { clock, seen, store } = stages([stored('textDelta', { turnId: 't', text: 'x' })]);
  clock.accepted('p');
  clock.onCommit(notice('PROMPT', 'p'));
  clock.onCommit(notice('PROMPT.TAKEN', 'p'));
  clock.onOutputs(batch(row('turnStarted', { turnId: 't', inputIds: ['p'] })));
  clock.onOutputs(batch(row('thinking', { turnId: 't' }), row('textDelta', { turnId: 't', text: 'x' })));
  assert.equal(seen, ['committed 1', 'delivered 2', 'first_output 3']);
  await store.readTranscript(S);
  assert.is(seen.length, 3, 'what was read is not shown yet');
  await store.cleanThread(S, 1, 0);
  assert.equal(seen.slice(3), ['first_text 4']);
  await store.readTranscript(S);
  await store.cleanThread(S, 2, 0);
  clock.onOutputs(batch(row('textDelta', { turnId: 't', text: 'y' })));
  assert.is(seen.length, 4);
});

test('a thread that is shown without the text counts for nothing, nor does a turn nobody here asked for', async () => {
  const { clock, seen, store } = stages([stored('toolUse', { turnId: 't' })]);
  clock.accepted('p');
  clock.onOutputs(batch(row('turnStarted', { turnId: 't', inputIds: ['p'] })));
  await store.readTranscript(S);
  await store.cleanThread(S, 1, 0);
  clock.onOutputs(batch(row('turnStarted', { turnId: 'u', inputIds: ['q'] }), row('textDelta', { turnId: 'u' })));
  clock.onCommit(notice('PROMPT', 'q'));
  assert.equal(seen, []);
});

test('posts that are never answered are forgotten in the end', () => {
  const { clock, seen } = stages();
  clock.accepted('first');
  for (let post = 0; post < 1_000; post += 1) clock.accepted(`p${post}`);
  clock.onCommit(notice('PROMPT', 'first'));
  clock.onCommit(notice('PROMPT', 'p999'));
  assert.is(seen.length, 1);
});

test.run();
