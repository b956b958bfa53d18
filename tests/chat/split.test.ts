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

test.run();
