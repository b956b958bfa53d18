// @limit 300
// A conversation whose memory is gone: the real Claude Code cannot resume it, and is given what was said before.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import { type AgentContext, withAgent } from '../support/agentContext.ts';
import { attach, options } from '../support/client.ts';

const test = suite<AgentContext>('memory');
withAgent(test, ['--history-grace', '10m']);

const SAID = '<thread-history>\nann wrote:\n> the heron is grey\n</thread-history>';

test('RT-32: a dead resume id: the loss is told until what was said is given back, and then the prompt is answered, once', async ({
  client,
  place,
  modelLog,
}) => {
  const create = options(place.workspace, { resumeId: randomUUID() });
  const stream = attach(client, { sessionId: 'dead', create });
  stream.prompt('p1', 'say fresh');
  await stream.wait('attached', ({ historyLost }) => historyLost);
  assert.deepEqual(stream.all('turnStarted'), [], 'nobody who has forgotten everything answers');
  const later = attach(client, { sessionId: 'dead', term: 2 });
  assert.equal((await later.wait('attached')).historyLost, true);
  later.send({ $case: 'history', value: { inputId: 'h1', text: SAID } });
  const turn = await later.ended('p1');
  assert.equal(turn.outcome, 'TURN_OUTCOME_COMPLETED');
  assert.notEqual(turn.agentSessionId, create.resumeId);
  assert.equal(later.said(), 'fresh');
  assert.equal(later.all('turnStarted').length, 1);
  const asked = readFileSync(modelLog, 'utf8');
  assert.ok(asked.indexOf('the heron is grey') >= 0);
  assert.ok(asked.indexOf('the heron is grey') < asked.indexOf('say fresh'), 'before what is asked now');
  const last = attach(client, { sessionId: 'dead', term: 3 });
  assert.equal((await last.wait('attached')).historyLost, false);
  last.close();
});

test('what was said before waits behind a slash command for the first words', async ({ client, place, modelLog }) => {
  const stream = attach(client, { sessionId: 'slash', create: options(place.workspace) });
  stream.send({
    $case: 'history',
    value: { inputId: 'h1', text: '<thread-history>the slash is first</thread-history>' },
  });
  stream.prompt('p1', '/context');
  await stream.ended('p1');
  assert.match(stream.all('commandOutput')[0]?.text ?? '', /Context Usage/);
  stream.prompt('p2', 'say second');
  await stream.ended('p2');
  assert.ok(readFileSync(modelLog, 'utf8').includes('the slash is first'));
  stream.close();
});

test('a session that is closed while it waits for what was said tells that its prompt was not run', async ({
  client,
  place,
}) => {
  const stream = attach(client, {
    sessionId: 'waiting',
    create: options(place.workspace, { resumeId: randomUUID() }),
  });
  stream.prompt('p1', 'say never');
  await stream.wait('attached', ({ historyLost }) => historyLost);
  stream.send({ $case: 'close', value: { inputId: 'c1' } });
  await stream.wait('sessionClosed');
  assert.deepEqual(stream.all('promptLost'), [{ inputId: 'p1' }]);
  assert.deepEqual(stream.all('turnStarted'), []);
  stream.close();
});

test.run();
