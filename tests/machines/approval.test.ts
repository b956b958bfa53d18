import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { step } from '../../src/actors/step.ts';
import { renderCard } from '../../src/chat/cards.ts';
import type { ApprovalContext } from '../../src/machines/approval/context.ts';
import type { Effect } from '../../src/machines/effects.ts';
import { goldens } from './golden/files.ts';
import { type Driven, definitionOf, drive, kindsIn, said, told } from './support.ts';

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
  if (fields.kind === 'network') approval.done('firewall.check', CHECKED);
  approval.send('CARD.POSTED', { postId: 'p1' });
  return approval;
}

const CHECKED = { standing: 'ask', hosts: ['pypi.org', 'crates.io'], warnings: [], words: '' };
const NETWORK = { kind: 'network', inputJson: '{"hosts":["PyPI.org","crates.io"],"reason":"pip"}' };

/** Not yet checked. */
const unasked = () => drive('approval', 'approval/one/r1', { ...REQUEST, ...NETWORK });

/** Approved, opened, reached and told. */
function opened(scope: string): Driven {
  const approval = ask(NETWORK);
  approval.send('DECIDE', { verdict: { ...verdict('approved').verdict, scope } });
  approval.done('firewall.allow', { enforced: true, late: [] });
  for (const _ of CHECKED.hosts) approval.done('worker.probe', { reachable: true, error: '' });
  approval.done('worker.decide');
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
  const approval = ask(NETWORK);
  approval.send('DECIDE', verdict('approved'));
  assert.is(approval.value(), 'applying');
  assert.equal(outcomesTold(approval.asked), []);
  approval.send('OPENED', { enforced: true });
  approval.send('PROBED', { reachable: true });
  assert.equal(outcomesTold(approval.asked), [], 'one of two hosts is not all of them');
  approval.send('PROBED', { reachable: true });
  const decide = approval.asked.find((effect) => effect.kind === 'worker.decide');
  assert.is(decide?.kind === 'worker.decide' && decide.params.proven, true);
});

test('a firewall that refuses leaves the card open for another try', () => {
  const approval = ask(NETWORK);
  approval.send('DECIDE', verdict('approved'));
  approval.send('OPEN.FAILED', { human: 'no answer' });
  assert.is(approval.value(), 'failed');
  approval.send('DECIDE', verdict('approved'));
  assert.is(approval.value(), 'applying');
});

const TWO = { SM_TWO_APPROVERS: 'true' };

test('where two people must agree, one of them twice is not two, and one is enough to deny', () => {
  const approval = ask({}, TWO);
  const first = approval.send('DECIDE', verdict('approved', 'bob'));
  assert.ok(kindsIn(first).includes('chat.card'), 'the card says who has agreed');
  approval.send('DECIDE', verdict('approved', 'bob'));
  assert.is(approval.value(), 'pending');
  assert.equal(outcomesTold(approval.asked), []);
  approval.send('DECIDE', verdict('approved', 'carol'));
  assert.equal(outcomesTold(approval.asked), ['approved']);
  const denied = ask({}, TWO);
  denied.send('DECIDE', verdict('approved', 'bob'));
  denied.send('DECIDE', verdict('denied', 'carol'));
  assert.equal(outcomesTold(denied.asked), ['denied']);
});

test('the second of two people cannot widen what the first has agreed to', () => {
  const approval = ask(NETWORK, TWO);
  const yes = (name: string, scope: string) => {
    const { verdict: plain, ...rest } = verdict('approved', name);
    approval.send('DECIDE', { ...rest, verdict: { ...plain, scope } });
  };
  yes('bob', 'session');
  yes('carol', 'always');
  assert.is(approval.value(), 'pending');
  yes('bob', 'repo');
  assert.is(approval.value(), 'applying');
  assert.is((approval.context().verdict as { scope: string }).scope, 'repo');
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

test('a request is checked before anybody is asked, and asked about as it will be opened', () => {
  const approval = unasked();
  assert.equal(kindsIn(approval.asked), ['audit.record', 'firewall.check']);
  approval.done('firewall.check', CHECKED);
  assert.is(approval.value(), 'posting');
  assert.equal(approval.context().hosts, ['pypi.org', 'crates.io']);
});

test('what must not be asked is refused with words for the agent, a line in the thread and no card', () => {
  const approval = unasked();
  approval.done('firewall.check', {
    standing: 'refused',
    hosts: [],
    warnings: [],
    words: 'Wildcards cannot be opened.',
  });
  const decide = approval.asked.find((effect) => effect.kind === 'worker.decide');
  assert.equal(decide?.kind === 'worker.decide' && [decide.params.outcome, decide.params.message], [
    'denied',
    'Wildcards cannot be opened.',
  ]);
  assert.match(said(approval.asked).join(), /Wildcards/);
  approval.done('worker.decide');
  assert.equal(approval.value(), { settled: 'denied' });
  assert.not.ok(approval.kinds().includes('chat.card'));
});

test('a request that cannot be checked is refused, never asked unchecked', () => {
  const approval = unasked();
  approval.fails('firewall.check');
  assert.equal(outcomesTold(approval.asked), ['denied']);
  assert.not.ok(approval.kinds().includes('chat.card'));
});

test('what is open already is only tried; what the policy allows is opened without a person', () => {
  const granted = unasked();
  granted.done('firewall.check', { ...CHECKED, standing: 'granted' });
  assert.is(granted.value(), 'verifying');
  assert.not.ok(granted.kinds().includes('firewall.allow'));
  const always = unasked();
  always.done('firewall.check', { ...CHECKED, standing: 'always' });
  assert.is(always.value(), 'applying');
  assert.not.ok(always.kinds().includes('chat.card'));
});

test('RT-60: what can be reached already raises no card, and the agent is told that a refusal is not the firewall', () => {
  const approval = unasked();
  approval.done('firewall.check', { ...CHECKED, standing: 'granted', words: 'A refusal comes from the server.' });
  for (const _ of CHECKED.hosts) approval.done('worker.probe', { reachable: true, error: '' });
  const decide = approval.asked.find((effect) => effect.kind === 'worker.decide');
  assert.equal(decide?.kind === 'worker.decide' && [decide.params.outcome, decide.params.message], [
    'approved',
    'A refusal comes from the server.',
  ]);
  approval.done('worker.decide');
  assert.equal(approval.value(), { settled: 'granted' });
  assert.not.ok(approval.kinds().includes('chat.card'));
  assert.not.ok(approval.kinds().includes('firewall.allow'));
});

const WRITTEN_FORM = { ...NETWORK, toolName: '[NETWORK_REQUEST]', requestId: 'written-1' };
const messages = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => (effect.kind === 'tell' && effect.event.type === 'PROMPT' ? [effect.event] : []));

test('a request in words is answered by a message under the card, once, and needs no tool that waits', () => {
  for (const [outcome, state, sign] of [
    ['approved', 'active', /^\[NETWORK_APPROVED: pypi\.org\]\n\[NETWORK_APPROVED: crates\.io\]\nA connection/],
    ['denied', { settled: 'denied' }, /^\[NETWORK_DENIED: pypi\.org\]/],
    ['expired', { settled: 'expired' }, /^\[NETWORK_UNANSWERED: pypi\.org\]/],
  ] as const) {
    const approval = ask(WRITTEN_FORM, { SM_APPROVAL_TIMEOUT_SECS: '60' });
    if (outcome === 'expired') approval.wait(60_000);
    else approval.send('DECIDE', verdict(outcome));
    if (outcome === 'approved') {
      approval.done('firewall.allow', { enforced: true, late: [] });
      for (const _ of CHECKED.hosts) approval.done('worker.probe', { reachable: true, error: '' });
    }
    assert.equal(approval.value(), state);
    const [message, ...more] = messages(approval.asked);
    assert.equal(more, []);
    assert.match(String(message?.text), sign);
    assert.is(message?.postId, 'p1', 'its signs stand on the card');
    assert.equal(outcomesTold(approval.asked), []);
    assert.ok(approval.asked.some((effect) => effect.kind === 'tell' && effect.event.type === 'APPROVAL.SETTLED'));
  }
});

test('a request in words that another card asks for already is left to that card', () => {
  const approval = drive('approval', 'approval/one/r1', { ...REQUEST, ...WRITTEN_FORM });
  approval.done('firewall.check', { standing: 'asked', hosts: [], warnings: [], words: '' });
  assert.is(approval.value(), 'withdrawn');
  assert.not.ok(approval.kinds().includes('chat.card'));
  assert.equal(messages(approval.asked), []);
});

test('RT-61: a host that cannot be reached yet is tried again, and never called proven', () => {
  const approval = ask(NETWORK);
  approval.send('DECIDE', verdict('approved'));
  approval.done('firewall.allow', { enforced: true, late: ['pypi.org'] });
  approval.done('worker.probe', { reachable: true, error: '' });
  for (let left = 4; left > 0; left -= 1) {
    assert.equal(outcomesTold(approval.asked), []);
    approval.done('worker.probe', { reachable: false, error: 'refused' });
    approval.wait(5_000);
  }
  const decide = approval.asked.find((effect) => effect.kind === 'worker.decide');
  assert.is(decide?.kind === 'worker.decide' && decide.params.proven, false);
});

test('a grant for a repository ends by its time, one for a session does not', () => {
  const repo = opened('repo');
  assert.is(repo.value(), 'active');
  repo.wait(8 * 3_600_000 - 60_000);
  assert.is(repo.value(), 'active');
  repo.wait(60_000);
  assert.is(repo.value(), 'closing');
  repo.done('firewall.revoke');
  assert.is(repo.value(), 'closed');
  const session = opened('session');
  session.wait(30 * 86_400_000);
  assert.is(session.value(), 'active');
  session.send('REVOKE', { reason: 'The session ended.' });
  assert.is(session.value(), 'closing');
});

test('a session that ends while its way is being opened leaves nothing open', () => {
  for (const steps of [0, 1, 2, 3]) {
    const approval = ask(NETWORK);
    const next = [
      () => approval.done('firewall.allow', { enforced: true, late: [] }),
      () => approval.done('worker.probe', { reachable: true, error: '' }),
      () => approval.done('worker.probe', { reachable: true, error: '' }),
    ];
    approval.send('DECIDE', verdict('approved'));
    for (const step of next.slice(0, steps)) step();
    approval.send('REVOKE', { reason: 'The session ended.' });
    if (steps === 0) next[0]?.();
    while (approval.pending.some(({ kind }) => kind === 'worker.decide')) approval.fails('worker.decide');
    assert.is(approval.value(), 'closing', `after ${steps} steps`);
    approval.done('firewall.revoke');
    assert.is(approval.value(), 'closed', `after ${steps} steps`);
  }
});

const REVOKED = { reason: 'Closed by carol.', by: { id: 'carol-id', name: 'carol' } };
const recordedOf = (effects: readonly Effect[], action: RegExp) =>
  effects.flatMap((effect) =>
    effect.kind === 'audit.record' && action.test(effect.params.action)
      ? [[effect.params.action, effect.params.who]]
      : [],
  );
const cardOf = (approval: Driven) => {
  const context = approval.context() as ApprovalContext;
  return JSON.stringify(renderCard(context, String(approval.value()), () => ({}), { reach: '', url: '' }));
};
const decisions = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => (effect.kind === 'worker.decide' ? [effect.params] : []));

test('what is closed before the agent was told closes at once, however long the agent cannot be told, and is told as closed', () => {
  for (const [state, steps] of [
    ['verifying', 0],
    ['unreached', 1],
    ['telling', 2],
  ] as const) {
    const approval = ask(NETWORK);
    approval.send('DECIDE', verdict('approved'));
    approval.done('firewall.allow', { enforced: true, late: [] });
    if (steps === 1) approval.done('worker.probe', { reachable: false, error: 'x' });
    if (steps === 2) for (const _ of CHECKED.hosts) approval.done('worker.probe', { reachable: true, error: '' });
    assert.is(approval.value(), state);
    const effects = approval.send('REVOKE', REVOKED);
    assert.ok(kindsIn(effects).includes('firewall.revoke'), `${state}: the firewall is asked at once`);
    assert.ok(kindsIn(effects).includes('chat.card'), `${state}: the card is brought up to date`);
    assert.match(cardOf(approval), /Being closed\. Closed by carol/, state);
    const again = approval.send('REVOKE', { reason: 'The session ended.' });
    assert.equal(again, [], `${state}: who closed it first has closed it`);
    approval.done('firewall.revoke');
    assert.match(cardOf(approval), /Closed again\. Closed by carol/, state);
    assert.not.match(cardOf(approval), /was seen to work|trying a connection/, state);
    const last = decisions(effects).at(-1);
    assert.equal([last?.outcome, last?.proven], ['denied', false], state);
    assert.match(last?.message ?? '', /closed again before it could be used: Closed by carol/);
    while (approval.pending.some(({ kind }) => kind === 'worker.decide')) approval.done('worker.decide');
    assert.is(approval.value(), 'closed', state);
    assert.equal(recordedOf(approval.asked, /^grant\./), [
      ['grant.opened', 'bob'],
      ['grant.closed', 'carol'],
    ]);
    assert.is(told(approval.asked, 'APPROVAL.SETTLED').length, 1);
    if (approval.pending.some(({ kind }) => kind === 'worker.probe')) approval.fails('worker.probe');
    assert.equal(approval.unhandled, []);
  }
});

test('the news that it was opened does not count as told once it was closed again', () => {
  const approval = ask(NETWORK);
  approval.send('DECIDE', verdict('approved'));
  approval.done('firewall.allow', { enforced: true, late: [] });
  for (const _ of CHECKED.hosts) approval.done('worker.probe', { reachable: true, error: '' });
  approval.send('REVOKE', REVOKED);
  approval.done('worker.decide');
  assert.is(approval.value(), 'telling', 'what it is told since then is still on its way');
  approval.done('worker.decide');
  assert.is(approval.value(), 'closing');
  approval.fails('firewall.revoke');
  assert.is(approval.value(), 'unclosed');
  approval.done('firewall.revoke');
  assert.is(approval.value(), 'closed');
  assert.is(recordedOf(approval.asked, /^grant\.closed/).length, 1);
});

test('a request in words that is closed while it is being tried closes, too, and its message says so', () => {
  const approval = ask(WRITTEN_FORM);
  approval.send('DECIDE', verdict('approved'));
  approval.done('firewall.allow', { enforced: true, late: [] });
  approval.send('REVOKE', REVOKED);
  assert.is(approval.value(), 'closing');
  const [message, ...more] = messages(approval.asked);
  assert.equal(more, []);
  assert.match(String(message?.text), /^\[NETWORK_DENIED: pypi\.org\].*closed again before it could be used/s);
  approval.done('firewall.revoke');
  assert.is(approval.value(), 'closed');
});

test('what is closed while the firewall still opens it is closed as soon as it is open, or not asked about again if it fails', () => {
  for (const opens of [true, false]) {
    const approval = ask(NETWORK);
    approval.send('DECIDE', verdict('approved'));
    approval.send('REVOKE', REVOKED);
    assert.match(cardOf(approval), /Being closed\. Closed by carol/);
    if (opens) approval.done('firewall.allow', { enforced: true, late: [] });
    else approval.fails('firewall.allow');
    assert.is(approval.value(), 'telling');
    assert.ok(approval.kinds().includes('firewall.revoke'), 'what may have been stored is taken out');
    assert.equal(outcomesTold(approval.asked), ['denied']);
    if (opens) approval.done('firewall.revoke');
    approval.done('worker.decide');
    assert.is(approval.value(), 'closed');
    assert.not.match(cardOf(approval), /You can try again|Approve for this session/);
  }
});

test('an opening that failed and is tried again is not closed by who had closed the earlier one', () => {
  // As an earlier version left it: closed while it was being opened, and then the firewall refused.
  const stored = goldens().get('v2/approval/failed.json');
  assert.ok(stored);
  const { kind, address, envelope } = stored;
  const context = { ...(envelope.snapshot.context as object), closed: 'Revoked by carol.', closedBy: REVOKED.by };
  const left = { ...envelope, snapshot: { ...envelope.snapshot, context } };
  for (const event of [{ type: 'DECIDE', ...verdict('approved', 'dave') }, { type: 'RETRY' }]) {
    const again = step(definitionOf(kind), address, left, { ...event, at: 9_000 }, { rev: 50, now: 9_000 });
    assert.is(again.envelope.snapshot.value, 'applying');
    const { closed, closedBy } = again.envelope.snapshot.context as ApprovalContext;
    assert.equal([closed, closedBy], ['', null], event.type);
    const opens = { type: 'OPENED', at: 9_001, enforced: true };
    const after = step(definitionOf(kind), address, again.envelope, opens, { rev: 51, now: 9_001 });
    assert.is(after.envelope.snapshot.value, 'verifying', event.type);
  }
});

test('a firewall that fails leaves no grant behind that would open later', () => {
  const approval = ask(NETWORK);
  approval.send('DECIDE', verdict('approved'));
  approval.fails('firewall.allow');
  assert.ok(approval.kinds().includes('firewall.revoke'));
});

test('what cannot be closed is tried for as long as it takes', () => {
  const approval = opened('session');
  approval.send('REVOKE', { reason: 'x' });
  for (let round = 0; round < 3; round += 1) {
    approval.fails('firewall.revoke');
    approval.wait(60_000);
    assert.is(approval.value(), 'closing');
  }
});

const reminders = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => (effect.kind === 'chat.remind' ? [effect.params.time] : []));

test('a card that waits is called to mind, ever more rarely, and not for ever', () => {
  const approval = ask({}, { SM_APPROVAL_REMIND_SECS: '600' });
  approval.wait(10 * 60_000 - 60_000);
  assert.equal(reminders(approval.asked), []);
  approval.wait(60_000);
  assert.equal(reminders(approval.asked), [1]);
  approval.wait(10 * 60_000);
  assert.equal(reminders(approval.asked), [1], 'the second one takes twice as long');
  approval.wait(10 * 60_000);
  assert.equal(reminders(approval.asked), [1, 2]);
  for (let day = 0; day < 30; day += 1) approval.wait(86_400_000);
  assert.equal(reminders(approval.asked), [1, 2, 3, 4, 5]);
  approval.send('DECIDE', verdict('approved'));
  assert.equal(outcomesTold(approval.asked), ['approved'], 'it still works');
});

test('reminders give nobody more time, and nobody is reminded of what was answered or may not be reminded of', () => {
  const short = ask({}, { SM_APPROVAL_REMIND_SECS: '40', SM_APPROVAL_TIMEOUT_SECS: '60' });
  short.wait(41_000);
  assert.equal(reminders(short.asked), [1]);
  short.wait(19_500);
  assert.equal(outcomesTold(short.asked), ['expired']);
  const answered = ask({}, { SM_APPROVAL_REMIND_SECS: '600' });
  answered.send('DECIDE', verdict('denied'));
  const never = ask({}, { SM_APPROVAL_REMIND_SECS: '0' });
  for (const approval of [answered, never]) {
    approval.wait(90 * 86_400_000);
    assert.equal(reminders(approval.asked), []);
  }
});

test('what was opened and closed is recorded with the id and the name of who did it', () => {
  const approval = opened('session');
  approval.send('REVOKE', { reason: 'Closed by carol.', by: { id: 'carol-id', name: 'carol' } });
  approval.done('firewall.revoke');
  const recorded = approval.asked.flatMap((effect) =>
    effect.kind === 'audit.record' && /^grant/.test(effect.params.action)
      ? [[effect.params.action, effect.params.who, effect.params.detail.userId]]
      : [],
  );
  assert.equal(recorded, [
    ['grant.opened', 'bob', 'bob'],
    ['grant.closed', 'carol', 'carol-id'],
  ]);
});

test('RT-23: approved, denied and unanswered are three different things for the agent', () => {
  for (const outcome of ['approved', 'denied'] as const) {
    const approval = ask();
    approval.send('DECIDE', verdict(outcome));
    assert.equal(outcomesTold(approval.asked), [outcome]);
  }
  const silent = ask({}, { SM_APPROVAL_TIMEOUT_SECS: '60' });
  silent.wait(60_000);
  assert.equal(outcomesTold(silent.asked), ['expired']);
});

test('RT-24: a card that was left for three hours, or three weeks, still works', () => {
  for (const hours of [3, 21 * 24]) {
    const approval = ask();
    approval.wait(hours * 3_600_000);
    approval.send('DECIDE', verdict('approved'));
    assert.equal(outcomesTold(approval.asked), ['approved']);
  }
});

test.run();
