// @limit 240
// An answer of any length and make is read back, whole, from the posts it was put into.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { renderThread } from '../../src/chat/render/index.ts';
import { readEntry } from '../../src/chat/transcript.ts';
import { openFence, recover } from './readBack.ts';

const LIMIT = 16_383;

function postsOf(answer: string): string[] {
  const rows = [
    ['turnStarted', { turnId: 't', inputIds: [] }],
    ['textBlock', { turnId: 't', blockId: 'b', text: answer }],
    ['turnEnded', { turnId: 't', outcome: 'TURN_OUTCOME_COMPLETED' }],
  ] as const;
  const entries = rows.flatMap(([kind, body], index) => readEntry({ id: index + 1, at: index, kind, body }) ?? []);
  return renderThread(entries, { verbosity: 'normal' }).map(({ message }) => message);
}

function check(answer: string): void {
  const posts = postsOf(answer);
  for (const post of posts) {
    assert.ok([...post].length <= LIMIT, 'a post is longer than the server takes');
    assert.ok(!/\p{Surrogate}/u.test(post), 'a character was cut in two');
    assert.is(openFence(post), null, `a code block is left open:\n${post.slice(-200)}`);
  }
  if (answer.trim() === '') return;
  const problem = recover(answer, posts);
  assert.is(problem, '', problem);
}

const word = fc.constantFrom(
  'word',
  'a longer phrase of several words',
  '漢字仮名交じり文',
  '👩‍👩‍👧‍👦',
  '🏳️‍🌈',
  'é̂',
  'नमस्ते',
  '`code`',
  '``a ` b``',
  '**bold**',
  '@all',
  '@here!',
  'mail me@example.com',
  '[link](https://example.com/a_b)',
  'https://example.com/a_b/@c?d=1',
  '<b>',
  '\\',
  '&amp;',
);
const words = fc.array(word, { minLength: 1, maxLength: 12 }).map((all) => all.join(' '));
const prose = fc.array(words, { minLength: 1, maxLength: 6 }).map((lines) => `${lines.join('\n')}\n`);
const table = fc
  .array(fc.tuple(word, word), { minLength: 1, maxLength: 20 })
  .map((rows) => `| a | b |\n|:--|--:|\n${rows.map(([a, b]) => `| ${a} | ${b} |`).join('\n')}\n`);
const list = fc
  .array(words, { minLength: 1, maxLength: 8 })
  .map((items) => `${items.map((item, index) => `${' '.repeat(index % 4)}- ${item}`).join('\n')}\n`);
const codeLine = fc.oneof(words, fc.constantFrom('', '\tif (x) {', '  ```', '~~~', '``', '# no heading', '> no quote'));
/** The marker is longer than any run inside, or of the other kind: blocks may hold blocks. Some fill posts. */
const fence = fc
  .tuple(
    fc.constantFrom('````', '`````', '~~~~', '``````', '   ````'),
    fc.constantFrom('', 'ts', 'diff title="a b"', 'c++'),
    fc.array(codeLine, { maxLength: 30 }),
    fc.constantFrom(1, 1, 1, 1, 20),
  )
  .map(([marker, info, lines, times]) => {
    const code = lines.map((line) => `${line}\n`).join('');
    return `${marker}${info}\n${code.repeat(times)}${marker}\n`;
  });
const unclosed = fc.tuple(fc.constantFrom('```', '~~~'), words).map(([marker, text]) => `${marker}js\n${text}\n`);
const blank = fc.constantFrom('\n', '\n\n', '---\n', '   \n');
const long = fc
  .tuple(fc.constantFrom('x', '漢', '👩‍👩‍👧‍👦', 'word ', '@'), fc.integer({ min: 1, max: 20_000 }))
  .map(([unit, times]) => `${unit.repeat(times)}\n`);
const block = fc.oneof(
  { weight: 6, arbitrary: prose },
  { weight: 3, arbitrary: table },
  { weight: 3, arbitrary: list },
  { weight: 6, arbitrary: fence },
  { weight: 1, arbitrary: unclosed },
  { weight: 3, arbitrary: blank },
  { weight: 1, arbitrary: long },
);

/** From one code point to 200,000: what is too short is said again and again. */
const answer = fc
  .tuple(fc.array(block, { minLength: 1, maxLength: 60 }), fc.integer({ min: 1, max: 200_000 }))
  .map(([blocks, length]) => {
    const once = blocks.join('');
    const times = Math.ceil(length / once.length);
    return [...once.repeat(times)].slice(0, length).join('');
  });

/** Tried each time: code that fills posts, indented, with what might end it; and text that escaping lengthens. */
const HARD: [string][] = [[`\`\`\`\`md\n${'  ```\n    more\n'.repeat(3_000)}\`\`\`\`\n`], ['@'.repeat(40_000)]];

test('RT-14: an answer is recovered from its posts by taking out exactly the fences that were added', () => {
  const trials = { numRuns: 60, endOnFailure: true, includeErrorInReport: true };
  fc.assert(fc.property(answer, check), { ...trials, examples: HARD });
});

test('RT-15: no cut falls into a character, whatever it is made of', () => {
  for (const unit of ['👩‍👩‍👧‍👦', '🏳️‍🌈', 'é̂', '👍🏽', '🇩🇪', 'क्षि', '漢', '각']) {
    for (let shift = 0; shift < 10; shift += 1) {
      // Nothing but the end of the room tells where to cut.
      const posts = postsOf(`${'x'.repeat(shift)}${unit.repeat(Math.ceil(30_000 / [...unit].length))}`);
      assert.ok(posts.length > 2);
      for (const post of posts) assert.is(post.replace(/^x*/, '').replaceAll(unit, ''), '', `${unit} after ${shift}`);
    }
  }
});

test('RT-13: 60 KB of an answer arrive whole', () => {
  const paragraph = 'Every word of this is somebody’s work and has to arrive. '.repeat(8);
  check(`${paragraph}\n\n`.repeat(130));
  check(`\`\`\`ts\n${`const value = '${'é'.repeat(40)}';\n`.repeat(1_100)}\`\`\`\n`);
});

test('what pings or loads is made harmless wherever a cut falls', () => {
  for (let shift = 0; shift < 40; shift += 1) {
    const text = `${'y'.repeat(13_980 + shift)} @all ![x](https://evil.example/x.png) @channel ${'z'.repeat(9_000)}`;
    for (const post of postsOf(text)) {
      assert.not.match(post, /@(?:all|channel|here)\b/);
      assert.not.match(post, /!\[[^\]]*\]\(/);
    }
  }
});

test.run();
