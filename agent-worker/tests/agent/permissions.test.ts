// @limit 300
// What the agent may do: the policy hook, people's decisions, plan mode, questions and network requests, all with the
// real Claude Code.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import { ToolDecision, type ToolPolicy } from '../../src/generated/claude_agent/v1/agent.ts';
import { NOT_OFFERED } from '../../src/session/agent.ts';
import { digestOf } from '../../src/session/approvals.ts';
import { NETWORK_TOOL } from '../../src/tools/networkAccess.ts';
import { type AgentContext, decide, turnOf, withAgent } from '../support/agentContext.ts';
import { attach, options } from '../support/client.ts';
import { until } from '../support/until.ts';

const test = suite<AgentContext>('permissions');
withAgent(test);

const policy = (more: Partial<ToolPolicy>): { toolPolicy: ToolPolicy } => ({
  toolPolicy: { otherwise: ToolDecision.ALLOW, allow: [], ask: [], deny: [], ...more },
});

test('a settings file of the repository cannot loosen the policy', async ({ client, place }) => {
  const cwd = join(place.root, 'loose');
  mkdirSync(join(cwd, '.claude'), { recursive: true });
  const settings = { permissions: { allow: ['Bash(*)', 'Bash', 'Write'] } };
  writeFileSync(join(cwd, '.claude', 'settings.local.json'), JSON.stringify(settings));
  const stream = attach(client, {
    sessionId: 'loose',
    create: options(cwd, policy({ ask: ['Bash(touch *)'], deny: ['Write'] })),
  });
  stream.prompt('p1', 'create a.txt with the word x, then run: touch b.txt');
  const request = await stream.wait('approvalRequest');
  assert.equal(request.kind, 'APPROVAL_KIND_TOOL');
  assert.deepEqual([existsSync(join(cwd, 'a.txt')), existsSync(join(cwd, 'b.txt'))], [false, false]);
  decide(stream, request, 'DECISION_OUTCOME_APPROVED');
  await stream.ended('p1');
  assert.deepEqual([existsSync(join(cwd, 'a.txt')), existsSync(join(cwd, 'b.txt'))], [false, true]);
  const denied = stream.all('toolResult').find((result) => result.isError);
  assert.match(denied?.summary ?? '', /denied by the rule Write/);
  stream.close();
});

test("a repository's settings cannot have the agent's key sent elsewhere", async ({ client, place }) => {
  for (const file of ['settings.json', 'settings.local.json']) {
    const cwd = join(place.root, `elsewhere-${file}`);
    mkdirSync(join(cwd, '.claude'), { recursive: true });
    writeFileSync(join(cwd, '.claude', file), JSON.stringify({ env: { ANTHROPIC_BASE_URL: 'http://127.0.0.1:9' } }));
    const stream = attach(client, { sessionId: file, create: options(cwd, policy({})) });
    stream.prompt('p1', 'say heard-by-the-right-one');
    await stream.ended('p1');
    assert.match(JSON.stringify(stream.all('textBlock')), /heard-by-the-right-one/, file);
    stream.close();
  }
});

test('a decision holds once, and only for the arguments that were shown', async ({ client, place }) => {
  const stream = attach(client, { sessionId: 'decide', create: options(place.workspace, policy({ ask: ['Bash'] })) });
  stream.prompt('p1', 'run: touch decided.txt');
  const request = await stream.wait('approvalRequest');
  assert.equal(JSON.parse(request.inputJson).command, 'touch decided.txt');
  assert.equal(request.inputDigest, digestOf(request.inputJson));
  decide(stream, request, 'DECISION_OUTCOME_APPROVED', { inputId: 'd1', inputDigest: digestOf('{}') });
  assert.equal((await stream.wait('inputRefused')).code, 'DIGEST_MISMATCH');
  assert.equal(existsSync(join(place.workspace, 'decided.txt')), false);
  decide(stream, request, 'DECISION_OUTCOME_DENIED', { inputId: 'd2', message: 'not on a Friday' });
  decide(stream, request, 'DECISION_OUTCOME_APPROVED', { inputId: 'd3' });
  assert.equal((await stream.wait('inputRefused', (refused) => refused.inputId === 'd3')).code, 'NO_SUCH_REQUEST');
  await stream.ended('p1');
  assert.equal(existsSync(join(place.workspace, 'decided.txt')), false);
  assert.match(stream.all('toolResult')[0]?.summary ?? '', /not on a Friday/);
  stream.close();
});

test('an approval is for one call: the very same call again is asked about again', async ({ client, place }) => {
  const stream = attach(client, { sessionId: 'once', create: options(place.workspace, policy({ ask: ['Bash'] })) });
  const same = 'run: echo again >> once.txt';
  stream.prompt('p1', same);
  decide(stream, await stream.wait('approvalRequest'), 'DECISION_OUTCOME_APPROVED');
  await stream.ended('p1');
  stream.prompt('p2', same);
  const [first] = stream.all('approvalRequest');
  const second = await stream.wait('approvalRequest', ({ requestId }) => requestId !== first?.requestId);
  assert.equal(second.inputDigest, first?.inputDigest);
  assert.equal(readFileSync(join(place.workspace, 'once.txt'), 'utf8'), 'again\n');
  decide(stream, second, 'DECISION_OUTCOME_DENIED');
  await stream.ended('p2');
  assert.equal(readFileSync(join(place.workspace, 'once.txt'), 'utf8'), 'again\n');
  stream.close();
});

test('RT-29: what a subagent asks reaches a person, and the answer reaches it, in the background too', async ({
  client,
  place,
}) => {
  const stream = attach(client, { sessionId: 'nested', create: options(place.workspace, policy({ ask: ['Bash'] })) });
  const seen = new Set<string>();
  const next = async () => {
    const request = await stream.wait('approvalRequest', ({ requestId }) => !seen.has(requestId));
    seen.add(request.requestId);
    return request;
  };
  for (const [index, [how, outcome]] of (
    [
      ['', 'DECISION_OUTCOME_APPROVED'],
      ['', 'DECISION_OUTCOME_DENIED'],
      ['', 'DECISION_OUTCOME_EXPIRED'],
      [' in the background', 'DECISION_OUTCOME_APPROVED'],
    ] as const
  ).entries()) {
    const file = `nested${index}.txt`;
    stream.prompt(`p${index}`, `agent general-purpose${how}: run: touch ${file}`);
    const request = await next();
    assert.equal(request.kind, 'APPROVAL_KIND_TOOL');
    assert.equal(JSON.parse(request.inputJson).command, `touch ${file}`);
    const caller = stream.all('toolUse').find(({ toolUseId }) => toolUseId === request.parentToolUseId);
    assert.match(caller?.name ?? '', /^(Agent|Task)$/, 'it is known which subagent asks');
    const ends = stream.all('subagent').length;
    decide(stream, request, outcome);
    await stream.ended(`p${index}`);
    await until('the subagent ends', () =>
      stream
        .all('subagent')
        .slice(ends)
        .some(({ status }) => status !== 'SUBAGENT_STATUS_STARTED'),
    );
    assert.equal(existsSync(join(place.workspace, file)), outcome === 'DECISION_OUTCOME_APPROVED', how);
  }
  stream.prompt('p9', 'agent general-purpose: network nested.example because it is needed');
  const request = await next();
  assert.equal(request.kind, 'APPROVAL_KIND_NETWORK');
  decide(stream, request, 'DECISION_OUTCOME_DENIED', { message: 'not from there' });
  await stream.ended('p9');
  assert.match(JSON.stringify(stream.all('toolResult')), /not from there/);
  stream.close();
});

test('nobody answering is neither yes nor no, and the agent is told so', async ({ client, place }) => {
  const stream = attach(client, { sessionId: 'expired', create: options(place.workspace, policy({ ask: ['Bash'] })) });
  stream.prompt('p1', 'run: touch expired.txt');
  decide(stream, await stream.wait('approvalRequest'), 'DECISION_OUTCOME_EXPIRED');
  await stream.ended('p1');
  assert.match(stream.all('toolResult')[0]?.summary ?? '', /Nobody answered in time/);
  assert.equal(existsSync(join(place.workspace, 'expired.txt')), false);
  stream.close();
});

test('a request waits for the next gateway, and an interrupt withdraws it', async ({ client, place }) => {
  const stream = attach(client, { sessionId: 'withdraw', create: options(place.workspace, policy({ ask: ['Bash'] })) });
  stream.prompt('p1', 'run: touch withdrawn.txt');
  const { requestId } = await stream.wait('approvalRequest');
  const turnId = await turnOf(stream, 'p1');
  stream.close();
  const again = attach(client, { sessionId: 'withdraw', term: 2 });
  const attached = await again.wait('attached');
  assert.deepEqual(
    [attached.openRequestIds, attached.turnId, attached.state],
    [[requestId], turnId, 'SESSION_STATE_RUNNING'],
  );
  again.send({ $case: 'interrupt', value: { inputId: 'i1', turnId } });
  assert.deepEqual(await again.wait('approvalWithdrawn'), { requestId, reason: 'WITHDRAWAL_REASON_TURN_ENDED' });
  assert.equal((await again.ended('p1')).outcome, 'TURN_OUTCOME_INTERRUPTED');
  assert.equal(existsSync(join(place.workspace, 'withdrawn.txt')), false);
  again.close();
});

test('a question reaches a person and the answer reaches the agent', async ({ client, place }) => {
  const stream = attach(client, { sessionId: 'question', create: options(place.workspace) });
  stream.prompt('p1', 'ask Which colour? red or blue');
  const request = await stream.wait('approvalRequest');
  assert.equal(request.kind, 'APPROVAL_KIND_QUESTION');
  const question: string = JSON.parse(request.inputJson).questions[0].question;
  decide(stream, request, 'DECISION_OUTCOME_APPROVED', { answers: { [question]: 'blue' } });
  await stream.ended('p1');
  assert.match(stream.said(), /blue/);
  stream.close();
});

test('RT-27: a question is answered by a person or not at all, whatever else comes meanwhile', async ({
  client,
  place,
}) => {
  const stream = attach(client, { sessionId: 'unanswered', create: options(place.workspace) });
  stream.prompt('p1', 'ask Which colour? red or blue');
  const request = await stream.wait('approvalRequest');
  const question: string = JSON.parse(request.inputJson).questions[0].question;
  for (const [inputId, answers] of [
    ['d1', {}],
    ['d2', { [question]: '' }],
    ['d3', { [question]: ' \n' }],
  ] as const) {
    decide(stream, request, 'DECISION_OUTCOME_APPROVED', { inputId, answers });
    assert.equal((await stream.wait('inputRefused', (refused) => refused.inputId === inputId)).code, 'NO_OUTCOME');
  }
  stream.prompt('p2', 'say something else');
  await stream.wait('inputAccepted', (accepted) => accepted.inputId === 'p2');
  stream.send({ $case: 'setPermissionMode', value: { inputId: 'm1', mode: 'PERMISSION_MODE_PLAN' } });
  await stream.wait('permissionModeChanged');
  stream.close();
  const again = attach(client, { sessionId: 'unanswered', term: 2 });
  assert.deepEqual((await again.wait('attached')).openRequestIds, [request.requestId]);
  assert.deepEqual(again.all('toolResult'), []);
  decide(again, request, 'DECISION_OUTCOME_APPROVED', { inputId: 'd4', answers: { [question]: 'blue' } });
  await again.ended('p1');
  assert.match(again.said(), /blue/);
  await again.ended('p2');
  again.close();
});

test('plan mode allows the plan file and nothing else, until the plan is approved', async ({ client, place }) => {
  const stream = attach(client, { sessionId: 'plan', create: options(place.workspace) });
  stream.send({ $case: 'setPermissionMode', value: { inputId: 'm1', mode: 'PERMISSION_MODE_PLAN' } });
  assert.equal((await stream.wait('permissionModeChanged')).mode, 'PERMISSION_MODE_PLAN');
  stream.prompt('p1', 'create planned.txt with the word x, then run: touch planned2.txt');
  await stream.ended('p1');
  assert.deepEqual(
    ['planned.txt', 'planned2.txt'].map((file) => existsSync(join(place.workspace, file))),
    [false, false],
  );
  assert.ok(stream.all('toolResult').every((result) => result.isError && /Plan mode/.test(result.summary)));
  stream.prompt('p2', 'plan: build the thing');
  const request = await stream.wait('approvalRequest');
  assert.equal(request.kind, 'APPROVAL_KIND_PLAN');
  assert.match(request.inputJson, /build the thing/);
  decide(stream, request, 'DECISION_OUTCOME_APPROVED');
  await stream.ended('p2');
  assert.equal(stream.all('permissionModeChanged').at(-1)?.mode, 'PERMISSION_MODE_DEFAULT');
  stream.prompt('p3', 'create planned.txt with the word x');
  await stream.ended('p3');
  assert.equal(existsSync(join(place.workspace, 'planned.txt')), true);
  stream.close();
});

test('a mode set while a turn runs holds for its next tool', async ({ client, place, api }) => {
  const stream = attach(client, { sessionId: 'midway', create: options(place.workspace) });
  stream.prompt('p1', 'hold midway, then create midway.txt with the word x');
  await turnOf(stream, 'p1');
  stream.send({ $case: 'setPermissionMode', value: { inputId: 'm1', mode: 'PERMISSION_MODE_PLAN' } });
  await stream.wait('permissionModeChanged');
  api.gate('midway').open();
  await stream.ended('p1');
  assert.equal(existsSync(join(place.workspace, 'midway.txt')), false);
  stream.close();
});

test('a network request waits, and its outcome is told in words', async ({ client, place }) => {
  const stream = attach(client, { sessionId: 'network', create: options(place.workspace) });
  const answers = [
    ['DECISION_OUTCOME_APPROVED', { proven: true }, /seen to work: a\.example/],
    ['DECISION_OUTCOME_APPROVED', { proven: false }, /no connection could be proven/],
    ['DECISION_OUTCOME_DENIED', { message: 'ask security' }, /ask security/],
    ['DECISION_OUTCOME_EXPIRED', {}, /Nobody answered in time/],
  ] as const;
  for (const [index, [outcome, more, words]] of answers.entries()) {
    stream.prompt(`p${index}`, `network ${'abcd'[index]}.example because it is needed`);
    const request = await stream.wait('approvalRequest', (one) => one.inputJson.includes(`${'abcd'[index]}.example`));
    assert.equal(request.kind, 'APPROVAL_KIND_NETWORK');
    assert.equal(request.toolUseId, stream.all('toolUse').at(-1)?.toolUseId);
    decide(stream, request, outcome, more);
    await stream.ended(`p${index}`);
    assert.match(stream.all('toolResult').at(-1)?.summary ?? '', words);
  }
  stream.prompt('again', 'network e.example, then network e.example');
  decide(
    stream,
    await stream.wait(
      'approvalRequest',
      (one) =>
        one.inputJson.includes('e.example') &&
        one.turnId !== '' &&
        !stream.all('approvalRequest').slice(0, 4).includes(one),
    ),
    'DECISION_OUTCOME_DENIED',
  );
  await stream.ended('again');
  assert.equal(stream.all('approvalRequest').length, 5, 'a denial is remembered for the turn');
  stream.close();
});

test('an interrupt withdraws a network request that waits', async ({ client, place }) => {
  const stream = attach(client, { sessionId: 'network-interrupt', create: options(place.workspace) });
  stream.prompt('p1', 'network waiting.example');
  const { requestId, turnId } = await stream.wait('approvalRequest');
  stream.send({ $case: 'interrupt', value: { inputId: 'i1', turnId } });
  assert.equal((await stream.ended('p1')).outcome, 'TURN_OUTCOME_INTERRUPTED');
  assert.deepEqual(await stream.wait('approvalWithdrawn'), { requestId, reason: 'WITHDRAWAL_REASON_TURN_ENDED' });
  stream.prompt('p2', 'say on');
  assert.equal((await stream.ended('p2')).outcome, 'TURN_OUTCOME_COMPLETED');
  stream.close();
});

test('tools that go around the firewall or leave the folder are not offered, ours is', async ({
  client,
  place,
  modelLog,
}) => {
  const stream = attach(client, { sessionId: 'offered', create: options(place.workspace) });
  stream.prompt('p1', 'say hello');
  await stream.ended('p1');
  const last = readFileSync(modelLog, 'utf8').trim().split('\n').at(-1) ?? '';
  const tools: string[] = JSON.parse(last).request.body.tools;
  assert.ok(tools.includes('Bash') && tools.includes(NETWORK_TOOL), tools.join());
  for (const tool of NOT_OFFERED) assert.ok(!tools.includes(tool) && !last.includes(`"${tool}"`), tool);
  stream.close();
});

test.run();
