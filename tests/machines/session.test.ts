import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Effect } from '../../src/machines/effects.ts';
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

test('stopping withdraws questions, closes the agent, ends grants, looks at the checkout and leaves the container, in this order', () => {
  const session = working();
  session.send('APPROVAL.REQUESTED', request('r1'));
  const closing = session.send('COMMAND.STOP', stop('s1'));
  assert.equal(told(closing, 'WITHDRAW'), ['approval/p0/r1']);
  assert.ok(kindsIn(closing).includes('worker.close'));
  const stopping = session.send('SESSION.CLOSED', { reason: 'requested', agentSessionId: 'a', error: '' });
  assert.equal(kindsIn(stopping), ['firewall.endSession', 'workspace.tidy']);
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

const steer = (postId: string, text: string) => ({ ...by(postId), text, fileIds: [] });
const steered = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => (effect.kind === 'worker.prompt' && effect.params.steer ? [effect.params.inputId] : []));

test('steer hands a message to the running turn at once; what waits goes on waiting', () => {
  const session = working();
  session.send('PROMPT', prompt('p2'));
  assert.equal(steered(session.send('COMMAND.STEER', steer('p3', 'also this'))), ['p3']);
  session.done('worker.prompt');
  session.send('PROMPT.STEERED', { turnId: 't1', inputId: 'p3' });
  assert.equal(prompted(session.send('TURN.ENDED', ended('t1'))), ['p2']);
});

test('steer alone hands over all that waits, in order, and each still runs once', () => {
  const session = working();
  session.send('PROMPT', prompt('p2'));
  session.send('PROMPT', prompt('p3'));
  assert.equal(steered(session.send('COMMAND.STEER', steer('s1', ''))), ['p2', 'p3']);
  session.send('PROMPT.STEERED', { turnId: 't1', inputId: 'p2' });
  // Too late for this turn: the worker makes one of its own of it.
  session.send('TURN.ENDED', ended('t1'));
  session.send('TURN.STARTED', started('t2', 'p3'));
  assert.equal(session.context().queue, []);
  assert.equal(prompted(session.send('TURN.ENDED', ended('t2'))), []);
});

test('steer with nothing running is an ordinary message, and without words it says that nothing runs', () => {
  const session = open();
  assert.equal(prompted(session.send('COMMAND.STEER', steer('p1', 'do this'))), ['p1']);
  const idle = open();
  assert.match(said(idle.send('COMMAND.STEER', steer('p1', ''))).join(), /Nothing is running/);
});

test('the queue is listed and taken back by number; what was handed over already is not', () => {
  const session = working();
  session.send('PROMPT', prompt('p2'));
  session.send('PROMPT', prompt('p3'));
  assert.match(
    said(session.send('COMMAND.QUEUE', { ...by('q1'), drop: null })).join(),
    /1\. \*\*alice:\*\* say p2\n2\./,
  );
  const drop = session.send('COMMAND.QUEUE', { ...by('q2'), drop: 1 });
  assert.match(said(drop).join(), /say p2/);
  assert.ok(
    drop.some((effect) => effect.kind === 'chat.react' && effect.params.remove && effect.params.postId === 'p2'),
  );
  assert.match(said(session.send('COMMAND.QUEUE', { ...by('q3'), drop: 7 })).join(), /no such message/);
  assert.equal(prompted(session.send('TURN.ENDED', ended('t1'))), ['p3']);
  assert.match(said(session.send('COMMAND.QUEUE', { ...by('q4'), drop: 'all' })).join(), /no such message/);
});

test('a session that answers mentions leaves talk among people alone, however it is doing', () => {
  for (const session of [open(), working(), begin(), stopped()]) {
    session.send('COMMAND.MODE', { ...by('m1'), audience: 'mentions' });
    const before = session.context().queue;
    const aside = session.send('PROMPT', prompt('p8'));
    assert.equal(kindsIn(aside), ['heard']);
    assert.equal(session.context().queue, before);
    const meant = session.send('PROMPT', { ...prompt('p9'), addressed: true });
    const { queue } = session.context() as { queue: readonly unknown[] };
    assert.ok(kindsIn(meant).length > 1 || queue.length === 1);
  }
});

test('a title that was asked for is read from the answer to that very message', () => {
  const session = open();
  session.send('COMMAND.TITLE', { ...by('c1'), text: '' });
  session.send('TURN.STARTED', started('t1', 'c1'));
  session.send('TURN.ENDED', ended('t1', 'completed', 'c1'));
  const set = session.done('chat.readTitle', { title: 'About herons' });
  const root = set.find((effect) => effect.kind === 'chat.setTitle');
  assert.is(root?.kind === 'chat.setTitle' && root.params.title, 'About herons');
  assert.match(said(session.fails('chat.setTitle', 'Not mine.')).join(), /Not mine/);
  assert.is(session.context().titleFor, '');
});

test('the model is the one that the worker confirms, also for the next link', () => {
  const session = open();
  const ask = session.send('COMMAND.MODEL', { ...by('c1'), model: 'opus' });
  assert.equal(kindsIn(ask), ['worker.model']);
  assert.is(session.context().model, '');
  assert.match(said(session.send('MODEL.CHANGED', { model: 'opus' })).join(), /`opus`/);
  session.send('CONTAINER.READY', { endpoint: 'e2', generation: 2, identity: 'i2' });
  assert.is(session.tasks().link?.input.model, 'opus');
});

test.run();
