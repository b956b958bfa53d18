// @limit 420
// The promise of this folder: the real Claude Code works against the simulated model, with real files and commands.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CanUseTool, SDKMessage } from '@anthropic-ai/claude-agent-sdk';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ModelApi, startModelApi } from '../../src/model/index.ts';
import { type Claude, resultText, startClaude, toolUses } from './claude.ts';

let api: ModelApi;
let claude: Claude;

test.before.each(async () => {
  api = await startModelApi({ slowDelayMs: 2 });
});
test.after.each(async () => {
  await claude.end();
  await api.close();
});

const isText = (message: SDKMessage) => JSON.stringify(message).includes('text_delta');

test('a file is created and its content read back by a real command', async () => {
  claude = startClaude(api);
  const result = await claude.turn('[alice] create hello.txt with the word hi, then run: tr a-z A-Z < hello.txt');
  assert.is(readFileSync(join(claude.repo, 'hello.txt'), 'utf8'), 'hi\n');
  assert.match(resultText(result), '```\nHI\n```');
  assert.ok(result.total_cost_usd > 0 && result.usage.output_tokens > 10);
});

test('files are edited after they are read', async () => {
  claude = startClaude(api);
  writeFileSync(join(claude.repo, 'list.txt'), 'one\ntwo\n');
  const result = await claude.turn(
    'replace two with three in list.txt, then append four to list.txt, then read list.txt',
  );
  assert.is(readFileSync(join(claude.repo, 'list.txt'), 'utf8'), 'one\nthree\nfour\n');
  assert.match(resultText(result), '```\none\nthree\nfour\n```');
  const over = await claude.turn('create list.txt with the word new');
  assert.is(readFileSync(join(claude.repo, 'list.txt'), 'utf8'), 'new\n', resultText(over));
});

test('a file that was there before is overwritten', async () => {
  claude = startClaude(api);
  writeFileSync(join(claude.repo, 'old.txt'), 'old\n');
  await claude.turn('create old.txt with the word new');
  assert.is(readFileSync(join(claude.repo, 'old.txt'), 'utf8'), 'new\n');
});

test('a refused tool is not run and the refusal is told', async () => {
  const refuse: CanUseTool = () => Promise.resolve({ behavior: 'deny', message: 'Not on a Monday.' });
  claude = startClaude(api, refuse);
  const result = await claude.turn('create no.txt with the word no');
  assert.not.ok(existsSync(join(claude.repo, 'no.txt')));
  assert.match(resultText(result), 'Not on a Monday.');
});

test('a question is asked and its answer heard', async () => {
  const answer: CanUseTool = (_tool, input) => {
    return Promise.resolve({ behavior: 'allow', updatedInput: { ...input, answers: { 'Which colour?': 'green' } } });
  };
  claude = startClaude(api, answer);
  const result = await claude.turn('ask Which colour? red or green');
  assert.match(resultText(result), '"Which colour?"="green"');
});

test('a plan is proposed, sent back, proposed again and approved, and then carried out', async () => {
  const plans: unknown[] = [];
  const answer: CanUseTool = (tool, input) => {
    if (tool !== 'ExitPlanMode') return Promise.resolve({ behavior: 'allow', updatedInput: input });
    plans.push(input.plan);
    if (plans.length === 1) return Promise.resolve({ behavior: 'deny', message: 'Too red.' });
    return Promise.resolve({ behavior: 'allow', updatedInput: input });
  };
  claude = startClaude(api, answer, { permissionMode: 'plan' });
  const refused = await claude.turn('plan: paint it red, then create paint.txt with the word red');
  assert.match(resultText(refused), 'Too red.');
  assert.not.ok(existsSync(join(claude.repo, 'paint.txt')));
  const approved = await claude.turn('plan: paint it blue, then create paint.txt with the word blue');
  assert.equal(plans, ['# Plan\n\npaint it red\n', '# Plan\n\npaint it blue\n']);
  assert.is(readFileSync(join(claude.repo, 'paint.txt'), 'utf8'), 'blue\n', resultText(approved));
});

test('plan mode is entered by the model if it is not on', async () => {
  claude = startClaude(api);
  const result = await claude.turn('plan: count to three');
  const names = toolUses(claude.messages).map(({ name }) => name);
  assert.equal(names, ['ToolSearch', 'EnterPlanMode', 'Write', 'ToolSearch', 'ExitPlanMode']);
  assert.match(resultText(result), 'approved');
});

test('a subagent does its own script and hands back what it found', async () => {
  claude = startClaude(api);
  const result = await claude.turn('agent general-purpose: "run: echo $((6*7)) > sub.txt, then read sub.txt"');
  assert.is(readFileSync(join(claude.repo, 'sub.txt'), 'utf8'), '42\n');
  assert.match(resultText(result), /^> 42$/m);
  assert.not.match(resultText(result), 'Subagent hand-back');
});

test('the end of a subagent in the background is answered by a turn of its own', async () => {
  claude = startClaude(api);
  await claude.turn('agent general-purpose in the background: "run: echo $((6*7)) > sub.txt, then read sub.txt"');
  const own = await claude.next(({ type }) => type === 'result');
  assert.match(JSON.stringify(own), 'A background task has ended');
  assert.match(JSON.stringify(own), '42');
});

test('a conversation goes on after its compaction', async () => {
  claude = startClaude(api);
  await claude.turn('create a.txt with the word kept');
  await claude.turn('say something');
  const compacted = await claude.turn('/compact');
  assert.not.ok(compacted.is_error);
  assert.ok(claude.messages.some((message) => message.type === 'system' && message.subtype === 'compact_boundary'));
  assert.match(JSON.stringify(claude.messages), 'Messages of the person:');
  assert.match(resultText(await claude.turn('run: tr a-z A-Z < a.txt')), 'KEPT');
});

test('an overloaded API is asked again and the turn succeeds', async () => {
  claude = startClaude(api);
  const result = await claude.turn('fail 529 times 1, then say survived');
  assert.is(resultText(result), 'survived');
  assert.ok(claude.messages.some((message) => message.type === 'system' && message.subtype === 'api_retry'));
  assert.equal(
    api.requests.map(({ status }) => status),
    [529, 200],
  );
});

test('a refused call fails the turn, and the next message works', async () => {
  claude = startClaude(api);
  const failed = await claude.turn('fail 400');
  assert.ok(failed.is_error);
  assert.is(resultText(await claude.turn('say better')), 'better');
});

test('a stream that is cut is asked for again and every word comes once', async () => {
  claude = startClaude(api);
  const result = await claude.turn('run: echo begin, then fail cut, then slow 8');
  assert.match(resultText(result), /begin\n```\n\nw1 w2 w3 w4 w5 w6 w7 w8$/);
  assert.ok(api.requests.some(({ end }) => end === 'cut'));
});

test('an answer is interrupted in its middle and the next message is answered', async () => {
  claude = startClaude(api, undefined, { includePartialMessages: true });
  claude.send('slow 5, then hold here, then slow 500');
  await claude.next(isText);
  await api.gate('here').reached();
  await claude.query.interrupt();
  const result = await claude.next(({ type }) => type === 'result');
  assert.match(JSON.stringify(result), 'aborted_streaming');
  assert.is(api.requests[0]?.end, 'client-gone');
  assert.is(resultText(await claude.turn('say again')), 'again');
});

test('a message sent while a tool runs is heard in the same turn', async () => {
  claude = startClaude(api);
  claude.send('run: until test -e go; do sleep 0.05; done; echo went, then say first');
  await claude.next((message) => message.type === 'assistant' && JSON.stringify(message).includes('"tool_use"'));
  claude.send('run: echo steered-$((1+1))');
  writeFileSync(join(claude.repo, 'go'), '');
  const result = await claude.next(({ type }) => type === 'result');
  assert.match(JSON.stringify(result), 'steered-2');
});

test('an older model, which is told everything in reminders, plans and hears messages in mid-turn too', async () => {
  claude = startClaude(api, undefined, { model: 'claude-sonnet-4-6' });
  const planned = await claude.turn('plan: count to three');
  assert.equal(
    toolUses(claude.messages).map(({ name }) => name),
    ['ToolSearch', 'EnterPlanMode', 'Write', 'ToolSearch', 'ExitPlanMode'],
  );
  assert.match(resultText(planned), 'approved');
  claude.send('run: until test -e go; do sleep 0.05; done; echo went');
  await claude.next((message) => message.type === 'assistant' && JSON.stringify(message).includes('"tool_use"'));
  claude.send('run: echo steered-$((1+1))');
  writeFileSync(join(claude.repo, 'go'), '');
  const result = await claude.next(({ type }) => type === 'result');
  assert.match(JSON.stringify(result), 'steered-2');
});

test('the network tool is called if the session has it', async () => {
  const { createSdkMcpServer, tool } = await import('@anthropic-ai/claude-agent-sdk');
  const { z } = await import('zod');
  const asked: unknown[] = [];
  const network = tool(
    'request_network_access',
    'Asks for network access',
    { hosts: z.array(z.string()), reason: z.string() },
    (input) => {
      asked.push(input);
      return Promise.resolve({ content: [{ type: 'text', text: `granted ${input.hosts.join(' ')}` }] });
    },
  );
  claude = startClaude(api, undefined, {
    mcpServers: { gateway: createSdkMcpServer({ name: 'gateway', tools: [network] }) },
  });
  const result = await claude.turn('network pypi.org because pip needs it');
  assert.equal(asked, [{ hosts: ['pypi.org'], reason: 'pip needs it' }]);
  assert.match(resultText(result), 'granted pypi.org');
});

test.run();
