// @limit 300
// The worker dies without warning, or is told to stop: what was said is not lost, and nothing runs twice.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import { type ModelApi, startModelApi } from '../../../simulator/src/model/index.ts';
import { ToolDecision } from '../../src/generated/claude_agent/v1/agent.ts';
import { turnOf } from '../support/agentContext.ts';
import { attach, connect, options } from '../support/client.ts';
import { until } from '../support/until.ts';
import { makePlace, type Place, startWorkerProcess } from '../support/workerProcess.ts';

const test = suite<{ api: ModelApi; place: Place }>('restart');
test.before.each(async (context) => {
  context.place = makePlace();
  context.api = await startModelApi();
});
test.after.each(async (context) => {
  await context.api.close();
  context.place.remove();
});

const askBash = { toolPolicy: { otherwise: ToolDecision.ALLOW, allow: [], ask: ['Bash(touch asked*)'], deny: [] } };

test('a killed worker goes on with the same log: the turn is lost, the queued prompt is told, nothing runs again', async ({
  api,
  place,
}) => {
  const first = await startWorkerProcess({ place, modelUrl: api.url });
  const stream = attach(connect(first.port), { create: options(place.workspace, askBash), term: 3 });
  const { logId } = await stream.wait('attached');
  stream.prompt('p1', 'run: echo once >> count.txt; echo done, then run: touch asked.txt');
  const request = await stream.wait('approvalRequest');
  const turnId = await turnOf(stream, 'p1');
  stream.prompt('p2', 'run: echo twice >> count.txt');
  await stream.wait('inputAccepted', (accepted) => accepted.inputId === 'p2');
  const heard = stream.lastSeq();
  await first.kill();

  const second = await startWorkerProcess({ place, modelUrl: api.url });
  const again = attach(connect(second.port), { logId, afterSeq: heard, term: 3 });
  const attached = await again.wait('attached');
  assert.equal(attached.logId, logId);
  assert.equal(attached.state, 'SESSION_STATE_ASLEEP');
  assert.deepEqual(attached.openRequestIds, []);
  assert.deepEqual(await again.wait('approvalWithdrawn'), {
    requestId: request.requestId,
    reason: 'WITHDRAWAL_REASON_WORKER_LOST',
  });
  const turn = await again.ended('p1');
  assert.deepEqual([turn.turnId, turn.outcome], [turnId, 'TURN_OUTCOME_LOST']);
  assert.deepEqual(await again.wait('promptLost'), { inputId: 'p2' });
  assert.equal(again.responses.find((response) => response.seq > 0)?.seq, heard + 1);

  for (const inputId of ['p1', 'p2']) {
    again.prompt(inputId, 'run: echo again >> count.txt');
    assert.equal((await again.wait('inputAccepted', (accepted) => accepted.inputId === inputId)).duplicate, true);
  }
  again.prompt('p3', 'say I am back');
  assert.equal((await again.ended('p3')).outcome, 'TURN_OUTCOME_COMPLETED');
  assert.equal(again.all('turnStarted').length, 1, 'only the new prompt ran');
  assert.equal(readFileSync(join(place.workspace, 'count.txt'), 'utf8'), 'once\n');
  assert.equal(existsSync(join(place.workspace, 'asked.txt')), false);
  const lower = attach(connect(second.port), { term: 2 });
  await lower.waitForError();
  await second.stop();
});

test('what was said before the kill and not heard is heard after it', async ({ api, place }) => {
  const first = await startWorkerProcess({ place, modelUrl: api.url });
  const stream = attach(connect(first.port), { create: options(place.workspace) });
  const { logId } = await stream.wait('attached');
  stream.prompt('p1', 'say remember me');
  await stream.ended('p1');
  const said = stream.responses.filter((response) => response.seq > 0);
  await first.kill();
  const second = await startWorkerProcess({ place, modelUrl: api.url });
  const again = attach(connect(second.port), { logId, afterSeq: 1 });
  await again.ended('p1');
  assert.deepEqual(
    again.responses.filter((response) => response.seq > 0),
    said.slice(1),
  );
  await second.stop();
});

test('a session killed in its first turn wakes with its memory or says that it is lost', async ({ api, place }) => {
  const first = await startWorkerProcess({ place, modelUrl: api.url });
  const stream = attach(connect(first.port), { create: options(place.workspace) });
  stream.prompt('p1', 'say something');
  const before = await stream.ended('p1');
  await first.kill();
  const second = await startWorkerProcess({ place, modelUrl: api.url });
  const again = attach(connect(second.port), { term: 2 });
  const attached = await again.wait('attached');
  assert.equal(attached.agentSessionId, before.agentSessionId);
  again.prompt('p2', 'say more');
  const after = await again.ended('p2');
  assert.equal(after.agentSessionId, before.agentSessionId, 'the conversation is resumed');
  assert.equal(after.outcome, 'TURN_OUTCOME_COMPLETED');
  assert.ok(after.totalCostUsd > before.totalCostUsd);
  await second.stop();
});

test('a worker told to stop ends its agents with all they started, and exits with 0', async ({ api, place }) => {
  const worker = await startWorkerProcess({ place, modelUrl: api.url });
  const stream = attach(connect(worker.port), { create: options(place.workspace) });
  stream.prompt('p1', 'run: touch started; while true; do sleep 0.1; done');
  await until('the command runs', () => existsSync(join(place.workspace, 'started')));
  const ours = processesIn(place);
  assert.ok(ours.length >= 2, 'the agent and its command run');
  assert.equal(await worker.stop(), 0);
  await until('nothing of the agent is left', () => processesIn(place).length === 0);
});

test('an agent that is killed leaves no command behind, its turn is lost, and the next prompt works', async ({
  api,
  place,
}) => {
  const worker = await startWorkerProcess({ place, modelUrl: api.url });
  const stream = attach(connect(worker.port), { create: options(place.workspace) });
  stream.prompt('p1', 'run: touch started; while true; do sleep 0.1; done');
  await until('the command runs', () => existsSync(join(place.workspace, 'started')));
  const claude = processesIn(place).find((one) => one.name === 'claude');
  assert.ok(claude, 'Claude Code runs');
  process.kill(claude.pid, 'SIGKILL');
  const turn = await stream.ended('p1');
  assert.equal(turn.outcome, 'TURN_OUTCOME_LOST');
  assert.equal(stream.all('toolResult').at(-1)?.isError, true);
  await until('nothing of the agent is left', () => processesIn(place).length === 0);
  stream.prompt('p2', 'say next');
  assert.equal((await stream.ended('p2')).outcome, 'TURN_OUTCOME_COMPLETED');
  await worker.stop();
});

test('a worker that starts again ends what the killed one left running', async ({ api, place }) => {
  const first = await startWorkerProcess({ place, modelUrl: api.url });
  const stream = attach(connect(first.port), { create: options(place.workspace) });
  stream.prompt('p1', 'run: touch started; while true; do sleep 0.1; done');
  await until('the command runs', () => existsSync(join(place.workspace, 'started')));
  await first.kill();
  assert.ok(processesIn(place).length > 0, 'the command outlives the worker');
  const second = await startWorkerProcess({ place, modelUrl: api.url });
  await until('nothing of the agent is left', () => processesIn(place).length === 0);
  await second.stop();
});

test('an agent that cannot start is a failed turn with a reason, not a silent one', async ({ place }) => {
  const worker = await startWorkerProcess({ place, args: ['--claude-path', join(place.root, 'nothing-here')] });
  const stream = attach(connect(worker.port), { create: options(place.workspace) });
  for (const inputId of ['p1', 'p2']) {
    stream.prompt(inputId, 'say hello');
    const turn = await stream.ended(inputId);
    assert.deepEqual([turn.outcome, turn.errorCode], ['TURN_OUTCOME_FAILED', 'agent_start_failed']);
    assert.match(turn.error, /nothing-here|not found|ENOENT/);
  }
  assert.equal(await worker.stop(), 0);
});

test('a prompt whose attachments cannot be written is told as lost', async ({ place }) => {
  writeFileSync(join(place.root, 'agent-attachments'), 'a file where the folder should be');
  const worker = await startWorkerProcess({ place });
  const stream = attach(connect(worker.port), { create: options(place.workspace) });
  const attachments = [{ name: 'a.txt', mediaType: 'text/plain', content: Buffer.from('a') }];
  stream.send({
    $case: 'prompt',
    value: { inputId: 'p1', text: 'hello', author: '', attachments, steer: false, notice: '' },
  });
  assert.deepEqual(await stream.wait('promptLost'), { inputId: 'p1' });
  assert.equal(await worker.stop(), 0);
});

/** The processes that work in the test's workspace. */
function processesIn(place: Place): { pid: number; name: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const environment = readFileSync(`/proc/${name}/environ`, 'utf8').split('\0');
        const mine =
          environment.includes(`HOME=${place.home}`) && environment.some((one) => one.startsWith('CLAUDE_AGENT_MARK='));
        return mine ? [{ pid: Number(name), name: readFileSync(`/proc/${name}/comm`, 'utf8').trim() }] : [];
      } catch {
        // It ended while it was looked at.
        return [];
      }
    });
}

test.run();
