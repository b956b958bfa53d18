import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ModelApi, startModelApi } from '../../src/model/index.ts';
import {
  ENVIRONMENT,
  eventsOf,
  firstTurn,
  HEADERS,
  post,
  request,
  streamedInput,
  streamedText,
  until,
} from './client.ts';

const folder = mkdtempSync(join(tmpdir(), 'model-log-'));
const log = join(folder, 'log.ndjson');
let api: ModelApi;

test.before(async () => {
  api = await startModelApi({ slowDelayMs: 0, log });
});
test.after(async () => {
  await api.close();
  rmSync(folder, { recursive: true });
});

interface Turn {
  text: string;
  tool: { name: string; id: string; input: unknown } | undefined;
  messages: unknown[];
}

/** Sends messages, and gives the answer with the messages as they are after it. */
async function ask(messages: unknown[], more: Record<string, unknown> = {}): Promise<Turn> {
  const reply = await post(api, request(messages, { stream: false, ...more }));
  assert.is(reply.status, 200, reply.body);
  const { content } = JSON.parse(reply.body);
  const used = content.find((block: { type: string }) => block.type === 'tool_use');
  const said = content.find((block: { type: string }) => block.type === 'text');
  return { text: said?.text ?? '', tool: used, messages: [...messages, { role: 'assistant', content }] };
}

/** Answers the turn's tool use. */
function answered({ tool, messages }: Turn, content: unknown, isError = false): unknown[] {
  const result = { type: 'tool_result', tool_use_id: tool?.id, content, is_error: isError };
  return [...messages, { role: 'user', content: [result] }];
}

test('tools are used one by one, and the end quotes what really came back', async () => {
  const first = await ask(firstTurn('create hello.txt with the word hi, then run: cat hello.txt, then say bye'));
  assert.equal([first.tool?.name, first.tool?.input], ['Write', { file_path: '/repo/hello.txt', content: 'hi\n' }]);
  const second = await ask(answered(first, 'File created'));
  assert.is(second.tool?.name, 'Bash');
  const third = await ask(answered(second, 'something else than hi'));
  assert.is(third.tool, undefined);
  assert.is(third.text, 'I wrote `hello.txt`.\n\n`cat hello.txt` printed:\n```\nsomething else than hi\n```\n\nbye');
});

test('another server goes on with a turn in its middle', async () => {
  const first = await ask(firstTurn('run: echo one, then run: echo two, then slow 2'));
  const other = await startModelApi();
  const reply = await post(other, request(answered(first, 'one'), { stream: false }));
  await other.close();
  assert.equal(JSON.parse(reply.body).content[1].input.command, 'echo two');
});

test('errors and refusals are told in words', async () => {
  const failed = await ask(answered(await ask(firstTurn('run: false')), 'Exit code 1', true));
  assert.match(failed.text, '`false` failed:\n```\nExit code 1');
  const refused = await ask(answered(await ask(firstTurn('run: rm x')), 'Not today.', true));
  assert.match(refused.text, '`rm x` was not run to its end: Not today.');
});

test('a file is read before it is changed, and what is appended to is found in it', async () => {
  const read = await ask(firstTurn('append two to list.txt'));
  assert.is(read.tool?.name, 'Read');
  const edit = await ask(answered(read, '1\tone\n2\tone\n3\t'));
  assert.equal(
    [edit.tool?.name, edit.tool?.input],
    ['Edit', { file_path: '/repo/list.txt', old_string: 'one\none', new_string: 'one\none\ntwo', replace_all: false }],
  );
  const missing = await ask(answered(read, 'File does not exist.', true));
  assert.equal([missing.tool?.name, missing.tool?.input], ['Write', { file_path: '/repo/list.txt', content: 'two\n' }]);
});

test('a file that must be read before it is overwritten is read, and written again', async () => {
  const unread = 'File has not been read yet. Read it first before writing to it.';
  const read = await ask(answered(await ask(firstTurn('create old.txt with the word new')), unread, true));
  assert.equal([read.tool?.name, read.tool?.input], ['Read', { file_path: '/repo/old.txt' }]);
  const write = await ask(answered(read, '1\told'));
  assert.equal([write.tool?.name, write.tool?.input], ['Write', { file_path: '/repo/old.txt', content: 'new\n' }]);
  assert.match((await ask(answered(write, 'Disk full', true))).text, 'Disk full');
});

test('a deferred tool is loaded first', async () => {
  const search = await ask(firstTurn('network pypi.org'));
  assert.equal(
    [search.tool?.name, search.tool?.input],
    ['ToolSearch', { query: 'select:mcp__gateway__request_network_access', max_results: 5 }],
  );
  const found = [{ type: 'tool_reference', tool_name: 'mcp__gateway__request_network_access' }];
  const tools = [{ name: 'mcp__gateway__request_network_access', input_schema: { type: 'object' } }];
  const call = await ask(answered(search, found), { tools });
  assert.equal(call.tool?.input, { hosts: ['pypi.org'], reason: 'The work needs pypi.org.' });
});

test('without the network tool the request is made in words, at the start of a line', async () => {
  const turn = await ask([{ role: 'user', content: 'say well, then network pypi.org' }]);
  assert.match(turn.text, /^\[NETWORK_REQUEST: pypi\.org\]$/m);
});

test('a refused plan ends the script', async () => {
  const note = { role: 'system', content: 'Plan mode is active. You should create your plan at /home/x/plans/a-b.md' };
  const tools = ['Write', 'ExitPlanMode'].map((name) => ({ name, input_schema: { type: 'object' } }));
  const messages = [...firstTurn('plan: paint it, then create x with the word y'), note];
  const write = await ask(messages, { tools });
  assert.equal(write.tool?.input, { file_path: '/home/x/plans/a-b.md', content: '# Plan\n\npaint it\n' });
  const exit = await ask(answered(write, 'ok'), { tools });
  assert.is(exit.tool?.name, 'ExitPlanMode');
  const end = await ask(answered(exit, 'Too red.', true), { tools });
  assert.is(end.tool, undefined);
  assert.match(end.text, 'not approved: Too red.');
  assert.match(end.text, 'left undone');
});

test('what the person sent before an interruption is not done again', async () => {
  const messages = [
    {
      role: 'user',
      content: [text('run: rm -r everything'), text('[Request interrupted by user]'), text('say sorry')],
    },
    ENVIRONMENT,
  ];
  const turn = await ask(messages);
  assert.is(turn.text, 'sorry');
});

test('what failed before is not asked to fail again by the next message', async () => {
  const turn = await ask([{ role: 'user', content: [text('fail 500'), text('say better')] }, ENVIRONMENT]);
  assert.is(turn.text, 'better');
});

test('a failure that is to happen so often happens so often, for each session', async () => {
  for (const session of ['one', 'two']) {
    const statuses: number[] = [];
    for (let n = 0; n < 4; n += 1) {
      const headers = { ...HEADERS, 'x-claude-code-session-id': session };
      statuses.push((await post(api, request(firstTurn('fail 429 times 2, then say ok')), headers)).status);
    }
    assert.equal(statuses, [429, 429, 200, 200]);
  }
});

test('a cut stream ends in the middle of the text and is whole the next time', async () => {
  const body = request(firstTurn('fail cut, then slow 10'));
  let failure: unknown;
  await post(api, body).catch((error: unknown) => {
    failure = error;
  });
  assert.instance(failure, Error);
  assert.is(api.requests.at(-1)?.end, 'cut');
  assert.is(streamedText(eventsOf((await post(api, body)).body)), 'w1 w2 w3 w4 w5 w6 w7 w8 w9 w10');
});

test('slow words are one delta each and go on counting', async () => {
  const events = eventsOf((await post(api, request(firstTurn('slow 3; slow 2')))).body);
  assert.is(streamedText(events), 'w1 w2 w3 w4 w5');
  const words = events.filter(({ data }) => /w\d/.test(JSON.stringify(data)));
  assert.is(words.length, 5);
});

test('a long answer is as long as asked, whole, and not cut inside a character', async () => {
  const events = eventsOf((await post(api, request(firstTurn('long 60'), { max_tokens: 100_000 }))).body);
  const whole = streamedText(events);
  assert.ok(Buffer.byteLength(whole) >= 60 * 1024);
  assert.not.match(whole, '\uFFFD');
  for (const part of ['```ts', '| ---', '🙂', '模型', 'End of the long answer']) assert.match(whole, part);
  assert.ok(events.every(({ data }) => data.type !== 'content_block_delta' || JSON.stringify(data).length < 400));
});

test('an answer over max_tokens is cut off and says so', async () => {
  const events = eventsOf((await post(api, request(firstTurn('slow 100'), { max_tokens: 10 }))).body);
  assert.is(streamedText(events).length, 40);
  assert.match(JSON.stringify(events.at(-2)?.data), '"stop_reason":"max_tokens"');
});

test('thinking is a signed block before the text, if the request allows thinking', async () => {
  const thinking = { thinking: { type: 'adaptive' } };
  const events = eventsOf((await post(api, request(firstTurn('think twice'), thinking))).body);
  const kinds = events.map(({ data }) => JSON.stringify(data)).join('\n');
  assert.match(kinds, /thinking_delta[\s\S]*signature_delta[\s\S]*text_delta/);
  assert.not.match((await post(api, request(firstTurn('think twice')))).body, 'thinking_delta');
});

test('a tool input arrives in parts that make up the JSON', async () => {
  const command = 'printf "%s" "äöü 🙂 quotes \\" and more than forty characters"';
  const events = eventsOf((await post(api, request(firstTurn(`run: ${command}`)))).body);
  assert.equal(streamedInput(events), { command, description: 'Run what was asked for' });
});

test('a held stream stands still until its gate is opened', async () => {
  const before = api.requests.length;
  const reply = post(api, request(firstTurn('slow 2, then hold middle, then slow 2')));
  await api.gate('middle').reached();
  assert.is(api.gate('middle').waiting, 1);
  assert.is(api.requests[before]?.end, undefined);
  api.gate('middle').open();
  assert.is(streamedText(eventsOf((await reply).body)), 'w1 w2 w3 w4');
  assert.is(api.requests[before]?.end, 'complete');
});

test('a paused model answers nobody until it is resumed', async () => {
  api.pause();
  const before = api.requests.length;
  const reply = post(api, request(firstTurn('say late')));
  await until(() => api.requests[before]?.lastUserText === 'say late');
  assert.is(api.requests[before]?.status, undefined);
  api.resume();
  assert.is(streamedText(eventsOf((await reply).body)), 'late');
});

test('a client that goes away ends its stream', async () => {
  const gone = new AbortController();
  const before = api.requests.length;
  const reply = await fetch(`${api.url}/v1/messages`, {
    method: 'POST',
    headers: HEADERS,
    body: JSON.stringify(request(firstTurn('slow 5, then hold forever'))),
    signal: gone.signal,
  });
  assert.is(reply.status, 200);
  await api.gate('forever').reached();
  gone.abort();
  await until(() => api.requests[before]?.end !== undefined);
  assert.is(api.requests[before]?.end, 'client-gone');
  assert.is(api.gate('forever').waiting, 0);
});

test('a check of a model and a title are answered shortly', async () => {
  assert.is((await ask([{ role: 'user', content: 'Hi' }], { max_tokens: 1, tools: [] })).text, 'ok');
  assert.ok(
    (await ask([{ role: 'user', content: 'Write a title for <session>x</session>' }], { tools: [] })).text.length < 40,
  );
});

test('other words are answered in prose that quotes them', async () => {
  assert.match((await ask(firstTurn('How are you?'))).text, 'How are you?');
  assert.match((await ask(firstTurn('help'))).text, 'create FILE with the word W');
});

test('every exchange is in the log, without keys', async () => {
  const other = join(folder, 'other.ndjson');
  const logging = await startModelApi({ log: other });
  await post(logging, request(firstTurn('say logged')), { ...HEADERS, 'x-api-key': 'very-secret' });
  await logging.close();
  const line = readFileSync(other, 'utf8');
  assert.equal(JSON.parse(line).response.status, 200);
  assert.match(line, 'say logged');
  assert.not.match(line, 'very-secret');
  assert.ok(existsSync(log));
});

function text(words: string) {
  return { type: 'text', text: words };
}

test.run();
