// What an agent writes must not make the chat server fetch anything: a post whose address stands bare gets a preview.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { escapeMarkdown } from '../../src/chat/escape.ts';
import { weigh } from '../../src/chat/render/split.ts';

const ZERO_WIDTH = '\u200b';

/**
 * The addresses that the server would fetch the first of, by its rules for a paragraph (shared/public/markdown of the server):
 * what is in code, in the text of a link or in its target is none, and neither is anything behind a bracket that stays open.
 */
function bareAddresses(markdown: string): string[] {
  const plain = markdown
    .replace(/\\[\s\S]/g, '  ')
    .replace(/(`+)[\s\S]*?\1/g, ' ')
    .replace(/!?\[[^[\]]*\]\(\s*(?:[^\s()<>]|\([^\s()<>]*\))+(?:\s+(?:"[^"]*"|'[^']*'))?\s*\)/g, ' ');
  return plain.match(/(?<![a-z0-9])(?:(?:https?|ftp):\/\/[a-z0-9]|www\d{0,3}\.[a-z0-9])\S*/gi) ?? [];
}

for (const [text, shown] of [
  ['see https://example.com/a, now', 'see [https://example.com/a](https://example.com/a), now'],
  ['(https://example.com/a_(b)).', '([https://example.com/a\\_(b)](https://example.com/a_%28b%29)).'],
  ['<https://example.com/a>', '[https://example.com/a](https://example.com/a)'],
  ['**https://example.com/**', '**[https://example.com/](https://example.com/)**'],
  ['www.example.com', '[www.example.com](http://www.example.com)'],
  ['| https://example.com/a | b |', '| [https://example.com/a](https://example.com/a) | b |'],
] as const) {
  test(`an address that stands bare can be clicked, and is no preview: ${text}`, () => {
    assert.is(escapeMarkdown(text), shown);
  });
}

for (const text of [
  '[docs](https://example.com/a_(b) "title")',
  '[`code`](https://example.com/a) and `https://example.com/b`',
  '```\ncurl https://example.com/a\n```',
  'mail me@example.com, or ask https and www',
  'see [the docs][1]\n\n[1]: https://example.com/a\n[2]: https://example.com/b "B"',
]) {
  test(`a link, or what stands in code, stays as it is: ${JSON.stringify(text)}`, () => {
    assert.is(escapeMarkdown(text), text);
  });
}

test('the address of a package with a scope leads where it did', () => {
  const url = 'https://www.npmjs.com/package/@types/node';
  for (const text of [url, `[node](${url})`]) {
    const target = /\]\((.*)\)/.exec(escapeMarkdown(text))?.[1] ?? '';
    assert.is(decodeURIComponent(target), url);
    assert.not(target.includes(ZERO_WIDTH));
  }
});

test('what only looks like a link leaves no address bare', () => {
  for (const text of [
    '\\[a](https://evil.example/x)',
    '](https://evil.example/x)',
    '[a](b)](https://evil.example/x)',
    '[a\\](https://evil.example/x)',
    '`[`](https://evil.example/x)',
    '[see https://evil.example/x](https://example.com/y)',
    'a paragraph\n[x]: https://evil.example/x',
    '[x]: https://evil.example/x and more',
    '![x](https://evil.example/x.png)',
    '![x](https://evil.example/x.png "a (b)")',
    'HTTPS://EVIL.example/x _https://evil.example/y_',
  ]) {
    assert.equal(bareAddresses(escapeMarkdown(text)), [], `${text} became ${escapeMarkdown(text)}`);
  }
});

const part = fc.constantFrom(
  ...['[', ']', '(', ')', '![', '](', '\\', '`', '``', '<', '>', ' ', '"', "'", '.', '_', '*', '|', '@', '&', '!', ':'],
  ...['https://evil.example/x', 'http://a.b', 'www.evil.example', 'HTTPS://E.x/@y', 'word', 'wwwww', '://', '漢字'],
);

test('whatever it is made of, a line becomes no longer than it was counted as', () => {
  fc.assert(
    fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
      const text = parts.join('');
      assert.ok([...escapeMarkdown(text)].length <= weigh(text), `${text} became ${escapeMarkdown(text)}`);
    }),
    { numRuns: 3_000 },
  );
});

test('whatever stands around it, an address in prose is never left bare', () => {
  const prose = fc.constantFrom('word', ' ', '. ', '(', ')', '*', '_', '"', '| ', '- ', '> ', '漢字', '@', '!', ':');
  const address = fc.constantFrom('https://evil.example/x', 'http://a.b/c_d', 'www.evil.example/z', '<https://e.x/y>');
  fc.assert(
    fc.property(fc.array(fc.oneof(prose, address), { maxLength: 20 }), (parts) => {
      const text = parts.join('');
      assert.equal(bareAddresses(escapeMarkdown(text)), [], `${text} became ${escapeMarkdown(text)}`);
    }),
    { numRuns: 2_000 },
  );
});

test.run();
