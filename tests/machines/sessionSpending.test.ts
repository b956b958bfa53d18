// What a session does when a cap on spending is reached, and when its agent goes on by itself.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Effect } from '../../src/machines/effects.ts';
import type { JsonObject } from '../../src/machines/json.ts';
import { begin, by, ended, LINK_UP, open, prompt, READY, REQUEST, started, stateOf, working } from './sessionEvents.ts';
import { type Driven, drive, kindsIn, prompted, said } from './support.ts';

const checks = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => (effect.kind === 'spending.check' ? [effect.params] : []));

test('what a running turn has cost is held against the caps of whoever asked for it', () => {
  const session = open();
  session.send('PROMPT', { ...prompt('p1'), userId: 'b', userName: 'bob' });
  session.send('TURN.STARTED', started('t1', 'p1'));
  assert.equal(checks(session.send('SPENT', { turnId: 't1', costUsd: 0.5 })), [
    { session: 'session/p0', turnId: 't1', costUsd: 0.5, by: { id: 'b', name: 'bob' } },
  ]);
});

test('news of a turn that is over is held against nothing', () => {
  const session = working();
  session.send('TURN.ENDED', ended('t1'));
  assert.equal(checks(session.send('SPENT', { turnId: 't1', costUsd: 0.5 })), []);
});

test('a turn that reaches a cap is ended, and the thread is told which', () => {
  const session = working();
  session.send('SPENT', { turnId: 't1', costUsd: 5 });
  const capped = session.done('spending.check', { cap: 'turn', human: 'It has cost $5.00.' });
  assert.ok(kindsIn(capped).includes('worker.interrupt'));
  assert.match(said(capped).join(), /The turn was ended\. It has cost \$5\.00/);
  assert.is(stateOf(session, 'conversation'), 'interrupting');
  session.send('TURN.ENDED', ended('t1', 'interrupted'));
  session.send('PROMPT', prompt('p2'));
  assert.is(stateOf(session, 'conversation'), '{"thinking":"working"}');
});

test('a cap that is not reached changes nothing, and one that is reached too late ends no other turn', () => {
  const session = working();
  session.send('SPENT', { turnId: 't1', costUsd: 1 });
  assert.equal(session.done('spending.check', { cap: '', human: '' }), []);
  session.send('SPENT', { turnId: 't1', costUsd: 5 });
  session.send('TURN.ENDED', ended('t1'));
  session.send('PROMPT', prompt('p2'));
  session.send('TURN.STARTED', started('t2', 'p2'));
  assert.equal(session.done('spending.check', { cap: 'turn', human: 'Too much.' }), []);
  assert.equal(session.unhandled, []);
});

test('a message that may not cost anything is said to be refused, and does not hold up the session', () => {
  const session = open();
  session.send('PROMPT', prompt('p1'));
  assert.match(said(session.fails('worker.prompt', 'This was not passed on.')).join(), /not passed on/);
  assert.is(stateOf(session, 'conversation'), 'idle');
  assert.equal(prompted(session.send('PROMPT', prompt('p2'))), ['p2']);
});

function limited(ownTurns: number): Driven {
  const session = drive(
    'session',
    'session/p0',
    { type: 'START', request: REQUEST },
    { SM_CAP_OWN_TURNS: String(ownTurns) },
  );
  session.done('chat.openThread', { channelId: 'c', rootId: 'r' });
  session.done('workspace.checkout', { path: '/w', branch: 'one' });
  session.send('CONTAINER.READY', READY);
  session.send('LINK.UP', LINK_UP);
  return session;
}

function ownTurn(session: Driven, id: string): readonly Effect[] {
  const effects = session.send('TURN.STARTED', { ...started(id), own: true });
  if (!kindsIn(effects).includes('worker.close')) session.send('TURN.ENDED', ended(id));
  return effects;
}

test('an agent that begins turn after turn by itself is ended, told once, and wakes with the next message', () => {
  const session = limited(3);
  for (const id of ['t1', 't2', 't3']) assert.not(kindsIn(ownTurn(session, id)).includes('worker.close'));
  const stopped = ownTurn(session, 't4');
  assert.ok(kindsIn(stopped).includes('worker.close'));
  assert.match(said(stopped).join(), /3 turns in a row by itself/);
  assert.equal(kindsIn(session.send('OUTPUT.SEEN')), []);
  session.send('TURN.ENDED', ended('t4', 'interrupted'));
  const more = ownTurn(session, 't5');
  assert.ok(kindsIn(more).includes('worker.close'), 'it may have begun that before it could be ended');
  assert.equal(said(more), []);
  session.send('TURN.ENDED', ended('t5', 'interrupted'));
  session.send('SESSION.CLOSED', { reason: 'requested', agentSessionId: 'a', error: '' });
  assert.equal(prompted(session.send('PROMPT', prompt('p1'))), ['p1']);
});

test('a word from somebody begins the count anew; 0 lets it go on', () => {
  const session = limited(1);
  ownTurn(session, 't1');
  session.send('PROMPT', prompt('p1'));
  session.send('TURN.STARTED', started('t2', 'p1'));
  session.send('TURN.ENDED', ended('t2'));
  assert.not(kindsIn(ownTurn(session, 't3')).includes('worker.close'));
  assert.ok(kindsIn(ownTurn(session, 't4')).includes('worker.close'));
  const free = limited(0);
  for (let turn = 0; turn < 40; turn += 1) assert.not(kindsIn(ownTurn(free, `t${turn}`)).includes('worker.close'));
});

test('what a session may cost is raised by what is said, again and again', () => {
  const session = begin();
  session.send('COMMAND.RAISE', { ...by('r1'), usd: 5 } as JsonObject);
  assert.match(said(session.send('COMMAND.RAISE', { ...by('r2'), usd: 2.5 })).join(), /\$2\.50 more: \$7\.50 above/);
  assert.is(session.context().raisedUsd, 7.5);
});

test.run();
