// The event log as data: what is replayed is what was said, merged or not.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'uvu';
import { acknowledge, append, type Entries, emptyEntries, mergeDeltas, next, replay } from '../../src/log/entries.ts';
import type { Output } from '../../src/mapping/state.ts';

interface Said {
  seq: number;
  block: string;
  text: string;
}

// Mostly one block, so that runs of several pieces come about.
const piece = fc.record({
  block: fc.constantFrom('a/0', 'a/0', 'a/0', 'a/0', 'b/0', ''),
  text: fc.string({ minLength: 1, maxLength: 5 }),
});
type Step = { do: 'say'; block: string; text: string } | { do: 'merge' } | { do: 'ack'; part: number };
const part = fc.double({ min: 0, max: 1, noNaN: true });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: piece.map((said): Step => ({ do: 'say', ...said })) },
  { weight: 2, arbitrary: fc.constant<Step>({ do: 'merge' }) },
  { weight: 1, arbitrary: part.map((upTo): Step => ({ do: 'ack', part: upTo })) },
);

/** A piece of text in a block, or (block empty) an event that is not text. */
function output(block: string, text: string): Output {
  return block === ''
    ? { $case: 'promptLost', value: { inputId: text } }
    : { $case: 'textDelta', value: { turnId: 't', blockId: block, text, parentToolUseId: '' } };
}

function run(steps: readonly Step[]): { log: Entries; said: Said[] } {
  const log = emptyEntries();
  const said: Said[] = [];
  for (const one of steps) {
    if (one.do === 'say') said.push({ ...one, seq: append(log, output(one.block, one.text), 0).seq });
    else if (one.do === 'merge') mergeDeltas(log);
    else acknowledge(log, Math.floor(one.part * log.lastSeq));
  }
  return { log, said };
}

/** What a reader makes of entries: the text of each run of one block, and every event by itself. */
function read(items: readonly { block: string; text: string }[]): string[] {
  const runs: { block: string; text: string }[] = [];
  for (const item of items) {
    const last = runs.at(-1);
    if (last && last.block === item.block && item.block !== '') last.text += item.text;
    else runs.push({ ...item });
  }
  return runs.map((one) => `${one.block}:${one.text}`);
}

function heard(log: Entries, after: number): { block: string; text: string }[] {
  return replay(log, after).map(({ output: one }) => {
    if (one.$case === 'textDelta') return { block: one.value.blockId, text: one.value.text };
    assert.equal(one.$case, 'promptLost');
    return { block: '', text: one.$case === 'promptLost' ? one.value.inputId : '' };
  });
}

test('a replay after any position is exactly what was said after it, merged or not', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), part, (steps, position) => {
      const { log, said } = run(steps);
      const after = Math.max(Math.floor(position * log.lastSeq), log.ackedSeq);
      assert.deepEqual(read(heard(log, after)), read(said.filter((one) => one.seq > after)));
    }),
    { numRuns: 500 },
  );
});

test('positions cover the log without gaps or overlaps', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), part, (steps, position) => {
      const { log } = run(steps);
      let at = Math.max(Math.floor(position * log.lastSeq), log.ackedSeq);
      for (const entry of replay(log, at)) {
        assert.equal(entry.firstSeq, at + 1);
        assert.ok(entry.seq >= entry.firstSeq);
        at = entry.seq;
      }
      assert.equal(at, log.lastSeq);
    }),
  );
});

test('reading one by one gives the same as a replay', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { log } = run(steps);
      const one = [];
      for (let entry = next(log, log.ackedSeq); entry; entry = next(log, entry.seq)) one.push(entry);
      assert.deepEqual(one, replay(log, log.ackedSeq));
    }),
  );
});

test('whole events are never merged or dropped before they are acknowledged', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { log, said } = run(steps);
      mergeDeltas(log);
      const events = said.filter((one) => one.block === '' && one.seq > log.ackedSeq).map((one) => one.text);
      assert.deepEqual(
        heard(log, 0)
          .filter((one) => one.block === '')
          .map((one) => one.text),
        events,
      );
    }),
  );
});

test.run();
