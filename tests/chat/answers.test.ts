import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { adviceBySign, answerBySign, answerInWords, isDecision } from '../../src/chat/answers.ts';
import { adviceOf, renderCard } from '../../src/chat/cards.ts';
import { renderThread } from '../../src/chat/render/index.ts';
import { readEntry } from '../../src/chat/transcript.ts';
import type { ApprovalContext } from '../../src/machines/approval/context.ts';
import { request } from './approvals.ts';

const BY = { id: 'b', name: 'bob' };

const colours = { question: 'Which?', options: [{ label: 'Red' }, { label: 'Dark blue' }, { label: '7' }] };
const ONE = request('question', { questions: [colours] });
const SEVERAL = request('question', { questions: [{ ...colours, multiSelect: true }] });
const TWO = request('question', { questions: [colours, { question: 'How many?', options: [] }] });
const PLAN = request('plan', { plan: 'Do it.' });
const TOOL = request('tool', { command: 'ls' });
const NETWORK = request('network', { hosts: ['pypi.org'], reason: 'pip' });

const said = (context: ApprovalContext, text: string) => {
  const answer = answerInWords(context, text, BY, 5);
  if (answer?.kind !== 'verdict') return answer?.kind ?? 'nothing';
  const { outcome, words, answers, scope = '' } = answer.verdict;
  if (scope !== '') return `${outcome} ${scope}`;
  return context.kind === 'question' && outcome === 'approved' ? Object.values(answers) : `${outcome} ${words}`.trim();
};

for (const [context, text, expected] of [
  [ONE, '1', ['Red']],
  [ONE, ' 2. ', ['Dark blue']],
  [ONE, 'dark  BLUE!', ['Dark blue']],
  [ONE, '7', ['7']],
  [ONE, '4', ['4']],
  [ONE, 'green, like grass', ['green, like grass']],
  [ONE, 'no', ['no']],
  [SEVERAL, '1, 2', ['Red, Dark blue']],
  [SEVERAL, 'red and dark blue', ['Red, Dark blue']],
  [SEVERAL, 'red and something else', ['red and something else']],
  [TWO, 'red\nthree', ['Red', 'three']],
  [TWO, '1) red\n2) three', ['Red', 'three']],
  [TWO, 'red', 'unclear'],
  [ONE, 'skip', 'denied Nobody wants to answer this.'],
  [PLAN, 'Approve', 'approved'],
  [PLAN, 'go ahead!', 'approved'],
  [PLAN, 'not yet', 'denied Not yet: keep planning.'],
  [PLAN, 'use a queue instead', 'denied use a queue instead'],
  [PLAN, 'yes, but with tests', 'denied yes, but with tests'],
  [TOOL, 'allow', 'approved'],
  [TOOL, 'No.', 'denied A person said no.'],
  [TOOL, 'ok', 'nothing'],
  [TOOL, 'no idea what this does', 'nothing'],
  [TOOL, 'I would not allow that', 'nothing'],
  [TOOL, 'deny: not on a Friday', 'denied not on a Friday'],
  [TOOL, 'Reject, use the mirror\nand tell me', 'denied use the mirror\nand tell me'],
  [TOOL, 'no: ', 'nothing'],
  [TOOL, 'no, wait', 'nothing'],
  [TOOL, 'approve always', 'nothing'],
  [NETWORK, 'yes', 'approved'],
  [NETWORK, 'Approve for this session', 'approved'],
  [NETWORK, 'approve for this repo', 'approved repo'],
  [NETWORK, 'allow, for the repository.', 'approved repo'],
  [NETWORK, 'yes always', 'approved always'],
  [NETWORK, 'always allow', 'approved always'],
  [NETWORK, 'approve it for everybody', 'approved always'],
  [NETWORK, 'approve for this repo and the other one', 'nothing'],
  [NETWORK, 'do not always allow', 'nothing'],
  [NETWORK, 'deny: use the mirror', 'denied use the mirror'],
] as const) {
  test(`to a ${context.kind}: ${JSON.stringify(text)} is ${JSON.stringify(expected)}`, () => {
    assert.equal(said(context, text), expected);
  });
}

test('RT-27: no answer means no answer: empty words decide nothing, whatever is asked', () => {
  for (const context of [ONE, SEVERAL, TWO, PLAN, TOOL, NETWORK]) {
    for (const text of ['', '   ', '\n']) assert.is(answerInWords(context, text, BY, 5), undefined);
  }
});

test('RT-28: words that merely begin like a decision are none', () => {
  for (const text of ['allow', 'Approve.', 'deny', 'NO']) assert.ok(isDecision(text), text);
  for (const text of [
    'allow me to explain',
    'not now',
    'know',
    'denying is hard',
    'yesterday',
    'no, wait',
    'approve for this session and what comes after it',
  ]) {
    assert.not(isDecision(text), text);
  }
});

test('a pencil on a plan asks for words, as the button for a change does; elsewhere it means nothing', () => {
  assert.match(adviceBySign(PLAN, 'pencil2') ?? '', /Write in the thread what to change/);
  assert.is(adviceBySign(PLAN, 'tada'), undefined);
  assert.is(adviceBySign(TOOL, 'pencil2'), undefined);
});

test('a reaction does what the button does, and others do nothing', () => {
  const sign = (context: ApprovalContext, emoji: string) => answerBySign(context, emoji, BY, 5);
  assert.is(sign(TOOL, '+1')?.outcome, 'approved');
  assert.is(sign(TOOL, '+1_medium_skin_tone')?.outcome, 'approved');
  assert.is(sign(PLAN, 'x')?.outcome, 'denied');
  assert.equal(sign(ONE, 'two')?.answers, { 'Which?': 'Dark blue' });
  assert.is(sign(ONE, 'nine'), undefined);
  assert.is(sign(ONE, 'white_check_mark'), undefined, 'approving a question is no answer');
  assert.is(sign(SEVERAL, 'one'), undefined, 'one of several is not all of them');
  for (const emoji of ['tada', 'eyes', 'constructor', '']) assert.is(sign(TOOL, emoji), undefined, emoji);
});

test('the button for a change decides nothing and says how to change', () => {
  assert.match(adviceOf(PLAN, 'change') ?? '', /Write in the thread/);
  assert.is(adviceOf(TOOL, 'change'), undefined);
});

test('a plan too long for its card stands above it, whole', () => {
  const plan = `# Steps\n${Array.from({ length: 900 }, (_, index) => `${index}. do part ${index} of the work`).join('\n')}\nEND`;
  const context = request('plan', { plan });
  const card = JSON.stringify(renderCard(context, 'pending', () => ({}), { reach: '', url: 'http://x' }));
  assert.match(card, /stands above/);
  const rows = [
    ['turnStarted', { turnId: 't', inputIds: [] }],
    [
      'approvalRequest',
      {
        requestId: 'r',
        kind: 'APPROVAL_KIND_PLAN',
        turnId: 't',
        toolName: 'ExitPlanMode',
        inputJson: context.inputJson,
      },
    ],
  ] as const;
  const entries = rows.flatMap(([kind, body], index) => readEntry({ id: index + 1, at: index, kind, body }) ?? []);
  const posts = renderThread(entries, { verbosity: 'quiet' });
  const whole = posts.map(({ message }) => message).join('\n');
  for (let index = 0; index < 900; index += 1) assert.ok(whole.includes(`${index}. do part ${index} of the work`));
  assert.match(whole, /END/);
  assert.ok(posts.every(({ message }) => [...message].length <= 16_383));
});

test.run();
