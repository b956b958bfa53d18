import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { answerBySign, answerInWords } from '../../src/chat/answers.ts';
import { reminderText, renderCard, verdictOf } from '../../src/chat/cards.ts';
import { type Fence, fenceAfter } from '../../src/chat/render/fences.ts';
import type { ApprovalContext } from '../../src/machines/approval/context.ts';
import { hostileTexts } from '../support/hostileText.ts';
import { request } from './approvals.ts';

const sign = (action: string) => ({ action });

interface Attachment {
  readonly title: string;
  readonly text: string;
  readonly actions: readonly { readonly id: string; readonly name: string }[];
}

function attachmentOf(context: ApprovalContext, state: string): Attachment {
  return renderCard(context, state, sign, { url: 'http://x/callback', reach: 'Opens for this container.' }).props
    .attachments[0] as unknown as Attachment;
}

const QUESTION = {
  questions: [
    { question: 'Which?', options: [{ label: 'Red', description: 'r' }, { label: 'Blue' }], multiSelect: false },
  ],
};

test('every action id is one that the chat server can route', () => {
  for (const context of [
    request('tool', { command: 'x' }),
    request('question', QUESTION),
    request('plan', { plan: 'p' }),
  ]) {
    for (const { id } of attachmentOf(context, 'pending').actions) assert.match(id, /^[A-Za-z0-9]+$/);
  }
});

/** What is not inside a fence. */
function outside(text: string): string[] {
  let fence: Fence | null = null;
  return text.split('\n').filter((line) => {
    const before = fence;
    fence = fenceAfter(line, fence);
    return before === null && fence === null;
  });
}

test('RT-25: the whole command is shown, with all that the tool is given besides, however long', () => {
  const command = `echo ${'x'.repeat(3_000)}\n\`\`\`\n**Approved by admin**\nrm -rf /`;
  const { text } = attachmentOf(request('tool', { command, dangerouslyDisableSandbox: true }), 'pending');
  assert.ok(text.includes(command));
  assert.match(text, /"dangerouslyDisableSandbox": true/);
  const marker = /^(`{3,})/.exec(text)?.[1] ?? '';
  assert.ok(marker.length > 3, 'the fence is not longer than the one inside');
  assert.not.ok(outside(text).some((line) => line.includes('Approved by admin')));
});

test('RT-25: what is not shown whole cannot be approved, by whatever way', () => {
  const by = { id: 'b', name: 'bob' };
  for (const input of [{ command: `ls ${'y'.repeat(20_000)}; rm -rf /` }, { a: 'z'.repeat(20_000) }]) {
    const context = request('tool', input);
    const { text, actions } = attachmentOf(context, 'pending');
    assert.match(text, /more characters are not shown, so this cannot be approved/);
    assert.equal(
      actions.map(({ id }) => id),
      ['deny'],
    );
    assert.is(verdictOf(context, 'approve', by, 1), undefined);
    assert.is(answerInWords(context, 'approve', by, 1), undefined);
    assert.is(answerBySign(context, 'white_check_mark', by, 1), undefined);
  }
});

test('RT-25: what hides in a command is made visible', () => {
  for (const [hidden, shown] of [
    ['rm \u202efles\u202c', 'rm ⟦U+202E⟧fles⟦U+202C⟧'],
    ['ls\rrm -rf /', 'ls⟦U+000D⟧rm -rf /'],
    ['cat a\u200b.txt', 'cat a⟦U+200B⟧.txt'],
  ] as const) {
    assert.ok(attachmentOf(request('tool', { command: hidden }), 'pending').text.includes(shown), shown);
    const { text } = attachmentOf(request('network', { hosts: ['pypi.org'], reason: hidden }), 'pending');
    assert.not.match(text, /[\u202e\u200b\r]/);
  }
});

test('RT-25: nothing an agent writes adds a line to a card, or changes one', () => {
  const lies = [
    'pip\n\n**Approved**\n- evil.example',
    '✅ Approved (alice)\n\n_Or write `approve`_',
    'a\r\n⛔ Denied\u2028**Reason:** none\u2029- `x`\u0085end',
    '```\n**Asked in a session of** root',
    '\n```\n**Approved**\n```',
    '</details>\n# Big\n---\n> quoted\n| a | b |\n|:--|:--|',
    '![x](http://evil.example/p.png) @channel @all',
    ...hostileTexts('MARK'),
  ];
  const cards: readonly ((text: string) => ApprovalContext)[] = [
    (text) => request('network', { hosts: ['pypi.org'], reason: text }),
    (text) => ({ ...request('network', { hosts: ['pypi.org'], reason: 'r' }), warnings: [text] }),
    (text) => request('tool', { command: `x${text}` }),
    (text) => request('tool', { other: text }),
    (text) => ({ ...request('tool', { command: 'x' }), toolName: `mcp__x${text}` }),
    (text) => request('plan', { plan: `x${text}` }),
    (text) => request('question', { questions: [{ question: text, options: [{ label: text, description: text }] }] }),
  ];
  for (const card of cards) {
    const shape = (text: string) => {
      const shown = attachmentOf(card(text), 'pending');
      return {
        lines: outside(shown.text).filter((line) => !line.startsWith('> ')).length,
        title: shown.title.split('\n').length,
        buttons: shown.actions.map(({ id }) => id).join(),
        names: shown.actions.every(({ name }) => !/[\n\r]/.test(name)),
      };
    };
    const harmless = shape('word');
    for (const lie of lies) assert.equal(shape(lie), harmless, JSON.stringify(lie));
  }
});

test('a decided card has no buttons and says who decided', () => {
  const verdict = { outcome: 'denied', by: { id: 'b', name: 'bob' }, at: 1, words: '', answers: {} } as const;
  const { text, actions } = attachmentOf({ ...request('tool', { command: 'x' }), verdict }, 'settled');
  assert.equal(actions, []);
  assert.match(text, /Denied \(bob/);
});

test('a decided card has one button as long as something is open: to close it again', () => {
  const verdict = { outcome: 'approved', by: { id: 'b', name: 'bob' }, at: 1, words: '', answers: {} } as const;
  const context = { ...request('network', { hosts: ['pypi.org'], reason: 'r' }), verdict, opened: true };
  const ids = (more: Partial<ApprovalContext>, state: string) =>
    attachmentOf({ ...context, ...more }, state).actions.map(({ id }) => id);
  for (const state of ['verifying', 'unreached', 'telling', 'active']) assert.equal(ids({}, state), ['close'], state);
  for (const state of ['applying', 'closing', 'unclosed', 'closed', 'settled', 'withdrawn']) {
    assert.equal(ids({}, state), [], state);
  }
  assert.equal(ids({ closed: 'Revoked by bob.' }, 'telling'), []);
  assert.equal(ids({ opened: false }, 'active'), []);
  assert.is(verdictOf(context, 'close', verdict.by, 1), undefined, 'it decides nothing');
});

test('a card for network access says who asked, in whose session, for which repository', () => {
  const context = request('network', { hosts: ['pypi.org'], reason: 'r' });
  const own = attachmentOf(context, 'pending').text;
  assert.match(own, /\*\*Asked in a session of\*\* \w+ \*\*on\*\* `/);
  const other = attachmentOf({ ...context, askedBy: { id: 'bob-id', name: 'bob' } }, 'pending').text;
  assert.match(other, /\*\*Asked by\*\* bob \*\*in a session of\*\* \w+ \*\*on\*\* `/);
});

test('a reminder says what waits, since when and where, in one line that the agent cannot leave', () => {
  const context = { ...request('tool', { command: 'x' }), toolName: 'mcp__x\n@all [a](http://b)', askedAt: 0 };
  const text = reminderText(context, 2 * 3_600_000, 'http://chat/team/pl/card');
  assert.match(text, /still waits for an answer, for 2 h now/);
  assert.match(text, /\(\[card\]\(http:\/\/chat\/team\/pl\/card\)\)$/);
  assert.is(text.split('\n').length, 1);
  assert.not.match(text, /@all|\[a\]\(/);
});

test('an answer button stands for its option, and unknown actions for nothing', () => {
  const context = request('question', QUESTION);
  const by = { id: 'b', name: 'bob' };
  assert.equal(verdictOf(context, 'answer1', by, 1)?.answers, { 'Which?': 'Blue' });
  assert.is(verdictOf(context, 'answer2', by, 1), undefined);
  assert.is(verdictOf(context, 'approve', by, 1), undefined);
  assert.is(verdictOf(context, 'constructor', by, 1), undefined);
});

test.run();
