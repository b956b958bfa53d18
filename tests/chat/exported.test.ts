// A session as a file: whole, in order, masked.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Export, exportFile } from '../../src/chat/exported.ts';
import { createMask } from '../../src/chat/masking.ts';
import { maskedEntry } from '../../src/chat/render/masked.ts';
import { readEntry, type TranscriptEntry } from '../../src/chat/transcript.ts';
import type { JsonObject } from '../../src/machines/json.ts';
import { recorded } from './recorded.ts';

const SECRET = 'ghp_0123456789abcdef';
const mask = createMask([SECRET]);
const AT = Date.parse('2026-05-04T13:07:00Z');

function exported(entries: readonly TranscriptEntry[]): Export {
  return {
    session: {
      id: 'abcdefgh1234',
      repo: 'acme/shop',
      branch: 'main',
      title: 'Greet the\nrepository',
      startedBy: 'alice',
      startedAt: AT,
      costUsd: 0.07,
    },
    entries: entries.map((entry) => maskedEntry(entry, mask)),
    said: new Map([['p1', { author: 'alice', text: 'Please greet.' }]]),
    folder: '/work/repo',
    mask,
    at: AT,
  };
}

function entriesOf(...rows: readonly (readonly [string, JsonObject])[]): TranscriptEntry[] {
  return rows.flatMap(([kind, body], index) => readEntry({ id: index + 1, at: AT, kind, body }) ?? []);
}

const HEARD: TranscriptEntry = { id: 0, at: AT, kind: 'heard', body: { postId: 'p1' } };

test('as Markdown: who said what, what was called with what, and what came of it', () => {
  const { name, content } = exportFile('md', exported([HEARD, ...recorded('write-edit-read')]));
  assert.is(name, 'shop-abcdefgh.md');
  const parts = [
    '# Greet the repository (acme/shop)\n\nSession `abcdefgh1234` on `acme/shop@main`; started by alice at 2026-05-04 13:07 UTC;',
    '## alice, 2026-05-04 13:07 UTC\n\nPlease greet.\n\n## Claude, ',
    '\n\nI will write the file.\n\n- **Write** `hello.txt`\n\n```\nFile created successfully at: hello.txt',
    '\n- **Edit** `hello.txt`\n',
    'hello.txt now greets the repository.\n',
  ];
  let from = 0;
  for (const part of parts) {
    const found = content.indexOf(part, from);
    assert.ok(found >= 0, `${part}\nis not in\n${content}`);
    from = found + part.length;
  }
});

test('as JSON: every event once, text whole, with the words of the person where they were heard', () => {
  const { name, content } = exportFile('json', exported([HEARD, ...recorded('streaming-partials')]));
  assert.is(name, 'shop-abcdefgh.json');
  const { session, events } = JSON.parse(content);
  assert.is(session.startedAt, '2026-05-04T13:07:00.000Z');
  assert.equal(events[0], {
    at: '2026-05-04T13:07:00.000Z',
    kind: 'heard',
    postId: 'p1',
    author: 'alice',
    text: 'Please greet.',
  });
  const kinds = events.map(({ kind }: { kind: string }) => kind);
  assert.not(kinds.includes('textDelta'));
  assert.ok(kinds.includes('textBlock') && kinds.includes('turnEnded'));
});

test('words of a post that was deleted are in neither', () => {
  const body = { postId: 'gone', author: 'bob', authorId: 'u', text: 'I take that back' };
  const gone: TranscriptEntry = { id: 1, at: AT, kind: 'heard', body };
  for (const format of ['md', 'json'] as const) {
    assert.not.match(exportFile(format, exported([HEARD, gone])).content, /I take that back|bob/);
  }
});

test('what was streamed and never became whole is there as one text, and no secret gets through in pieces', () => {
  const delta = (text: string) => ['textDelta', { turnId: 't', blockId: 'b', text }] as const;
  const entries = entriesOf(
    ['turnStarted', { turnId: 't', inputIds: [] }],
    delta(`The key is ${SECRET.slice(0, 9)}`),
    ['toolUse', { turnId: 't', toolUseId: 'u', name: 'Bash', inputJson: JSON.stringify({ command: `x ${SECRET}` }) }],
    delta(`${SECRET.slice(9)}, keep it`),
    ['turnEnded', { turnId: 't', outcome: 'TURN_OUTCOME_LOST', error: `lost ${SECRET}` }],
  );
  for (const format of ['md', 'json'] as const) {
    const { content } = exportFile(format, exported(entries));
    // Everything that is uploaded is masked once more, as a whole.
    const file = mask.text(content);
    assert.not.match(file, SECRET.slice(4));
    assert.not.match(file, SECRET.slice(0, 12));
  }
  const { events } = JSON.parse(mask.text(exportFile('json', exported(entries)).content));
  const text = events.filter(({ kind }: { kind: string }) => kind === 'textDelta');
  assert.equal(
    text.map((event: { text: string }) => event.text),
    ['The key is ‹secret›, keep it'],
  );
});

test.run();
