// How the real SDK's streams are shown, word by word: recorded ones, through the worker's mapper.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { TranscriptEntry } from '../../src/chat/transcript.ts';
import { recorded, shown, upTo, wholly } from './recorded.ts';

const isCall = ({ kind }: TranscriptEntry): boolean => kind === 'toolUse';
const isResult = ({ kind }: TranscriptEntry): boolean => kind === 'toolResult';

const DIFF = '```diff\n-world\n+repository\n```';

test('files are named from the checkout, and how many lines a call changes stands in its line', () => {
  assert.equal(shown(recorded('write-edit-read')), [
    [
      'I will write the file.',
      '',
      '🔧 Write `hello.txt` (+2) ✅',
      '🔧 Edit `hello.txt` (+1 −1) ✅',
      '🔧 Read `hello.txt` ✅',
      '',
      'hello.txt now greets the repository.',
    ].join('\n'),
  ]);
});

test('a running turn shows what its latest change looks like, a finished one no more', () => {
  const running = upTo(recorded('write-edit-read'), isCall);
  assert.equal(shown(running), [
    [
      'I will write the file.',
      '',
      '🔧 Write `hello.txt` (+2) ✅',
      '🔧 Edit `hello.txt` (+1 −1) ✅',
      '🔧 Read `hello.txt`',
      DIFF,
      '',
      '⏳ _Running Read …_',
    ].join('\n'),
  ]);
});

test('in full, every call shows its change and what came of it', () => {
  const [post = ''] = shown(recorded('write-edit-read'), { verbosity: 'full' });
  assert.match(post, `${DIFF}\n\n🔧 Read \`hello.txt\` ✅`);
  assert.match(post, '🔧 Write `hello.txt` (+2) ✅ `File created successfully at: hello.txt');
});

test('what is outside of the checkout keeps its whole name', () => {
  const elsewhere = shown(recorded('write-edit-read'), { folder: '/work/re' });
  assert.match(elsewhere.join('\n'), '🔧 Read `/work/repo/hello.txt` ✅');
});

test("a plan's file is named from the agent's home", () => {
  assert.match(shown(recorded('plan-mode')).join('\n'), /🔧 Write `~\/\.claude\/plans\/[\w-]+\.md` \(\+\d+\) ✅/);
});

test('the list of things to do is one list, changed in place, and in the end a number', () => {
  const entries = recorded('todo-tasks');
  const lists = entries.filter(({ kind }) => kind === 'todoList');
  const seen = lists.map((list) => shown(upTo(entries, (entry) => entry === list)));
  assert.ok(seen.length > 3);
  for (const posts of seen) {
    assert.is(posts.length, 1);
    assert.is(posts[0]?.split('**To do**').length, 2);
  }
  assert.match(seen.at(-2)?.[0] ?? '', '**To do** (1/2)\n☑️ Write the parser\n▶️ Test the parser\n');
  const [end = ''] = shown(entries);
  assert.not.match(end, 'To do');
  assert.is(end, 'I keep a list.\n\nThe list is done.');
});

test('the list of older models is shown the same way', () => {
  const entries = upTo(recorded('todo-write'), ({ kind }) => kind === 'todoList');
  assert.match(shown(entries)[0] ?? '', '**To do** (2/2)\n☑️ Write the parser\n☑️ Test the parser\n');
});

test('what subagents do stands under the name of each', () => {
  const entries = recorded('subagents-parallel');
  assert.equal(shown(upTo(entries, isCall)), [
    [
      '🤖 **reviewer**: Left half _(1 call)_',
      '  ↳ Bash `touch left.txt`',
      '🤖 **reviewer**: Right half _(1 call)_',
      '  ↳ Bash `touch right.txt`',
      '',
      '⏳ _Running reviewer and 1 more …_',
    ].join('\n'),
  ]);
  assert.equal(shown(entries), [
    [
      '🤖 **reviewer**: Left half ✅ _(1 call)_',
      '  ↳ The left file is made.',
      '🤖 **reviewer**: Right half ✅ _(1 call)_',
      '  ↳ The right file is made.',
      '',
      'Both halves are done.',
    ].join('\n'),
  ]);
});

test('a subagent that works in the background is not said to be done because its turn is', () => {
  const [first = '', second = ''] = shown(recorded('subagent-background'));
  assert.match(first, '🤖 **reviewer**: Review the notes _(1 call, in the background)_\n');
  assert.not.match(first, '✅');
  assert.is(second, 'The reviewer has ended: fine.');
});

test('calls that fail say why in words for people, many of them in one line', () => {
  const entries = recorded('tool-error');
  assert.equal(shown(entries), [
    '🔧 Bash, Read ×2, Edit (+1 −1), NoSuchTool (5 failed)\n\nAll five failed as expected.',
  ]);
  const [running = ''] = shown(upTo(entries, isResult));
  assert.match(running, '🔧 Edit `notes.txt` (+1 −1) ❌ `String to replace not found in file.`');
  assert.not.match(running, 'tool_use_error');
});

test('for how long it has been busy, and in all, is said from the first minute on', () => {
  const entries = upTo(recorded('bash-long'), isCall);
  const [began = 0] = entries.map(({ at }) => at);
  const last = entries.at(-1)?.at ?? 0;
  const line = (now: number) => /⏳.*/.exec(shown(entries, { now })[0] ?? '')?.[0];
  assert.is(line(last + 59_000), '⏳ _Running Bash …_');
  assert.is(line(last + 60_000), '⏳ _Running Bash …_ (1 min)');
  const later = entries.map((entry) => ({ ...entry, at: entry.kind === 'turnStarted' ? began : began + 15 * 60_000 }));
  const now = began + 17 * 60_000;
  assert.match(shown(later as TranscriptEntry[], { now })[0] ?? '', '⏳ _Running Bash …_ (2 min, 15 min in all)');
});

test('the last line says what it took: time, tokens, money, and how full the context is', () => {
  const [post = ''] = wholly(recorded('write-edit-read'));
  assert.match(post, /\n\n_394 ms · 47\.2k tokens in, 128 out · \$0\.07 · context 1%\u00a0▱▱▱▱▱▱▱▱_$/);
  assert.match(wholly(recorded('todo-write'))[0] ?? '', / · 2\/2 done_$/);
});

test.run();
