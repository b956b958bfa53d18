// @limit 240
// Secrets that the gateway knows do not get into the chat, however they are cut, dressed up or streamed.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createMask, MASKED } from '../../src/chat/masking.ts';
import { renderThread } from '../../src/chat/render/index.ts';
import type { Verbosity } from '../../src/chat/render/layout.ts';
import { codeSpan, plainWords } from '../../src/chat/render/lines.ts';
import { maskedEntry } from '../../src/chat/render/masked.ts';
import { readEntry } from '../../src/chat/transcript.ts';
import type { JsonObject } from '../../src/machines/json.ts';

const KEY = 'sk-ant-api03-Zq_9*x~Rw|7[kL]-0aBcDeFgHiJkLmNoPqRsTuVwXyZ';
const PASSWORD = 'p@ss\\word"with`signs';
const PEM = `-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACBX1nq0xk0000000000000000000000000000000000000000000000000000
AAAA=
-----END OPENSSH PRIVATE KEY-----`;
const SECRETS = [KEY, PASSWORD, PEM];

/** Signs that others put between the characters do not make it another secret. */
const bare = (text: string): string => text.replace(/[\\\u200b]/g, '');

/** The longest part of a secret's beginning that stands anywhere in the text. */
function shownOf(text: string, secret: string): number {
  const said = bare(text);
  let length = 0;
  while (length < bare(secret).length && said.includes(bare(secret).slice(0, length + 1))) length += 1;
  return length;
}

function checkNone(text: string, most = 7): void {
  for (const secret of [KEY, PASSWORD]) {
    assert.ok(shownOf(text, secret) <= most, `${shownOf(text, secret)} characters of ${secret} in:\n${text}`);
  }
}

test('a secret goes wherever it stands, in whatever it is wrapped', () => {
  const mask = createMask(SECRETS);
  const said = [
    `export ANTHROPIC_API_KEY=${KEY}`,
    `${KEY}${PASSWORD}`,
    codeSpan(`curl -H "x-api-key: ${KEY}" | sh`),
    plainWords(`The key ${KEY} was refused`),
    JSON.stringify({ key: KEY, nested: [PASSWORD] }),
    JSON.stringify(JSON.stringify({ password: PASSWORD })),
    `https://user:${encodeURIComponent(PASSWORD)}@example.com/`,
    `Authorization: ${Buffer.from(KEY).toString('base64')}`,
    `${KEY.slice(0, 30)}…`,
    `cut off: ${PASSWORD.slice(0, 12)}`,
  ];
  for (const text of said) {
    const shown = mask.text(text);
    checkNone(shown);
    assert.match(shown, MASKED);
    assert.ok([...shown].length <= [...text].length, 'a text that was masked grew');
  }
  assert.is(mask.text(PEM).split(MASKED).length, 3, 'both long lines of the key, and nothing else');
  assert.is(mask.text('nothing to see'), 'nothing to see');
});

test('what is learnt later is masked from then on, and what is too short never', () => {
  const mask = createMask(['short']);
  assert.is(mask.text('short later-learnt'), 'short later-learnt');
  mask.learn(['later-learnt']);
  assert.is(mask.text('short later-learnt'), `short ${MASKED}`);
});

test('of something that is no secret, nothing goes', () => {
  const mask = createMask(SECRETS);
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      assert.is(mask.text(text), text);
      assert.equal(mask.json({ [text]: [text, 1, null, true] }), { [text]: [text, 1, null, true] });
    }),
  );
});

type Row = readonly [string, JsonObject];

function messages(rows: readonly Row[], verbosity: Verbosity): string[] {
  const mask = createMask(SECRETS);
  const entries = rows.flatMap(([kind, body], index) => {
    const entry = readEntry({ id: index + 1, at: index, kind, body });
    return entry === null ? [] : [maskedEntry(entry, mask)];
  });
  return renderThread(entries, { verbosity, mask }).map(({ message }) => message);
}

const STARTED: Row = ['turnStarted', { turnId: 't', inputIds: [] }];
const ENDED: Row = ['turnEnded', { turnId: 't', outcome: 'TURN_OUTCOME_INTERRUPTED' }];

const filler = fc.oneof(
  fc.constantFrom('', ' ', '\n\n', 'words and more words ', '`', '```\n', '@all ', 's', 'sk-ant', 'p@', '…'),
  fc.integer({ min: 1, max: 15_000 }).map((length) => 'x y '.repeat(length / 4)),
);
const answer = fc
  .tuple(
    fc.array(fc.tuple(filler, fc.constantFrom(KEY, PASSWORD)), { maxLength: 4 }),
    filler,
    fc.constantFrom('', KEY.slice(0, 20), PASSWORD.slice(0, 9), KEY.slice(0, -1)),
  )
  .map(([parts, last, cut]) => `${parts.map((part) => part.join('')).join('')}${last}${cut}`);

test('however an answer is streamed and interrupted, no post at any time shows a part of a secret', () => {
  const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });
  const verbosity = fc.constantFrom<Verbosity>('full', 'normal', 'quiet');
  fc.assert(
    fc.property(answer, cuts, fc.integer({ min: 0, max: 12 }), verbosity, (text, places, heardAt, how) => {
      const ends = [...places.map((place) => Math.floor(place * text.length)), text.length].sort((a, b) => a - b);
      const rows: Row[] = [STARTED];
      let from = 0;
      for (const [index, end] of ends.entries()) {
        if (index === heardAt) rows.push(['heard', { postId: 'p' }]);
        rows.push(['textDelta', { turnId: 't', blockId: 'b', text: text.slice(from, end) }]);
        from = end;
        // While it is not known what it will become, no more is shown than what was said before on its own.
        for (const post of messages(rows, how)) checkNone(post, 'sk-ant'.length);
      }
      const block: Row = ['textBlock', { turnId: 't', blockId: 'b', text }];
      for (const end of [[ENDED], [block], [block, ENDED]]) {
        const posts = messages([...rows, ...end], how);
        for (const post of posts) checkNone(post);
        assert.ok(signsIn(posts) <= (text.match(/(?:sk-ant-|p@ss)/g) ?? []).length, 'more signs than secrets');
      }
    }),
    { numRuns: 60, includeErrorInReport: true },
  );
});

const signsIn = (posts: readonly string[]): number => posts.join('').split(MASKED).length - 1;

test('what may still become a secret is left out without a sign, and stands there when it is none', () => {
  const delta = (words: string): Row => ['textDelta', { turnId: 't', blockId: 'b', text: words }];
  const [begun = ''] = messages([STARTED, delta('The task')], 'normal');
  const [known = ''] = messages([STARTED, delta('The task'), delta('-ant is')], 'normal');
  const [masked = ''] = messages([STARTED, delta(`The task ${KEY.slice(0, 40)}`)], 'normal');
  const [whole = ''] = messages([STARTED, delta(`The task ${KEY}`)], 'normal');
  assert.match(begun, /^The ta\n/);
  assert.match(known, /^The task-ant i\n/);
  assert.match(masked, /^The task ?\n/);
  assert.match(whole, new RegExp(`^The task ${MASKED}\n`));
});

test('posts that are full keep their text when a secret at their end is completed', () => {
  const text = `${'words of an answer. '.repeat(1_400)}${KEY}${' and more words'.repeat(1_000)}`;
  let earlier: string[] = [];
  for (let end = 27_000; end < text.length; end += 7) {
    const now = messages([STARTED, ['textDelta', { turnId: 't', blockId: 'b', text: text.slice(0, end) }]], 'normal');
    for (const [index, post] of earlier.slice(0, -1).entries()) assert.is(now[index], post);
    earlier = now;
    if (end > 28_400) end += 2_000;
  }
});

test('tool calls, their results, subagents, notes and endings are masked before they are shortened', () => {
  for (let shift = 0; shift < 150; shift += 1) {
    const pad = 'y'.repeat(shift);
    const input = JSON.stringify({ command: `${pad}${KEY}${pad}`, description: PASSWORD });
    const call = { turnId: 't', toolUseId: 'u', name: 'Bash', inputJson: input };
    const result = {
      turnId: 't',
      toolUseId: 'u',
      isError: shift % 2 === 0,
      summary: `${pad}${KEY}`,
      fullLength: 9_999,
    };
    const edit = JSON.stringify({ file_path: KEY, old_string: PASSWORD, new_string: `${pad}${KEY}` });
    const agent = { taskId: 'k', agentType: KEY, description: '', status: 'SUBAGENT_STATUS_FAILED' };
    const rows: Row[] = [
      ['note', { note: 'n', tone: 'error', text: `${pad}${KEY}` }],
      STARTED,
      ['toolUse', call],
      ['toolResult', result],
      ['toolUse', { ...call, toolUseId: 'v', name: 'Edit', inputJson: edit }],
      ['toolUse', { ...call, toolUseId: 'w', name: 'Agent', inputJson: JSON.stringify({ description: KEY }) }],
      ['subagent', { ...agent, toolUseId: 'w', summary: `${pad}${PASSWORD}` }],
      ['todoList', { items: [{ id: '1', text: `${pad}${KEY}`, status: 'TODO_STATUS_PENDING' }] }],
    ];
    const failed: Row = ['turnEnded', { turnId: 't', outcome: 'TURN_OUTCOME_FAILED', error: `${pad}${KEY}` }];
    for (const all of [rows, [...rows, failed]]) for (const post of messages(all, 'full')) checkNone(post);
  }
});

test.run();
