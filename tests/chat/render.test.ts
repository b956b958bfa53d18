import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { figuresText } from '../../src/chat/render/ending.ts';
import { renderThread } from '../../src/chat/render/index.ts';
import { readEntry, type TranscriptEntry } from '../../src/chat/transcript.ts';
import type { JsonObject } from '../../src/machines/json.ts';

const OPTIONS = { verbosity: 'normal', trigger: '@claude' } as const;

function transcript(...rows: readonly (readonly [string, JsonObject])[]): TranscriptEntry[] {
  return rows.flatMap(([kind, body], index) => readEntry({ id: index + 1, at: index, kind, body }) ?? []);
}

const TURN = ['turnStarted', { turnId: 't', inputIds: [] }] as const;
const text = (block: string, words: string) => ['textBlock', { turnId: 't', blockId: block, text: words }] as const;
const ENDED = ['turnEnded', { turnId: 't', outcome: 'TURN_OUTCOME_COMPLETED', durationMs: 1200 }] as const;

test('deltas are replaced by their whole block, and withdrawn text is shown once', () => {
  const posts = renderThread(
    transcript(
      TURN,
      ['textDelta', { turnId: 't', blockId: 'a', text: 'Half a sen' }],
      ['textWithdrawn', { turnId: 't', blockId: 'a' }],
      ['textDelta', { turnId: 't', blockId: 'b', text: 'Half a' }],
      text('b', 'Half a sentence.'),
      ENDED,
    ),
    OPTIONS,
  );
  assert.is(posts.length, 1);
  assert.is(posts[0]?.message.split('Half a').length, 2);
  assert.match(posts[0]?.message ?? '', /Half a sentence\./);
});

test('text after a card or a person stands in a post of its own, below', () => {
  const asked = { requestId: 'r', kind: 'APPROVAL_KIND_TOOL', turnId: 't', toolName: 'Bash', inputJson: '{}' };
  const posts = renderThread(
    transcript(TURN, text('a', 'before'), ['approvalRequest', asked], text('b', 'after'), ENDED),
    OPTIONS,
  );
  assert.equal(
    posts.map(({ message }) => /before|after/.exec(message)?.[0]),
    ['before', 'after'],
  );
  assert.is(new Set(posts.map(({ key }) => key)).size, 2);
});

test('posts keep their keys and, once full, their text while an answer grows', () => {
  const rows: (readonly [string, JsonObject])[] = [TURN];
  let earlier = new Map<string, string>();
  for (let i = 0; i < 60; i += 1) {
    rows.push(text(`b${i}`, `${'lorem ipsum dolor sit amet '.repeat(40)}\n\n`));
    const posts = renderThread(transcript(...rows), OPTIONS);
    const now = new Map(posts.map(({ key, message }) => [key, message]));
    for (const [key, message] of [...earlier].slice(0, -1)) assert.is(now.get(key), message);
    for (const { message } of posts) assert.ok([...message].length <= 16_383);
    earlier = now;
  }
  assert.ok(earlier.size > 3);
});

test('a note with a known id replaces the earlier one in place, and an empty one goes', () => {
  const note = (words: string) => ['note', { note: 'n', tone: 'info', text: words }] as const;
  assert.equal(
    renderThread(transcript(note('one'), note('two')), OPTIONS).map(({ key, message }) => [key, /two/.test(message)]),
    [['note/n', true]],
  );
  assert.equal(renderThread(transcript(note('one'), note('')), OPTIONS), []);
});

test('an agent cannot call everybody or load images', () => {
  const [post] = renderThread(
    transcript(TURN, text('a', 'Hey @all and @channel ![x](http://evil.example/x.png)'), ENDED),
    OPTIONS,
  );
  assert.not.match(post?.message ?? '', /@all|@channel|!\[x\]\(http/);
});

test('turns that fail, are interrupted or lost say so with the next step', () => {
  for (const [outcome, words] of [
    ['TURN_OUTCOME_FAILED', /failed/],
    ['TURN_OUTCOME_INTERRUPTED', /Interrupted/],
    ['TURN_OUTCOME_LOST', /process ended/],
  ] as const) {
    const [post] = renderThread(
      transcript(TURN, ['turnEnded', { turnId: 't', outcome, error: 'API Error: 529' }]),
      OPTIONS,
    );
    assert.match(post?.message ?? '', words);
  }
});

test('a turn whose workspace was taken down says what works in a session that has stopped: to resume it', () => {
  const ended = { turnId: 't', outcome: 'TURN_OUTCOME_LOST', takenDown: true } as const;
  const [post] = renderThread(transcript(TURN, ['turnEnded', ended]), { ...OPTIONS, trigger: '@bot' });
  assert.match(post?.message ?? '', /taken down[\s\S]*`@bot resume` goes on/);
  assert.not.match(post?.message ?? '', /restart/);
});

test('RT-44: what was read from a cache counts, and the context is the window as it stands, not the sum of all calls', () => {
  const usage = { inputTokens: 7, cacheReadTokens: 180_000, cacheWriteTokens: 20_000, outputTokens: 900 };
  const ended = { turnId: 't', outcome: 'TURN_OUTCOME_COMPLETED' as const, usage, durationMs: 61_000, costUsd: 0.5 };
  const figures = figuresText({ ...ended, contextTokens: 50_000, contextWindow: 200_000 });
  assert.is(figures, '1 min 1 s · 200k tokens in, 900 out · $0.50 · context 25%\u00a0▰▰▱▱▱▱▱▱');
});

test.run();
