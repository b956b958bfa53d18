// Whatever an agent waits for, its thread says so: nobody wonders whether anything goes on.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { renderThread } from '../../src/chat/render/index.ts';
import { readEntry } from '../../src/chat/transcript.ts';
import type { JsonObject } from '../../src/machines/json.ts';

type Row = readonly [kind: string, body: JsonObject];

/** The posts of a turn. */
function all(...rows: readonly Row[]): string[] {
  const turn: Row[] = [['turnStarted', { turnId: 't', inputIds: [] }], ...rows];
  const entries = turn.flatMap(([kind, body], index) => readEntry({ id: index + 1, at: index, kind, body }) ?? []);
  return renderThread(entries, { verbosity: 'normal' }).map(({ message }) => message);
}

/** What the thread shows last while the turn runs, or at its end. */
function shown(...rows: readonly Row[]): string {
  return all(...rows).at(-1) ?? '';
}

const retrying = (body: JsonObject): Row => [
  'retrying',
  { attempt: 3, maxAttempts: 10, delayMs: 4_000, error: '', httpStatus: 0, ...body },
];
const limit = (body: JsonObject): Row => [
  'rateLimit',
  { status: 'allowed', limit: '', resetsAtMs: 0, utilization: 0, ...body },
];
const TEXT: Row = ['textDelta', { turnId: 't', blockId: 'b', text: 'Half a word' }];
const ASKED = { requestId: 'r', kind: 'APPROVAL_KIND_TOOL', turnId: 't', toolName: 'Bash', inputJson: '{}' };
const RESETS = { resetsAtMs: Date.UTC(2026, 4, 4, 13, 7) };

for (const [what, rows, words] of [
  ['at work', [], /^⏳ _Working …_$/],
  ['thinking', [['thinking', { turnId: 't', estimatedTokens: 1 }]], /^💭 _Thinking …_$/],
  ['writing', [TEXT], /Half a word\n\n⏳ _Writing …_$/],
  ['making room in its context', [['compactionStarted', { automatic: true }]], /^🗜️ _Compacting the context …_$/],
  [
    'the model again, and why',
    [retrying({ httpStatus: 529, error: 'overloaded_error' })],
    /\(529 overloaded\\_error\)\. Attempt 3 of 10 in 4 s/,
  ],
  ['the model again, which said nothing', [retrying({ maxAttempts: 0 })], /did not answer\. Attempt 3 in 4 s/],
  [
    'a limit that is near',
    [limit({ status: 'allowed_warning', limit: 'five_hour', utilization: 0.91 })],
    /The usage limit of five hours is near, 91% used\./,
  ],
  [
    'a limit until it resets',
    [limit({ status: 'rejected', limit: 'seven_day', ...RESETS })],
    /The usage limit of the week is reached; it resets at 2026-05-04 13:07 UTC\./,
  ],
  [
    'a limit of another name',
    [limit({ status: 'rejected', limit: 'new_kind' })],
    /The usage limit `new_kind` is reached\./,
  ],
] as const satisfies readonly (readonly [string, readonly Row[], RegExp])[]) {
  test(`a thread says what its agent waits for or does: ${what}`, () => {
    assert.match(shown(...rows), words);
  });
}

test('the trouble is over as soon as something comes, and a limit that is well is not spoken of', () => {
  assert.not.match(shown(retrying({ httpStatus: 529 }), TEXT), /did not answer/);
  assert.not.match(shown(['compactionStarted', { automatic: true }], ['compacted', { ok: true }]), /Compacting/);
  assert.not.match(shown(limit({ status: 'rejected' }), limit({ status: 'allowed' })), /limit/);
});

test('a turn that failed at a limit still says until when', () => {
  const ended = { turnId: 't', outcome: 'TURN_OUTCOME_FAILED', error: 'usage limit reached', errorCode: '' };
  const end = shown(limit({ status: 'rejected', limit: 'five_hour', ...RESETS }), ['turnEnded', ended]);
  assert.match(end, /is reached; it resets at 2026-05-04 13:07 UTC/);
  assert.match(end, /The turn failed\.[\s\S]*Wait a while/);
});

test('while a card waits nothing stands below it, and its turn is not said to be at work', () => {
  const posts = shown(TEXT, ['approvalRequest', ASKED]);
  assert.not.match(posts, /Working|Writing/);
});

test('what goes on is said although people write meanwhile, in one place', () => {
  const use: Row = ['toolUse', { turnId: 't', toolUseId: 'u', name: 'Bash', inputJson: '{"command":"make"}' }];
  const heard: Row = ['heard', { postId: 'p' }];
  const busy = [use, heard, heard] as const;
  assert.match(shown(...busy), /^🔧 Bash `make`\n\n⏳ _Running Bash …_$/);
  assert.not.match(shown(...busy, ['approvalRequest', ASKED]), /Running|Waiting/);
  const result: Row = ['toolResult', { turnId: 't', toolUseId: 'u', isError: false, summary: 'ok' }];
  const posts = all(...busy, result, TEXT);
  assert.is(posts.length, 2);
  assert.is(posts[0], '🔧 Bash `make` ✅ `ok`');
  assert.match(posts[1] ?? '', /^Half a word\n\n⏳ _Writing …_$/);
});

test('a turn that the session does not follow any more is not said to be at work, until it is found', () => {
  const left: Row = ['turnFollowed', { turnId: 't', following: false }];
  const found: Row = ['turnFollowed', { turnId: 't', following: true }];
  const use: Row = ['toolUse', { turnId: 't', toolUseId: 'u', name: 'Bash', inputJson: '{"command":"make"}' }];
  assert.match(shown(use, left), /^🔧 Bash `make`\n\n⏸️ _Not followed any more\./);
  assert.match(shown(use, left, found), /⏳ _Running Bash …_$/);
  assert.match(shown(left, TEXT), /⏳ _Writing …_$/);
  const ended = { turnId: 't', outcome: 'TURN_OUTCOME_LOST', error: '' };
  assert.not.match(shown(left, ['turnEnded', ended]), /Not followed/);
});

test.run();
