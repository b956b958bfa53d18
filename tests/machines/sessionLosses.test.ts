// What a session says and does about work that it loses sight of, or for ever.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Effect } from '../../src/machines/effects.ts';
import { by, LINK_UP, open, prompt, stateOf, stop, working } from './sessionEvents.ts';
import { prompted, said } from './support.ts';

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

test('a turn that was lost with the log of its worker is over in the thread, too; one that still runs is not', () => {
  const lostWith = (turnId: string) => {
    const session = working();
    session.send('LINK.DOWN', { reason: 'gone' });
    const effects = session.send('LINK.UP', { ...LINK_UP, agentState: 'running', logId: 'log2', turnId });
    return effects.filter(({ kind }) => kind === 'turnLost');
  };
  assert.equal(lostWith(''), [{ kind: 'turnLost', turnId: 't1' }]);
  assert.equal(lostWith('t1'), []);
});

const followed = (effects: readonly Effect[]) => effects.filter(({ kind }) => kind === 'turnFollowed');
const LEFT = { kind: 'turnFollowed', turnId: 't1', following: false };

test('a turn that nobody follows any more does not look busy, and looks so again once it is found', () => {
  const session = working();
  session.send('LINK.DOWN', { reason: 'gone' });
  assert.equal(followed(session.wait(5 * 3_600_000)), [LEFT]);
  assert.is(session.value(), 'failed');
  session.send('COMMAND.RETRY', by('r1'));
  session.done('workspace.checkout', { path: '/w', branch: 'one' });
  session.send('CONTAINER.READY', { endpoint: 'e', generation: 1, identity: 'i' });
  const found = session.send('LINK.UP', { ...LINK_UP, agentState: 'running', turnId: 't1' });
  assert.equal(followed(found), [{ ...LEFT, following: true }]);
});

test('a stop that the worker did not hear leaves its turn, and one that ended is not spoken of', () => {
  const session = working();
  session.send('LINK.DOWN', { reason: 'gone' });
  session.send('COMMAND.STOP', stop('s1'));
  session.wait(60 * 60_000);
  assert.equal(followed(session.done('workspace.tidy', { kept: '', path: '/w' })), [LEFT]);
  assert.is(session.value(), 'stopped');

  const idle = open();
  idle.send('LINK.DOWN', { reason: 'gone' });
  assert.equal(followed(idle.wait(5 * 3_600_000)), []);
});

test.run();
