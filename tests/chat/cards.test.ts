import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { renderCard, verdictOf } from '../../src/chat/cards.ts';
import { type ApprovalContext, type ApprovalKind, newApproval } from '../../src/machines/approval/context.ts';

const sign = (action: string) => ({ action });

function request(kind: ApprovalKind, input: object): ApprovalContext {
  return newApproval({
    address: 'approval/one/r',
    timeoutMs: 0,
    request: {
      type: 'REQUESTED',
      at: 1,
      session: 'session/one',
      requestId: 'r',
      kind,
      toolName: 'Bash',
      inputJson: JSON.stringify(input),
      digest: 'd',
      turnId: 't',
      repo: 'acme/web',
      askedFor: { id: 'u', name: 'alice' },
      channelId: 'c',
      rootId: 'r',
    },
  });
}

interface Shown {
  readonly text: string;
  readonly more: string;
  readonly actions: readonly { readonly id: string; readonly name: string; readonly url: string }[];
}

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;

function shownBy(context: ApprovalContext, state: string): Shown {
  const { message, props } = renderCard(context, state, sign, 'http://x/callback');
  const [attachment] = props.attachments;
  const actions = field(attachment, 'actions');
  return {
    text: message,
    more: String(field(attachment, 'text')),
    actions: (Array.isArray(actions) ? actions : []).map((action) => ({
      id: String(field(action, 'id')),
      name: String(field(action, 'name')),
      url: String(field(field(action, 'integration'), 'url')),
    })),
  };
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
    for (const { id } of shownBy(context, 'pending').actions) assert.match(id, /^[A-Za-z0-9]+$/);
  }
});

test('the whole command is shown, however long, and cannot leave its fence', () => {
  const command = `echo ${'x'.repeat(3_000)}\n\`\`\`\n**Approved by admin**\nrm -rf /`;
  const { text } = shownBy(request('tool', { command }), 'pending');
  assert.ok(text.includes(command));
  const marker = /^(`{3,})/.exec(text)?.[1] ?? '';
  assert.ok(marker.length > 3, 'the fence is not longer than the one inside');
});

test('a long file is shown whole, beside its path; what cannot be shown whole cannot be approved', () => {
  const long = request('tool', { file_path: '/repo/a.txt', content: `${'y'.repeat(40_000)}END` });
  const { text, more, actions } = shownBy(long, 'pending');
  assert.ok([...text].length <= 16_383);
  assert.is((text + more).split('y').length > 40_000, true);
  assert.match(more, /END/);
  assert.equal(
    actions.map(({ name }) => name),
    ['Approve', 'Deny'],
  );
  const tooLong = request('tool', { command: 'y'.repeat(90_000) });
  assert.match(shownBy(tooLong, 'pending').text, /cannot be approved/);
  assert.equal(
    shownBy(tooLong, 'pending').actions.map(({ id }) => id),
    ['deny'],
  );
  assert.is(verdictOf(tooLong, 'approve', { id: 'b', name: 'bob' }, 1), undefined);
});

test('every argument is shown, not only the one that says most', () => {
  const { text } = shownBy(request('tool', { command: 'ls', timeout: 5, run_in_background: true }), 'pending');
  for (const part of [/ls/, /timeout.*5/, /run_in_background.*true/]) assert.match(text, part);
});

test('characters that hide or turn text around are shown by their numbers', () => {
  const { text } = shownBy(request('tool', { command: 'echo \u202egnp.exe\u200b' }), 'pending');
  assert.match(text, /\\u\{202e\}gnp\.exe\\u\{200b\}/);
});

test('arguments that are no JSON are shown as they are', () => {
  const context = { ...request('tool', {}), inputJson: '{"command": "rm' };
  assert.match(shownBy(context, 'pending').text, /\{"command": "rm/);
});

test('a plan stays inside its quotation, however it is written', () => {
  const plan = '# Plan\n\n```\n✅ Approved (admin)\n```\n@all go';
  const { text } = shownBy(request('plan', { plan }), 'pending');
  const after = text.split('\n').slice(2);
  assert.ok(after.every((line) => line.startsWith('>')));
  assert.not.match(text, /@all/);
});

test('several questions, or several answers, have no buttons that would answer only in part', () => {
  const many = request('question', {
    questions: [
      { question: 'A?', options: [{ label: 'x' }] },
      { question: 'B?', options: [{ label: 'y' }] },
    ],
  });
  const multi = request('question', { questions: [{ question: 'A?', options: [{ label: 'x' }], multiSelect: true }] });
  for (const context of [many, multi]) {
    const { actions, text } = shownBy(context, 'pending');
    assert.equal(
      actions.map(({ id }) => id),
      ['deny'],
    );
    assert.match(text, /write it in this thread/);
  }
});

test('the agent cannot add lines to a network card', () => {
  const context = request('network', { hosts: ['pypi.org'], reason: 'pip\n\n**Approved**\n- evil.example' });
  const { text } = shownBy(context, 'pending');
  assert.not.match(text, /^\*\*Approved\*\*$/m);
  assert.not.match(text, /^- evil\.example/m);
});

test('a decided card has no buttons and says who decided', () => {
  const verdict = { outcome: 'denied', by: { id: 'b', name: 'bob' }, at: 1, words: '', answers: {} } as const;
  const { text, actions } = shownBy({ ...request('tool', { command: 'x' }), verdict }, 'settled');
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
