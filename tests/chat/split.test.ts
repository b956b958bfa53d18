import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fenceAtEnd } from '../../src/chat/render/fences.ts';
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
        assert.is(fenceAtEnd(whole), null, 'a fence is left open');
        assert.ok([...whole].length <= weigh(piece.text) + 60, 'more was added than fences');
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

test('no visible character is cut, though nothing but such characters comes', () => {
  for (const character of ['👩‍👩‍👧‍👦', 'e\u0301\u0323', '🇩🇪', '👍🏽', '한']) {
    const text = character.repeat(400);
    const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
    const whole = new Set([...segmenter.segment(text)].map(({ index }) => index));
    let at = 0;
    for (const piece of splitMarkdown(text, LIMITS)) {
      assert.ok(whole.has(at), `${character} was cut`);
      at += piece.text.length;
    }
  }
});

test('a cut falls between paragraphs where there are any, else between lines, else between words', () => {
  const cut = (text: string) => splitMarkdown(text, { first: 100, rest: 100 })[0]?.text;
  const paragraph = `${'a'.repeat(60)}\n\n`;
  assert.is(cut(`${paragraph}${'b '.repeat(10)}\n${'c'.repeat(60)}`), paragraph);
  assert.is(cut(`${'a'.repeat(60)}\n${'b '.repeat(40)}`), `${'a'.repeat(60)}\n`);
  assert.is(cut(`${'a'.repeat(60)} ${'b'.repeat(60)}`), `${'a'.repeat(60)} `);
});

test('a fence that is cut opens again with the same language', () => {
  const text = `\`\`\`ts\n${'const x = 1;\n'.repeat(20)}\`\`\`\n`;
  const pieces = splitMarkdown(text, { first: 100, rest: 100 });
  assert.ok(pieces.length > 2);
  for (const piece of pieces.slice(0, -1)) {
    assert.match(fenceClosed(piece), /^```ts\n[^]*\n```$/);
  }
});

test.run();
