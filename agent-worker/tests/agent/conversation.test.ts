// @limit 300
// Conversations with the real Claude Code: prompts, queueing, steering, commands, and what goes wrong at the model.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import type { SessionResponse } from '../../src/generated/claude_agent/v1/agent.ts';
import { type AgentContext, turnOf, withAgent } from '../support/agentContext.ts';
import { attach, options } from '../support/client.ts';
import { until } from '../support/until.ts';

const test = suite<AgentContext>('conversation');
withAgent(test);

test('a prompt is answered in one turn: text in pieces, then whole, tools with results', async ({ client, place }) => {
  const stream = attach(client, { sessionId: 'talk', create: options(place.workspace) });
  stream.prompt('p1', 'create hello.txt with the word hi, then run: cat hello.txt');
  const turn = await stream.ended('p1');
  assert.equal(turn.outcome, 'TURN_OUTCOME_COMPLETED');
  assert.deepEqual(turn.inputIds, ['p1']);
  assert.ok(turn.costUsd > 0 && turn.contextTokens > 0 && turn.contextWindow > 0);
  assert.equal(readFileSync(join(place.workspace, 'hello.txt'), 'utf8').trim(), 'hi');
  assert.deepEqual(
    stream.all('toolUse').map((tool) => tool.name),
    ['Write', 'Bash'],
  );
  assert.equal(stream.all('toolResult').at(-1)?.summary, 'hi');
  assert.ok(stream.all('textDelta').length > 0);
  const seqs = stream.responses.filter((response) => response.seq > 0).map((response) => response.seq);
  assert.deepEqual(
    seqs,
    seqs.map((_, index) => index + 1),
  );
  assert.deepEqual(stream.all('unrecognised'), []);
  stream.close();
});

test('the agent is told who speaks, except in a slash command', async ({ client, place, modelLog }) => {
  const stream = attach(client, {
    sessionId: 'speaker',
    create: options(place.workspace, { systemPromptAppend: 'MIND-THIS-ADDITION' }),
  });
  const prompt = {
    steer: false,
    notice: '',
    author: 'ann',
    attachments: [{ name: '../notes.txt', mediaType: 'text/plain', content: Buffer.from('noted') }],
  };
  stream.send({ $case: 'prompt', value: { ...prompt, inputId: 'p1', text: 'good morning' } });
  await stream.ended('p1');
  assert.match(stream.said(), /good morning/);
  const path = /- (\S+notes\.txt)/.exec(stream.said())?.[1] ?? '';
  assert.equal(readFileSync(path, 'utf8'), 'noted');
  const asked = readFileSync(modelLog, 'utf8');
  assert.ok(asked.includes('[ann] good morning'));
  assert.ok(asked.includes('MIND-THIS-ADDITION'));
  stream.send({
    $case: 'prompt',
    value: { inputId: 'p2', text: '/nosuchthing', author: 'ann', attachments: [], steer: false, notice: '' },
  });
  await stream.ended('p2');
  await until('the model was asked', () => readFileSync(modelLog, 'utf8').includes('/nosuchthing'));
  assert.ok(!readFileSync(modelLog, 'utf8').includes('[ann] /nosuchthing'));
  stream.close();
});

test('a prompt during a turn waits for its end and gets a turn of its own', async ({ client, place, api }) => {
  const stream = attach(client, { sessionId: 'queue', create: options(place.workspace) });
  stream.prompt('p1', 'hold queue, then say one');
  await turnOf(stream, 'p1');
  stream.prompt('p2', 'say two');
  stream.prompt('p3', 'say three');
  await stream.wait('inputAccepted', (accepted) => accepted.inputId === 'p3');
  api.gate('queue').open();
  await stream.ended('p3');
  assert.deepEqual(
    stream.all('turnEnded').map((turn) => turn.inputIds),
    [['p1'], ['p2'], ['p3']],
  );
  stream.close();
});

test('a steering prompt is folded into the running turn', async ({ client, place, worker }) => {
  const stream = attach(client, { sessionId: 'steer', create: options(place.workspace) });
  stream.prompt('p1', 'run: while [ ! -e steered ]; do sleep 0.05; done');
  await stream.wait('toolUse');
  const queued = () => worker.log().split('command_lifecycle/queued').length;
  const before = queued();
  stream.prompt('p2', 'say I minded it', true);
  await stream.wait('inputAccepted', (accepted) => accepted.inputId === 'p2');
  // Only what the CLI has in its queue before the command ends is folded into the turn.
  await until('the CLI has queued it', () => queued() > before);
  writeFileSync(join(place.workspace, 'steered'), '');
  const turn = await stream.ended('p2');
  assert.deepEqual(turn.inputIds, ['p1', 'p2']);
  assert.deepEqual(stream.all('steered'), [{ turnId: turn.turnId, inputId: 'p2' }]);
  stream.close();
});

test('RT-46: an interrupt ends the named turn only, and the session goes on', async ({ client, place }) => {
  const stream = attach(client, { sessionId: 'interrupt', create: options(place.workspace) });
  stream.prompt('p1', 'slow 2000');
  const turnId = await turnOf(stream, 'p1');
  await stream.wait('textDelta', (delta) => delta.text.includes('w3'));
  stream.send({ $case: 'interrupt', value: { inputId: 'i1', turnId: 'another' } });
  assert.equal((await stream.wait('inputRefused')).code, 'NO_SUCH_TURN');
  stream.send({ $case: 'interrupt', value: { inputId: 'i2', turnId } });
  assert.equal((await stream.ended('p1')).outcome, 'TURN_OUTCOME_INTERRUPTED');
  assert.match(stream.said(), /w1 w2/, 'what was said before stays');
  stream.prompt('p2', 'say still here');
  assert.equal((await stream.ended('p2')).outcome, 'TURN_OUTCOME_COMPLETED');
  assert.deepEqual(stream.all('sessionClosed'), []);
  stream.close();
});

test('RT-46: an interrupt before the first word ends the turn; until then the model is asked once, however slow', async ({
  client,
  place,
  api,
}) => {
  const stream = attach(client, { sessionId: 'slow', create: options(place.workspace) });
  const words = 'hold first-word, then say at last';
  const asked = () => api.requests.filter(({ lastUserText }) => lastUserText.includes(words)).length;
  stream.prompt('p1', words);
  const turnId = await turnOf(stream, 'p1');
  await until('the model is asked', () => asked() > 0);
  stream.send({ $case: 'interrupt', value: { inputId: 'i1', turnId } });
  assert.equal((await stream.ended('p1')).outcome, 'TURN_OUTCOME_INTERRUPTED');
  api.gate('first-word').open();
  stream.prompt('p2', 'say still here');
  assert.equal((await stream.ended('p2')).outcome, 'TURN_OUTCOME_COMPLETED');
  assert.equal(asked(), 1, 'it is not asked again');
  assert.doesNotMatch(stream.said(), /at last/);
  stream.close();
});

test('an API error is a failed turn with words and a code; a cut stream is told once', async ({ client, place }) => {
  const stream = attach(client, { sessionId: 'errors', create: options(place.workspace) });
  stream.prompt('p1', 'fail 400');
  const failed = await stream.ended('p1');
  assert.equal(failed.outcome, 'TURN_OUTCOME_FAILED');
  assert.match(failed.error, /400/);
  assert.equal(failed.errorCode, 'api_error');
  stream.prompt('p2', 'fail cut times 1, then slow 30');
  assert.equal((await stream.ended('p2')).outcome, 'TURN_OUTCOME_COMPLETED');
  assert.ok(stream.all('retrying').length > 0);
  assert.ok(stream.all('textWithdrawn').length > 0);
  const whole = stream.all('textBlock').map((block) => block.blockId);
  assert.ok(stream.all('textWithdrawn').every((text) => !whole.includes(text.blockId)));
  stream.close();
});

test('compact and clear are turns of their own and say what they did', async ({ client, place }) => {
  const stream = attach(client, { sessionId: 'commands', create: options(place.workspace) });
  stream.send({ $case: 'compact', value: { inputId: 'c0', hint: '' } });
  await stream.ended('c0');
  assert.equal(stream.all('compacted')[0]?.ok, false);
  stream.prompt('p1', 'say something');
  const first = await stream.ended('p1');
  stream.send({ $case: 'compact', value: { inputId: 'c1', hint: 'keep\nthe names' } });
  await stream.ended('c1');
  assert.equal(stream.all('compacted').at(-1)?.ok, true);
  assert.equal(stream.all('turnStarted').at(-1)?.origin, 'TURN_ORIGIN_COMMAND');
  stream.send({ $case: 'clear', value: { inputId: 'c2' } });
  const cleared = await stream.ended('c2');
  assert.notEqual(cleared.agentSessionId, first.agentSessionId);
  assert.equal(stream.all('cleared')[0]?.agentSessionId, cleared.agentSessionId);
  stream.close();
});

test('subagents and background commands are told, and a turn they start is known', async ({ client, place }) => {
  const stream = attach(client, { sessionId: 'tasks', create: options(place.workspace) });
  stream.prompt('p1', 'agent general-purpose: "create by-agent.txt with the word sub"');
  await stream.ended('p1');
  assert.equal(stream.all('subagent')[0]?.agentType, 'general-purpose');
  assert.equal(stream.all('subagent').at(-1)?.status, 'SUBAGENT_STATUS_COMPLETED');
  assert.ok(existsSync(join(place.workspace, 'by-agent.txt')));
  assert.ok(stream.all('toolUse').some((tool) => tool.name === 'Write' && tool.parentToolUseId !== ''));
  stream.prompt('p2', 'run in the background: while [ ! -e background ]; do sleep 0.05; done');
  await stream.ended('p2');
  writeFileSync(join(place.workspace, 'background'), '');
  const own = await stream.wait('turnStarted', (turn) => turn.origin === 'TURN_ORIGIN_BACKGROUND');
  assert.deepEqual((await stream.wait('turnEnded', (turn) => turn.turnId === own.turnId)).inputIds, []);
  stream.close();
});

test('a long answer is replayed word for word to a reader that comes late', async ({ client, place }) => {
  const stream = attach(client, { sessionId: 'long', create: options(place.workspace) });
  stream.prompt('p1', 'long 60');
  await stream.ended('p1');
  const late = attach(client, { sessionId: 'long', term: 2 });
  await late.ended('p1');
  const inLog = (responses: SessionResponse[]) => responses.filter((response) => response.seq > 0);
  assert.ok(inLog(stream.responses).length > 50);
  assert.deepEqual(inLog(late.responses), inLog(stream.responses));
  assert.equal(
    late
      .all('textDelta')
      .map((delta) => delta.text)
      .join(''),
    late.said(),
  );
  late.close();
});

test("the agent's environment holds the session's additions and nothing of the worker's", async ({ client, place }) => {
  const env = { FROM_SESSION: 'yes', AGENT_WORKER_TRICK: 'no', IS_SANDBOX: 'no', DISABLE_TELEMETRY: '0' };
  const stream = attach(client, { sessionId: 'env', create: options(place.workspace, { env }) });
  stream.prompt('p1', 'run: env');
  await stream.ended('p1');
  const lines = stream.all('toolResult')[0]?.summary.split('\n') ?? [];
  assert.ok(lines.includes('FROM_SESSION=yes'));
  assert.ok(lines.includes('DISABLE_TELEMETRY=1'));
  assert.deepEqual(
    lines.filter((line) => /^(AGENT_WORKER_|IS_SANDBOX)/.test(line)),
    [],
  );
  stream.close();
});

test('a new model is said once it holds', async ({ client, place }) => {
  const stream = attach(client, { sessionId: 'model', create: options(place.workspace) });
  stream.prompt('p1', 'say one');
  await stream.ended('p1');
  stream.send({ $case: 'setModel', value: { inputId: 'm1', model: 'claude-sonnet-4-6' } });
  await stream.wait('modelChanged', (changed) => changed.model === 'claude-sonnet-4-6');
  stream.prompt('p2', 'say two');
  await stream.ended('p2');
  assert.equal(stream.all('turnStarted').at(-1)?.model, 'claude-sonnet-4-6');
  stream.close();
});

test('a lost gateway does not stop a turn, and the next one hears the rest', async ({ client, place, api }) => {
  const first = attach(client, { sessionId: 'lost', create: options(place.workspace) });
  const { logId } = await first.wait('attached');
  first.prompt('p1', 'say before, then hold lost, then create after.txt with the word x');
  const turnId = await turnOf(first, 'p1');
  const heard = first.lastSeq();
  first.close();
  api.gate('lost').open();
  await until('the turn goes on', () => existsSync(join(place.workspace, 'after.txt')));
  const second = attach(client, { sessionId: 'lost', logId, afterSeq: heard, term: 2 });
  assert.equal((await second.ended('p1')).turnId, turnId);
  const seqs = second.responses.filter((response) => response.seq > 0).map((response) => response.firstSeq);
  assert.equal(seqs[0], heard + 1);
  second.close();
});

test.run();
