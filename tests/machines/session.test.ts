import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  attaching,
  begin,
  by,
  connecting,
  ended,
  LINK_UP,
  open,
  prompt,
  request,
  started,
  stateOf,
  stop,
  stopped,
  working,
} from './sessionEvents.ts';
import { kindsIn, prompted, said, tells, told } from './support.ts';

const CONTAINER = 'container/acme/web@';

test('opening asks for thread, workspace and container in order, then says that it is ready', () => {
  const session = open();
  assert.equal(
    session.kinds().filter((kind) => ['chat.openThread', 'bindThread', 'workspace.checkout', 'tell'].includes(kind)),
    ['chat.openThread', 'bindThread', 'workspace.checkout', 'tell'],
  );
  assert.match(said(session.asked).at(-1) ?? '', /Ready on/);
  assert.is(stateOf(session, 'conversation'), 'idle');
});

test('messages written while it opens are sent in order, one turn after the other', () => {
  const session = begin();
  session.send('PROMPT', prompt('p1'));
  session.done('chat.openThread', { channelId: 'c', rootId: 'r' });
  session.send('PROMPT', prompt('p2'));
  session.done('workspace.checkout', { path: '/w', branch: 'one' });
  session.send('CONTAINER.READY', { endpoint: 'e', generation: 1, identity: 'i' });
  assert.equal(prompted(session.send('LINK.UP', LINK_UP)), ['p1']);
  session.send('TURN.STARTED', started('t1', 'p1'));
  assert.equal(prompted(session.send('TURN.ENDED', ended('t1'))), ['p2']);
});

test('a message that waits is sent as it was last edited, and not at all once deleted', () => {
  const session = working();
  session.send('PROMPT', prompt('p2'));
  session.send('PROMPT', prompt('p3'));
  session.send('POST.EDITED', { postId: 'p3', text: 'better words' });
  session.send('POST.DELETED', { postId: 'p2' });
  const effects = session.send('TURN.ENDED', ended('t1'));
  const sent = effects.find((effect) => effect.kind === 'worker.prompt');
  assert.is(sent?.kind === 'worker.prompt' && sent.params.text, 'better words');
});

test('a message that had to wait is marked, and the mark goes when its turn begins', () => {
  const session = working();
  const marks = () =>
    session.asked.flatMap((effect) =>
      effect.kind === 'chat.react' ? [`${effect.params.remove ? '-' : '+'}${effect.params.postId}`] : [],
    );
  session.send('PROMPT', prompt('p2'));
  assert.equal(marks(), ['+p2']);
  session.send('TURN.ENDED', ended('t1'));
  session.send('TURN.STARTED', started('t2', 'p2'));
  assert.equal(marks(), ['+p2', '-p2']);
});

test('after a worker that lost its log an unstarted message is sent again, one that was taken is not and that is said', () => {
  const untaken = open();
  untaken.send('PROMPT', prompt('p1'));
  untaken.send('LINK.DOWN', { reason: 'gone' });
  assert.equal(prompted(untaken.send('LINK.UP', { ...LINK_UP, logId: 'log2' })), ['p1']);

  const taken = open();
  taken.send('PROMPT', prompt('p1'));
  taken.done('worker.prompt');
  taken.send('LINK.DOWN', { reason: 'gone' });
  const effects = taken.send('LINK.UP', { ...LINK_UP, logId: 'log2' });
  assert.equal(prompted(effects), []);
  assert.match(said(effects).join(), /lost its log/);
  assert.is(stateOf(taken, 'conversation'), 'idle');
});

test('the outcome of an earlier attempt at a message says nothing about the later one', () => {
  const session = open();
  session.send('PROMPT', prompt('p1'));
  session.send('LINK.DOWN', { reason: 'gone' });
  session.send('LINK.UP', { ...LINK_UP, logId: 'log2' });
  assert.is(session.pending.filter(({ kind }) => kind === 'worker.prompt').length, 2);
  assert.equal(session.fails('worker.prompt'), [], 'the first attempt');
  assert.match(said(session.fails('worker.prompt', 'Too big.')).join(), /Too big/);
});

test('plan mode is what the worker confirmed, not what was asked', () => {
  const session = open();
  session.send('COMMAND.PLAN', { ...by('p1'), on: null });
  assert.is(stateOf(session, 'mode'), 'normal');
  session.send('MODE.CHANGED', { plan: true });
  assert.is(stateOf(session, 'mode'), 'plan');
  const off = session.send('COMMAND.PLAN', { ...by('p2'), on: null });
  assert.ok(off.some((effect) => effect.kind === 'worker.mode' && !effect.params.plan));
});

test('an open question makes the session wait for a person, and its answer makes it work again', () => {
  const session = working();
  const asked = session.send('APPROVAL.REQUESTED', request('r1'));
  assert.equal(told(asked, 'REQUESTED'), ['approval/p0/r1']);
  assert.equal(session.send('APPROVAL.REQUESTED', request('r1')), [], 'asked once');
  assert.equal(stateOf(session, 'conversation'), '{"thinking":"waitingForPerson"}');
  session.send('APPROVAL.SETTLED', { requestId: 'r1' });
  assert.equal(stateOf(session, 'conversation'), '{"thinking":"working"}');
});

test('stopping withdraws questions, closes the agent, looks at the checkout and leaves the container, in this order', () => {
  const session = working();
  session.send('APPROVAL.REQUESTED', request('r1'));
  const closing = session.send('COMMAND.STOP', stop('s1'));
  assert.equal(told(closing, 'WITHDRAW'), ['approval/p0/r1']);
  assert.ok(kindsIn(closing).includes('worker.close'));
  const stopping = session.send('SESSION.CLOSED', { reason: 'requested', agentSessionId: 'a', error: '' });
  assert.equal(kindsIn(stopping), ['workspace.tidy']);
  const left = session.done('workspace.tidy', { kept: 'there are changes', path: '/w' });
  assert.equal(told(left, 'DETACH'), [CONTAINER]);
  assert.match(said(left).join(), /kept because there are changes[\s\S]*Session stopped/);
  assert.is(session.value(), 'stopped');
});

test('late events do not bring a stopped session back, and a message to it is answered', () => {
  const session = stopped();
  for (const late of ['LINK.UP', 'CONTAINER.READY', 'TURN.STARTED', 'THREAD.OPENED', 'WORKSPACE.READY']) {
    const fields = { endpoint: 'x', generation: 9, identity: 'i', channelId: 'c', rootId: 'r', path: '/', branch: '' };
    session.send(late, { ...LINK_UP, ...started('t9'), ...fields });
    assert.is(session.value(), 'stopped');
  }
  assert.match(said(session.send('PROMPT', prompt('p9'))).join(), /not running/);
});

test('a container that is ready for nobody is given back its place', () => {
  const session = stopped();
  const effects = session.send('CONTAINER.READY', { endpoint: 'x', generation: 9, identity: 'i' });
  assert.equal(told(effects, 'DETACH'), [CONTAINER]);
});

test('a container that does not acknowledge the session, or never comes up, fails it with a reason and is left', () => {
  const silent = attaching();
  const effects = silent.wait(10 * 60_000);
  assert.is(silent.value(), 'failed');
  assert.match(said(effects).join(), /does not answer[\s\S]*retry/);
  assert.equal(told(effects, 'DETACH'), [CONTAINER]);

  const promised = attaching();
  promised.send('CONTAINER.PROGRESS', { text: 'Preparing …' });
  promised.wait(3 * 3_600_000);
  assert.equal(promised.value(), { opening: { container: 'promised' } });
  promised.wait(2 * 3_600_000);
  assert.is(promised.value(), 'failed');
});

test('a lost link asks the container again and again, and gives up in the end', () => {
  const session = open();
  session.send('LINK.DOWN', { reason: 'gone' });
  const asked = tells(session.wait(3 * 60_000), 'LOST');
  assert.ok(asked.length >= 3, `${asked.length} times`);
  session.wait(5 * 3_600_000);
  assert.is(session.value(), 'failed');
  assert.equal(session.tasks(), {});
});

test('a link that comes back makes sure of the place in the container', () => {
  const session = open();
  session.send('LINK.DOWN', { reason: 'gone' });
  assert.equal(told(session.send('LINK.UP', LINK_UP), 'KEEP'), [CONTAINER]);
});

test('a silent turn is warned about once, and the warning goes when something comes', () => {
  const session = working();
  assert.match(said(session.wait(130_000)).join(), /No sign of life/);
  assert.equal(said(session.wait(3_600_000)), []);
  assert.equal(said(session.send('OUTPUT.SEEN')), ['']);
});

test('an agent that never connects is not waited for for ever', () => {
  const session = connecting();
  session.wait(5 * 3_600_000);
  assert.is(session.value(), 'failed');
});

test('a failure is said with its cause and next step, where the command was typed if there is no thread', () => {
  const session = begin();
  const effects = session.fails('chat.openThread', 'The channel could not be made.');
  const reply = effects.find((effect) => effect.kind === 'chat.reply');
  assert.match(reply?.kind === 'chat.reply' ? reply.params.message : '', /could not be made[\s\S]*retry/);
});

test.run();
