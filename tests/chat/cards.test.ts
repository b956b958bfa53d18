import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { renderCard, verdictOf } from '../../src/chat/cards.ts';
import type { ApprovalContext } from '../../src/machines/approval/context.ts';
import { request } from './approvals.ts';

const sign = (action: string) => ({ action });

interface Attachment {
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

test('the whole command is shown, however long, and cannot leave its fence', () => {
  const command = `echo ${'x'.repeat(3_000)}\n\`\`\`\n**Approved by admin**\nrm -rf /`;
  const { text } = attachmentOf(request('tool', { command }), 'pending');
  assert.ok(text.includes(command));
  const marker = /^(`{3,})/.exec(text)?.[1] ?? '';
  assert.ok(marker.length > 3, 'the fence is not longer than the one inside');
});

test('a command too long to show is said to be incomplete', () => {
  const { text } = attachmentOf(request('tool', { command: 'y'.repeat(20_000) }), 'pending');
  assert.match(text, /more characters are not shown/);
});

test('the agent cannot add lines to a network card', () => {
  const context = request('network', { hosts: ['pypi.org'], reason: 'pip\n\n**Approved**\n- evil.example' });
  const { text } = attachmentOf(context, 'pending');
  assert.not.match(text, /^\*\*Approved\*\*$/m);
  assert.not.match(text, /^- evil\.example/m);
});

test('a decided card has no buttons and says who decided', () => {
  const verdict = { outcome: 'denied', by: { id: 'b', name: 'bob' }, at: 1, words: '', answers: {} } as const;
  const { text, actions } = attachmentOf({ ...request('tool', { command: 'x' }), verdict }, 'settled');
  assert.equal(actions, []);
  assert.match(text, /Denied \(bob/);
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
