import fc from 'fast-check';
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
import { type Driven, kindsIn, prompted, said, tells, told } from './support.ts';

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

test('a session whose workspace another one takes down says so, and stops', () => {
  const session = working();
  const effects = session.send('CONTAINER.STOPPED');
  assert.match(said(effects).join(), /The workspace was taken down: .*another session/);
  assert.equal(
    effects.filter(({ kind }) => kind === 'turnLost'),
    [{ kind: 'turnLost', turnId: 't1', takenDown: true }],
  );
  assert.is(session.context().turn, null);
  assert.is(session.value(), 'stopping');
  assert.equal(told(session.done('workspace.tidy', { kept: '', path: '/w' }), 'DETACH'), []);
});

test('a stop that reaches the container is told to one that failed to come up, and to none that gave no place', () => {
  const detachOf = (refused: object) => {
    const session = attaching();
    session.send('CONTAINER.REFUSED', { reason: 'no', next: '', ...refused });
    session.send('COMMAND.STOP', stop('s1', { container: true }));
    return told(session.done('workspace.tidy', { kept: '', path: '/w' }), 'DETACH');
  };
  assert.equal(detachOf({ generation: 3 }), [CONTAINER]);
  assert.equal(detachOf({}), []);
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

test('a request names whose words led to it: of the one who began the turn and of all who joined in, not of the owner alone', () => {
  const said = (postId: string, name: string) => ({ ...prompt(postId), userId: `${name}-id`, userName: name });
  const session = open();
  session.send('PROMPT', said('p1', 'bob'));
  session.done('worker.prompt');
  session.send('TURN.STARTED', started('t1', 'p1'));
  const asked = (requestId: string) => {
    const [told] = session
      .send('APPROVAL.REQUESTED', request(requestId))
      .flatMap((effect) => (effect.kind === 'tell' && effect.event.type === 'REQUESTED' ? [effect.event] : []));
    return [told?.askedFor, told?.askedBy, told?.askers];
  };
  const [alice, bob] = [
    { id: 'u', name: 'alice' },
    { id: 'bob-id', name: 'bob' },
  ];
  assert.equal(asked('r1'), [alice, bob, ['bob-id']]);
  for (const [postId, name] of [
    ['p2', 'carol'],
    ['p3', 'bob'],
  ] as const) {
    session.send('COMMAND.STEER', { ...said(postId, name), text: 'also this' });
    session.send('PROMPT.STEERED', { inputId: postId });
  }
  assert.equal(asked('r2'), [alice, bob, ['bob-id', 'carol-id']]);
});

test('a turn that nobody began, or that is not known, may be for everybody who was heard, so none of them approves for themselves', () => {
  const said = (postId: string, name: string) => ({ ...prompt(postId), userId: `${name}-id`, userName: name });
  const heard = () => {
    const session = open();
    for (const [postId, name] of [
      ['p1', 'bob'],
      ['p2', 'carol'],
      ['p3', 'bob'],
    ] as const) {
      session.send('PROMPT', said(postId, name));
      session.done('worker.prompt');
      session.send('TURN.STARTED', started(`t-${postId}`, postId));
      session.send('TURN.ENDED', ended(`t-${postId}`, 'completed', postId));
    }
    return session;
  };
  const askers = (session: Driven, turnId: string, requestId = 'r1') =>
    tells(session.send('APPROVAL.REQUESTED', { ...request(requestId), turnId }), 'REQUESTED').flatMap(
      ({ event }) => event.askers,
    );
  const all = ['u', 'bob-id', 'carol-id'];

  const own = heard();
  own.send('TURN.STARTED', { ...started('t9'), own: true });
  assert.equal(askers(own, 't9'), all, 'it began by itself');
  own.send('COMMAND.STEER', { ...said('p4', 'dave'), text: 'also this' });
  own.send('PROMPT.STEERED', { inputId: 'p4' });
  assert.equal(askers(own, 't9', 'r2'), [...all, 'dave-id'], 'it began by itself, and somebody joined in');

  const lost = heard();
  lost.send('LINK.DOWN', { reason: 'gone' });
  lost.send('LINK.UP', { ...LINK_UP, agentState: 'running', logId: 'log2', turnId: 't9' });
  assert.equal(askers(lost, 't9'), all, 'it was found running at a worker that lost its log');

  const compacting = heard();
  compacting.send('COMMAND.COMPACT', { ...by('c1'), hint: '' });
  compacting.send('TURN.STARTED', started('t9', 'c1'));
  assert.equal(askers(compacting, 't9'), all, 'what began it is no message');
  assert.equal(askers(heard(), 't8'), all, 'no such turn is known');

  const asked = heard();
  asked.send('PROMPT', said('p5', 'dave'));
  asked.done('worker.prompt');
  asked.send('TURN.STARTED', started('t9', 'p5'));
  assert.equal(askers(asked, 't9'), ['dave-id'], 'a message began it');
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

test('RT-43: the context is compacted when a person or the agent itself says so, never by the gateway', () => {
  const session = working();
  for (let turn = 1; turn <= 20; turn += 1) {
    const full = { contextTokens: 100, contextWindow: 100 };
    session.send('TURN.ENDED', { ...ended(`t${turn}`), ...full });
    session.send('PROMPT', prompt(`p${turn + 1}`));
    session.send('TURN.STARTED', started(`t${turn + 1}`, `p${turn + 1}`));
    // The agent compacts by itself, in the middle of the turn, which goes on.
    session.send('COMPACTED', { ok: turn % 2 === 0, error: 'no room' });
    assert.equal(stateOf(session, 'conversation'), '{"thinking":"working"}');
  }
  assert.not.ok(kindsIn(session.asked).includes('worker.compact'));
  session.wait(24 * 3_600_000);
  assert.not.ok(kindsIn(session.asked).includes('worker.compact'));
});

test('RT-43: a compaction that fails is said with its reason, and the next message is taken', () => {
  const session = open();
  session.send('COMMAND.COMPACT', { ...by('c1'), hint: '' });
  assert.is(stateOf(session, 'conversation'), 'compacting');
  session.send('TURN.STARTED', started('t1', 'c1'));
  assert.match(said(session.send('COMPACTED', { ok: false, error: 'no room' })).join(), /no room/);
  session.send('TURN.ENDED', ended('t1', 'completed', 'c1'));
  assert.is(stateOf(session, 'conversation'), 'idle');
  assert.equal(prompted(session.send('PROMPT', prompt('p1'))), ['p1']);
});

const interrupts = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => (effect.kind === 'worker.interrupt' ? [effect.params.turnId] : []));

test('RT-46: an interrupt is never dropped: it reaches the turn, or it is said why not', () => {
  const early = open();
  early.send('PROMPT', prompt('p1'));
  assert.match(said(early.send('COMMAND.INTERRUPT', by('i1'))).join(), /\S/, 'there is no turn yet');
  early.send('TURN.STARTED', started('t1', 'p1'));
  assert.equal(interrupts(early.send('COMMAND.INTERRUPT', by('i2'))), ['t1']);
  assert.equal(interrupts(early.send('COMMAND.INTERRUPT', by('i3'))), ['t1'], 'asked again, it is tried again');
  assert.match(said(early.wait(60_000)).join(), /\S/, 'an agent that does not react is told of');
  assert.equal(interrupts(early.send('COMMAND.INTERRUPT', by('i4'))), ['t1']);
  early.send('TURN.ENDED', ended('t1', 'interrupted'));
  assert.is(stateOf(early, 'conversation'), 'idle');
  assert.match(said(open().send('COMMAND.INTERRUPT', by('i1'))).join(), /\S/, 'nothing runs');
  const away = working();
  away.send('COMMAND.INTERRUPT', by('i1'));
  assert.match(said(away.fails('worker.interrupt', 'The agent is out of reach.')).join(), /out of reach/);
  assert.equal(interrupts(away.send('COMMAND.INTERRUPT', by('i2'))), ['t1']);
});

test('RT-46: an agent that is slow to say its first word is neither ended nor asked again', () => {
  const session = working();
  session.wait(6 * 3_600_000);
  assert.equal(stateOf(session, 'conversation'), '{"thinking":"working"}');
  assert.equal(prompted(session.asked), ['p1']);
  assert.equal(interrupts(session.asked), []);
  const unbegun = open();
  unbegun.send('PROMPT', prompt('p1'));
  unbegun.done('worker.prompt');
  unbegun.wait(6 * 3_600_000);
  assert.equal(prompted(unbegun.asked), ['p1'], 'taken, and not begun for long');
  assert.equal(stateOf(unbegun, 'conversation'), '{"thinking":"working"}');
});

test('RT-47: whatever is written, changed and taken back while the agent works, what is left runs once, in order', () => {
  const move = fc.oneof(
    { weight: 4, arbitrary: fc.constant({ what: 'write', which: 0 } as const) },
    { weight: 2, arbitrary: fc.record({ what: fc.constant('edit' as const), which: fc.nat(9) }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('delete' as const), which: fc.nat(9) }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('drop' as const), which: fc.nat(9) }) },
    { weight: 3, arbitrary: fc.constant({ what: 'next', which: 0 } as const) },
    { weight: 1, arbitrary: fc.constant({ what: 'reconnect', which: 0 } as const) },
  );
  fc.assert(
    fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
      const session = working();
      let running = 'p1';
      let turns = 1;
      let written = 1;
      const expected = [{ id: 'p1', text: 'say p1' }];
      const waiting = () => expected.slice(expected.findIndex(({ id }) => id === running) + 1);
      /** It was handed to the worker, which has not begun with it. */
      let handed = false;
      const begin = () => {
        turns += 1;
        handed = false;
        session.send('TURN.STARTED', started(`t${turns}`, running));
      };
      const next = () => {
        if (handed) begin();
        session.send('TURN.ENDED', ended(`t${turns}`, 'completed', running));
        const [following] = waiting();
        if (following === undefined) return false;
        running = following.id;
        handed = true;
        session.done('worker.prompt');
        return true;
      };
      for (const { what, which } of moves) {
        const chosen = waiting()[which % Math.max(1, waiting().length)];
        if (what === 'write') {
          written += 1;
          expected.push({ id: `p${written}`, text: `say p${written}` });
          session.send('PROMPT', prompt(`p${written}`));
        } else if (what === 'next') {
          if (handed) begin();
          else if (waiting().length > 0) next();
        } else if (what === 'reconnect') {
          session.send('LINK.DOWN', { reason: 'gone' });
          session.send('LINK.UP', { ...LINK_UP, turnId: handed ? '' : `t${turns}`, agentState: 'running' });
        } else if (chosen !== undefined) {
          if (what === 'edit') {
            chosen.text = `${chosen.text}!`;
            session.send('POST.EDITED', { postId: chosen.id, text: chosen.text });
          } else {
            const at = waiting().indexOf(chosen) + 1;
            expected.splice(expected.indexOf(chosen), 1);
            if (what === 'delete') session.send('POST.DELETED', { postId: chosen.id });
            else session.send('COMMAND.QUEUE', { ...by(`q${which}`), drop: at });
          }
        }
      }
      while (next());
      const ran = session.asked.flatMap((effect) =>
        effect.kind === 'worker.prompt' ? [{ id: effect.params.inputId, text: effect.params.text }] : [],
      );
      assert.equal(ran, expected);
      assert.equal(session.context().queue, []);
    }),
    { numRuns: 300 },
  );
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
