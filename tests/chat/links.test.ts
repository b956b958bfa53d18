// What a push gave is shown at the end of its turn.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { renderThread } from '../../src/chat/render/index.ts';
import { readEntry } from '../../src/chat/transcript.ts';
import type { JsonObject } from '../../src/machines/json.ts';

type Call = readonly [command: string, output: string, isError?: boolean];

function endOf(...calls: readonly Call[]): string {
  const rows: (readonly [string, JsonObject])[] = [['turnStarted', { turnId: 't', inputIds: [] }]];
  for (const [index, [command, summary, isError = false]] of calls.entries()) {
    const toolUseId = `u${index}`;
    rows.push(['toolUse', { turnId: 't', toolUseId, name: 'Bash', inputJson: JSON.stringify({ command }) }]);
    rows.push(['toolResult', { turnId: 't', toolUseId, isError, summary, fullLength: summary.length }]);
  }
  rows.push(['turnEnded', { turnId: 't', outcome: 'TURN_OUTCOME_COMPLETED', durationMs: 1000 }]);
  const entries = rows.flatMap(([kind, body], index) => readEntry({ id: index + 1, at: index, kind, body }) ?? []);
  const posts = renderThread(entries, { verbosity: 'quiet' });
  return (posts.at(-1)?.message ?? '').replace(/\n*_1 s_$/, '');
}

const PUSHED = `remote:
remote: Create a pull request for 'fix/login' on GitHub by visiting:
remote:      https://github.com/acme/shop/pull/new/fix/login
remote:
To https://github.com/acme/shop.git
 * [new branch]      fix/login -> fix/login`;

test('a branch that was pushed: where to open its pull request', () => {
  const url = 'https://github.com/acme/shop/pull/new/fix/login';
  const said = `🔗 Pushed; open a pull request: [${url}](${url})`;
  assert.is(endOf(['git push -u origin fix/login', PUSHED]), said);
  assert.match(endOf(['git commit -qm x && git -C sub push', PUSHED]), said);
});

test('a pull request that was opened takes the place of the offer, once', () => {
  const created: Call = ['gh pr create --fill', 'Creating pull request\nhttps://github.com/acme/shop/pull/42\n'];
  const url = 'https://github.com/acme/shop/pull/42';
  const said = `🔗 Pull request: [${url}](${url})`;
  assert.is(endOf(['git push', PUSHED], created, created), said);
});

test('other hosts and other words for it', () => {
  const gitlab = 'remote:   https://git.example.com/a/b/-/merge_requests/new?merge_request%5Bsource_branch%5D=fix';
  assert.match(
    endOf(['git push', gitlab]),
    '](https://git.example.com/a/b/-/merge_requests/new?merge_request%5Bsource_branch%5D=fix)',
  );
  const made = 'View merge request: https://git.example.com/a/b/-/merge_requests/7';
  assert.match(endOf(['git push', made]), '](https://git.example.com/a/b/-/merge_requests/7)');
});

test('nothing is made of an address that anything else prints, or of a push that failed', () => {
  for (const call of [
    ['cat notes.md', 'see https://github.com/acme/shop/pull/42'],
    ['git log', 'Merge https://github.com/acme/shop/pull/42'],
    ['git push', PUSHED, true],
    ['git push', 'Everything up-to-date'],
    ['git push', 'http://github.com/acme/shop/pull/42 https://github.com/acme/shop/pull/42x'],
  ] as const) {
    assert.is(endOf(call), '', call.join(': '));
  }
});

test.run();
