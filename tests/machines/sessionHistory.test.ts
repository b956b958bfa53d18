// What a session tells its agent of what was said before, and what it says about that.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Effect } from '../../src/machines/effects.ts';
import { begin, by, ended, LINK_UP, open, prompt, READY, REQUEST, started } from './sessionEvents.ts';
import { kindsIn, said } from './support.ts';

const LOST = { ...LINK_UP, agentState: 'running', historyLost: true };
const INSIDE = { ...REQUEST, askedIn: { channelId: 'c', rootId: 'r' } };

const histories = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => (effect.kind === 'worker.history' ? [effect.params] : []));
const notes = (effects: readonly Effect[]) => effects.flatMap((effect) => (effect.kind === 'say' ? [effect.note] : []));

test('RT-32: an agent that has lost its memory is given what was said, and the thread is told of both', () => {
  const session = open();
  session.send('PROMPT', prompt('p1'));
  session.done('worker.prompt');
  const lost = session.send('LINK.UP', LOST);
  assert.equal(
    histories(lost).map(({ of, inputId }) => [of, inputId]),
    [['lost', 'lost-a']],
  );
  assert.match(said(lost).join(), /could not be restored/);
  const given = session.done('worker.history', { shown: 7, whole: false });
  assert.equal(notes(given), notes(lost), 'one note says both');
  assert.match(said(given).join(), /was given back to it: the newest 7 messages; older ones were left out/);
});

test('a loss that is told again is given back once: under the same id', () => {
  const session = open();
  const [first] = histories(session.send('LINK.UP', LOST));
  session.send('LINK.DOWN', { reason: 'x' });
  const [second] = histories(session.send('LINK.UP', { ...LOST, agentSessionId: '' }));
  assert.is(second?.inputId, first?.inputId);
});

test('what could not be given back is said, with the reason', () => {
  const session = open();
  session.send('LINK.UP', LOST);
  assert.match(
    said(session.fails('worker.history', 'The chat is away.')).join(),
    /could not be given to it\. The chat is away/,
  );
});

test('a session that began inside a thread gives its agent the thread before the first message, once', () => {
  const session = begin(INSIDE);
  session.done('chat.openThread', { channelId: 'c', rootId: 'r' });
  session.send('PROMPT', prompt('p1'));
  session.done('workspace.checkout', { path: '/w', branch: 'one' });
  session.send('CONTAINER.READY', READY);
  const up = session.send('LINK.UP', LINK_UP);
  const kinds = kindsIn(up);
  assert.ok(kinds.indexOf('worker.history') >= 0);
  assert.ok(kinds.indexOf('worker.history') < kinds.indexOf('worker.prompt'), 'effects for one agent keep their order');
  assert.match(
    said(session.done('worker.history', { shown: 1, whole: true })).join(),
    /given what was said in this thread before: one message\./,
  );
  session.send('TURN.STARTED', started('t1', 'p1'));
  session.send('TURN.ENDED', ended('t1'));
  session.send('COMMAND.RESTART', by('c1'));
  session.send('SESSION.CLOSED', { reason: 'requested', agentSessionId: 'a', error: '' });
  assert.equal(histories(session.send('LINK.UP', LINK_UP)), []);
});

test('a session with a thread of its own gives nothing, and an empty thread is not spoken of', () => {
  assert.equal(histories(open().asked), []);
  const session = begin(INSIDE);
  session.done('chat.openThread', { channelId: 'c', rootId: 'r' });
  session.done('workspace.checkout', { path: '/w', branch: 'one' });
  session.send('CONTAINER.READY', READY);
  session.send('LINK.UP', LINK_UP);
  assert.equal(said(session.done('worker.history', { shown: 0, whole: true })), []);
});

test.run();
