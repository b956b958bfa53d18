import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Effect } from '../../src/machines/effects.ts';
import { type Driven, drive } from './support.ts';

const REQUEST = {
  type: 'REQUESTED',
  session: 'session/one',
  requestId: 'r1',
  kind: 'tool',
  toolName: 'Bash',
  inputJson: '{"command":"rm -rf build"}',
  digest: 'd',
  turnId: 't',
  repo: 'acme/web',
  askedFor: { id: 'u', name: 'alice' },
  channelId: 'c',
  rootId: 'r',
} as const;

function ask(fields: Record<string, string> = {}, env = {}): Driven {
  const approval = drive('approval', 'approval/one/r1', { ...REQUEST, ...fields }, env);
  approval.send('CARD.POSTED', { postId: 'p1' });
  return approval;
}

const verdict = (outcome: string, name = 'bob') => ({
  verdict: { outcome, by: { id: name, name }, at: 1, words: '', answers: {} },
});

const outcomesTold = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => (effect.kind === 'worker.decide' ? [effect.params.outcome] : []));

test('the first decision is told to the agent with the digest that was shown, later ones change nothing', () => {
  const approval = ask();
  const effects = approval.send('DECIDE', verdict('approved'));
  const decide = effects.find((effect) => effect.kind === 'worker.decide');
  assert.is(decide?.kind === 'worker.decide' && decide.params.digest, 'd');
  approval.send('DECIDE', verdict('denied', 'eve'));
  approval.send('TOLD');
  approval.send('DECIDE', verdict('denied', 'eve'));
  assert.equal(outcomesTold(approval.asked), ['approved']);
  assert.equal(approval.value(), { settled: 'granted' });
});

test('approved, denied and expired are three different answers', () => {
  for (const [outcome, state] of [
    ['approved', 'granted'],
    ['denied', 'denied'],
  ] as const) {
    const approval = ask();
    approval.send('DECIDE', verdict(outcome));
    approval.send('TOLD');
    assert.equal(approval.value(), { settled: state });
  }
  const silent = ask({}, { SM_APPROVAL_TIMEOUT_SECS: '60' });
  silent.send('xstate.after.timeoutMs.approval.pending');
  silent.send('TOLD');
  assert.equal(silent.value(), { settled: 'expired' });
  assert.equal(outcomesTold(silent.asked), ['expired']);
});

test('a click and the deadline at once: whichever comes first holds, for card and agent alike', () => {
  for (const clickFirst of [true, false]) {
    const approval = ask({}, { SM_APPROVAL_TIMEOUT_SECS: '60' });
    const click = () => approval.send('DECIDE', verdict('approved'));
    const deadline = () => approval.send('xstate.after.timeoutMs.approval.pending');
    for (const event of clickFirst ? [click, deadline] : [deadline, click]) event();
    approval.send('TOLD');
    assert.equal(outcomesTold(approval.asked), [clickFirst ? 'approved' : 'expired']);
    assert.equal(approval.value(), { settled: clickFirst ? 'granted' : 'expired' });
  }
});

test('a network request is opened and probed before the agent is told', () => {
  const approval = ask({ kind: 'network', inputJson: '{"hosts":["pypi.org"],"reason":"pip"}' });
  approval.send('DECIDE', verdict('approved'));
  assert.is(approval.value(), 'applying');
  assert.equal(outcomesTold(approval.asked), []);
  approval.send('OPENED', { enforced: true });
  approval.send('PROBED', { reachable: true });
  const decide = approval.asked.find((effect) => effect.kind === 'worker.decide');
  assert.is(decide?.kind === 'worker.decide' && decide.params.proven, true);
});

test('a firewall that refuses leaves the card open for another try', () => {
  const approval = ask({ kind: 'network', inputJson: '{"hosts":["pypi.org"],"reason":"pip"}' });
  approval.send('DECIDE', verdict('approved'));
  approval.send('OPEN.FAILED', { human: 'no answer' });
  assert.is(approval.value(), 'failed');
  approval.send('DECIDE', verdict('approved'));
  assert.is(approval.value(), 'applying');
});

test('a deleted card is posted anew, and the old buttons are void', () => {
  const approval = ask();
  approval.send('CARD.DELETED');
  assert.is(approval.value(), 'posting');
  assert.is(approval.context().cardGeneration, 2);
  approval.send('CARD.POSTED', { postId: 'p2' });
  assert.is(approval.context().cardPostId, 'p2');
});

test('a request whose turn has ended is withdrawn, and a click afterwards does nothing', () => {
  const approval = ask();
  approval.send('WITHDRAW', { reason: 'The turn ended.' });
  assert.is(approval.value(), 'withdrawn');
  approval.send('DECIDE', verdict('approved'));
  assert.equal(outcomesTold(approval.asked), []);
});

const words = (postId: string) => ({ type: 'PROMPT', at: 2, postId, text: 'use blue', addressed: true });

test('an answer in words marks its post; one that comes too late becomes a message instead of nothing', () => {
  const approval = ask();
  const first = approval.send('DECIDE', { ...verdict('approved'), said: words('p2') });
  assert.ok(first.some((effect) => effect.kind === 'chat.react' && effect.params.postId === 'p2'));
  assert.ok(first.some((effect) => effect.kind === 'heard' && effect.postId === 'p2'));
  for (const settle of [() => undefined, () => approval.send('TOLD')]) {
    settle();
    const late = approval.send('DECIDE', { ...verdict('denied', 'eve'), said: words('p3') });
    const passed = late.flatMap((effect) => (effect.kind === 'tell' ? [`${effect.to} ${effect.event.type}`] : []));
    assert.equal(passed, ['session/one PROMPT']);
  }
  assert.equal(outcomesTold(approval.asked), ['approved']);
});

test.run();
