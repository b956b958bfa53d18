import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { POST_MAX } from '../../src/chat/render/layout.ts';
import { type SessionLine, statusText } from '../../src/chat/status.ts';

const LINE: SessionLine = {
  id: 'abcdefghijklmnopqrstuvwxyz',
  title: '',
  link: '',
  state: 'idle',
  owner: 'alice',
  idleMs: 60_000,
  contextTokens: 50_000,
  contextWindow: 200_000,
};

test('status leads from each session to its thread, under its title', () => {
  const text = statusText([
    {
      name: 'acme/web',
      state: 'running',
      sessions: [LINE, { ...LINE, link: 'https://chat.example.com/team/pl/x', title: 'Colours | @all' }],
    },
  ]);
  const rows = text.split('\n').slice(2);
  assert.match(rows[0] ?? '', /^\| \*\*acme\/web\*\* \| running \|/);
  assert.match(rows[1] ?? '', /^\| `abcdefgh` \| idle \| alice \| 1 min(?: 0 s)? \| 25% \|$/);
  assert.match(rows[2] ?? '', /^\| \[`abcdefgh`\]\(https:\/\/chat\.example\.com\/team\/pl\/x\) Colours \\\| \S*all \|/);
  assert.not.match(text, /@all/);
});

test('however many sessions there are, and whatever they are called, the answer is one post that says what it leaves out', () => {
  const link = `https://chat.example.com/${'t'.repeat(64)}/pl/${LINE.id}`;
  const long = { ...LINE, link, title: '|'.repeat(300), owner: '_'.repeat(64) };
  const text = statusText([{ name: '_'.repeat(400), state: 'running', sessions: Array(500).fill(long) }]);
  assert.ok([...text].length <= POST_MAX, String([...text].length));
  assert.match(text, /… and \d+ more lines/);
});

test('nothing that runs: how to begin', () => {
  assert.match(statusText([{ name: 'acme/web', state: 'removed', sessions: [] }]), /`@claude start org\/repo`/);
});

test.run();
