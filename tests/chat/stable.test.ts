// The thread is rendered anew after every commit. Whatever comes, in whatever order: what people have seen stays.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type DesiredPost, renderThread } from '../../src/chat/render/index.ts';
import { readEntry, type TranscriptEntry } from '../../src/chat/transcript.ts';
import type { JsonObject } from '../../src/machines/json.ts';

type Step = readonly [string, JsonObject];

const words = fc.constantFrom(
  'A few words. ',
  'lorem ipsum dolor sit amet '.repeat(60),
  `\n\n${'漢字 '.repeat(300)}\n`,
  '\n```ts\nconst a = 1;\n',
  `${'let line = "of code";\n'.repeat(90)}`,
  '\n```\n',
  '@all ![x](http://evil.example/x.png) ',
  'e\u0301👩‍👩‍👧 ',
);
const tool = fc.constantFrom<Step>(
  ['toolUse', { name: 'Bash', inputJson: '{"command":"npm test `x`\\nmore"}' }],
  ['toolUse', { name: 'Edit', inputJson: '{"file_path":"a.ts","old_string":"a\\nb","new_string":"a\\nc"}' }],
  ['toolUse', { name: 'Read', inputJson: '{"file_path":"/a/very/long/path"}' }],
  ['toolUse', { name: 'Agent', inputJson: '{"description":"look around","prompt":"p"}' }],
  ['toolUse', { name: 'mcp__server__do_it', inputJson: 'not json' }],
);
const step = fc.oneof(
  { weight: 6, arbitrary: words.map((text): Step => ['textDelta', { text }]) },
  { weight: 2, arbitrary: fc.constant<Step>(['blockEnds', {}]) },
  { weight: 5, arbitrary: tool },
  { weight: 4, arbitrary: fc.boolean().map((isError): Step => ['toolResult', { isError, summary: 'said\nso' }]) },
  { weight: 1, arbitrary: fc.constant<Step>(['heard', { postId: 'p' }]) },
  {
    weight: 1,
    arbitrary: fc.constant<Step>([
      'approvalRequest',
      { requestId: 'r', kind: 'APPROVAL_KIND_TOOL', toolName: 'Bash', inputJson: '{}' },
    ]),
  },
  { weight: 1, arbitrary: fc.constant<Step>(['textWithdrawn', {}]) },
  { weight: 1, arbitrary: fc.constant<Step>(['thinking', { estimatedTokens: 900 }]) },
  {
    weight: 1,
    arbitrary: fc.constant<Step>([
      'retrying',
      { attempt: 1, maxAttempts: 5, delayMs: 900, error: 'x', httpStatus: 529 },
    ]),
  },
  { weight: 1, arbitrary: fc.constant<Step>(['note', { note: 'n', tone: 'info', text: 'A note' }]) },
  { weight: 1, arbitrary: fc.constant<Step>(['fileOffered', { path: 'out.png', size: 9 }]) },
  { weight: 2, arbitrary: fc.constant<Step>(['turnEnded', { outcome: 'TURN_OUTCOME_COMPLETED', durationMs: 9 }]) },
);

/** Gives the steps ids that belong together: turns follow each other, blocks are finished, results have calls. */
function story(steps: readonly Step[]): TranscriptEntry[] {
  const entries: TranscriptEntry[] = [];
  let turn = 0;
  let running = false;
  let block = 0;
  let written = '';
  let calls = 0;
  const add = (kind: string, body: JsonObject): void => {
    const id = entries.length + 1;
    const entry = readEntry({ id, at: id, kind, body });
    if (entry === null) throw new Error(`The test makes a wrong ${kind}`);
    entries.push(entry);
  };
  const endBlock = (): void => {
    if (written !== '') add('textBlock', { turnId: `t${turn}`, blockId: `b${block}`, text: written });
    written = '';
    block += 1;
  };
  for (const [kind, body] of steps) {
    if (!running) {
      turn += 1;
      running = true;
      add('turnStarted', { turnId: `t${turn}` });
    }
    const ids = { turnId: `t${turn}`, blockId: `b${block}` };
    if (kind === 'textDelta') {
      written += String(body.text);
      add(kind, { ...ids, ...body });
    } else if (kind === 'blockEnds') {
      endBlock();
    } else if (kind === 'textWithdrawn') {
      if (written !== '') add(kind, ids);
      written = '';
      block += 1;
    } else if (kind === 'toolUse') {
      endBlock();
      calls += 1;
      add(kind, { ...ids, ...body, toolUseId: `u${calls}` });
    } else if (kind === 'toolResult') {
      if (calls > 0) add(kind, { ...ids, ...body, toolUseId: `u${calls}` });
    } else {
      if (kind === 'turnEnded') endBlock();
      add(kind, { ...ids, ...body });
      if (kind === 'turnEnded') running = false;
    }
  }
  return entries;
}

const stories = fc.array(step, { minLength: 1, maxLength: 60 }).map(story);
const verbosity = fc.constantFrom('full' as const, 'normal' as const, 'quiet' as const);

/** Every state that people get to see: after each entry. */
function showings(entries: readonly TranscriptEntry[], level: 'full' | 'normal' | 'quiet'): DesiredPost[][] {
  return entries.map((_entry, index) => renderThread(entries.slice(0, index + 1), { verbosity: level }));
}

test('a post that disappeared does not come back, and keys are unique', () => {
  fc.assert(
    fc.property(stories, verbosity, (entries, level) => {
      const gone = new Set<string>();
      let before: string[] = [];
      for (const posts of showings(entries, level)) {
        const keys = posts.map(({ key }) => key);
        assert.is(new Set(keys).size, keys.length);
        for (const key of before) if (!keys.includes(key)) gone.add(key);
        for (const key of keys) assert.not.ok(gone.has(key), `${key} came back`);
        before = keys;
      }
    }),
    { numRuns: 60 },
  );
});

test('posts fit, and those that are there keep their order', () => {
  fc.assert(
    fc.property(stories, verbosity, (entries, level) => {
      let before: string[] = [];
      for (const posts of showings(entries, level)) {
        for (const { key, message } of posts) {
          assert.ok([...message].length <= 16_383, `${key} is too long`);
          assert.ok(message.trim() !== '', `${key} is empty`);
        }
        const keys = posts.map(({ key }) => key);
        const kept = before.filter((key) => keys.includes(key));
        assert.equal(
          keys.filter((key) => kept.includes(key)),
          kept,
        );
        before = keys;
      }
    }),
    { numRuns: 60 },
  );
});

test('posts of turns that are over never change', () => {
  fc.assert(
    fc.property(stories, verbosity, (entries, level) => {
      const settled = new Map<string, string>();
      showings(entries, level).forEach((posts, index) => {
        for (const { key, message } of posts) {
          const known = settled.get(key);
          if (known !== undefined) assert.is(message, known, `${key} changed after its turn`);
        }
        const ended = entries[index];
        if (ended?.kind !== 'turnEnded') return;
        for (const { key, message } of posts) {
          if (key.startsWith(`${ended.body.turnId}/`)) settled.set(key, message);
        }
      });
    }),
    { numRuns: 60 },
  );
});

test('nothing the agent wrote pings everybody or loads a picture', () => {
  fc.assert(
    fc.property(stories, verbosity, (entries, level) => {
      for (const { message } of renderThread(entries, { verbosity: level })) {
        // What begins in the first column as a fence is code for everybody.
        const prose = message.replace(/^(`{3,}|~{3,})[^\n]*\n[^]*?^\1[`~]*$/gm, '');
        assert.not.match(prose, /@all|!\[x\]\(http/);
      }
    }),
    { numRuns: 60 },
  );
});

test('the same entries give the same posts', () => {
  fc.assert(
    fc.property(stories, verbosity, (entries, level) => {
      assert.equal(renderThread(entries, { verbosity: level }), renderThread(entries, { verbosity: level }));
    }),
    { numRuns: 20 },
  );
});

test.run();
