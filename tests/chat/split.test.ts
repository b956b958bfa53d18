import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fenceClosed, splitMarkdown, weigh } from '../../src/chat/render/split.ts';

const LIMITS = { first: 300, rest: 400 };
const word = fc.constantFrom(
  'word',
  'a longer phrase',
  '漢字仮名',
  '👩‍👩‍👧',
  'é',
  '`code`',
  '**bold**',
  '@all',
  '![x](http://y)',
  '| a | b |',
);
const line = fc.array(word, { maxLength: 12 }).map((words) => words.join(' '));
const fence = fc
  .tuple(fc.constantFrom('```', '~~~', '````'), fc.constantFrom('', 'ts', 'diff'), fc.array(line, { maxLength: 14 }))
  .map(([marker, info, lines]) => [`${marker}${info}`, ...lines, marker].join('\n'));
const answer = fc.array(fc.oneof(line, fence), { maxLength: 40 }).map((blocks) => blocks.join('\n'));

test('nothing of an answer is lost or doubled by splitting it', () => {
  fc.assert(
    fc.property(answer, (text) => {
      assert.is(
        splitMarkdown(text, LIMITS)
          .map((piece) => piece.text)
          .join(''),
        text,
      );
    }),
  );
});

test('every piece fits, and its code fences are balanced', () => {
  fc.assert(
    fc.property(answer, (text) => {
      splitMarkdown(text, LIMITS).forEach((piece, index) => {
        assert.ok(weigh(piece.text) <= (index === 0 ? LIMITS.first : LIMITS.rest));
        const whole = fenceClosed(piece);
        assert.not.throws(() => encodeURIComponent(whole), 'a surrogate stands alone');
      });
    }),
  );
});

test('a piece that is full stays as it is however much text follows', () => {
  fc.assert(
    fc.property(answer, answer, (text, more) => {
      const before = splitMarkdown(text, LIMITS).slice(0, -1);
      const after = splitMarkdown(text + more, LIMITS);
      for (const [index, piece] of before.entries()) assert.is(after[index]?.text, piece.text);
    }),
  );
});

const row = '| cell | another cell |';

test('a table that fits into a post is not cut: its rows would stand without their head', () => {
  for (let before = 5; before < 30; before += 1) {
    const table = ['| a | b |', '|:--|--:|', ...Array.from({ length: 3 }, () => row)].join('\n');
    const above = `${'word '.repeat(12)}\n`.repeat(8).slice(-200 - 3 * before);
    const text = `${above}${table}\n${'more words '.repeat(60)}`;
    const pieces = splitMarkdown(text, LIMITS).filter((piece) => piece.text.includes('| cell'));
    assert.is(pieces.length, 1, `${pieces.length} pieces with ${before} lines before`);
  }
});

test('a table that is longer than a post is cut between two rows', () => {
  const rows = ['| a | b |', '|:--|--:|', ...Array.from({ length: 60 }, () => row)].join('\n');
  for (const piece of splitMarkdown(rows, LIMITS)) {
    assert.match(piece.text, /^\|.*\|\n?$/s);
    for (const line of piece.text.trimEnd().split('\n')) assert.match(line, /^\|.*\|$/);
  }
});

test.run();
