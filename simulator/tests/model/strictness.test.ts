import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ModelApi, startModelApi } from '../../src/model/index.ts';
import { firstTurn, HEADERS, post, postTo, request } from './client.ts';

let api: ModelApi;
let locked: ModelApi;

test.before(async () => {
  api = await startModelApi();
  locked = await startModelApi({ apiKey: 'right' });
});
test.after(async () => {
  await api.close();
  await locked.close();
});

const user = (content: unknown) => ({ role: 'user', content });
const use = (...ids: string[]) => ({
  role: 'assistant',
  content: ids.map((id) => ({ type: 'tool_use', id, name: 'Bash', input: {} })),
});
const result = (...ids: string[]) => user(ids.map((id) => ({ type: 'tool_result', tool_use_id: id, content: 'x' })));
const cached = { type: 'text', text: 'x', cache_control: { type: 'ephemeral' } };

const refused: [string, unknown, RegExp][] = [
  ['no JSON', '{', /not valid JSON/],
  ['no object', [], /body/],
  ['no model', request(firstTurn('hi'), { model: undefined }), /^model: Field required$/],
  ['no max_tokens', request(firstTurn('hi'), { max_tokens: undefined }), /^max_tokens: Field required$/],
  ['max_tokens 0', request(firstTurn('hi'), { max_tokens: 0 }), /^max_tokens/],
  ['no messages', request([]), /^messages/],
  ['an unknown key', request(firstTurn('hi'), { colour: 'red' }), /^colour: Extra inputs are not permitted$/],
  ['an unknown role', request([{ role: 'robot', content: 'x' }]), /^messages\.0/],
  ['a first message of the assistant', request([{ role: 'assistant', content: 'x' }, user('y')]), /first message/],
  ['a first message of the system', request([{ role: 'system', content: 'x' }, user('y')]), /first message/],
  ['an answer at the end', request([user('x'), { role: 'assistant', content: 'y' }]), /must end with a user message/],
  ['an empty message', request([user([])]), /^messages\.0/],
  ['an empty text', request([user([{ type: 'text', text: '' }])]), /non-empty/],
  ['an unknown block', request([user([{ type: 'video' }])]), /^messages\.0/],
  ['a tool use of the user', request([user([{ type: 'tool_use', id: 'a', name: 'b', input: {} }])]), /^messages\.0/],
  [
    'an unanswered tool use',
    request([user('x'), use('a', 'b'), result('a')]),
    /messages\.1: .*without `tool_result`.*: b\./,
  ],
  ['a tool use at the end', request([user('x'), use('a')]), /without `tool_result`/],
  ['a text instead of the result', request([user('x'), use('a'), user('y')]), /without `tool_result`/],
  ['a result of nothing', request([user('x'), result('a')]), /unexpected `tool_use_id`.*: a\./],
  [
    'a late result',
    request([user('x'), use('a'), result('a'), use('b'), result('b', 'a')]),
    /unexpected `tool_use_id`/,
  ],
  ['a double result', request([user('x'), use('a'), result('a', 'a')]), /single result/],
  ['a repeated tool use id', request([user('x'), use('a'), result('a'), use('a'), result('a')]), /must be unique/],
  ['two tools of one name', request(firstTurn('hi'), { tools: [tool('A'), tool('A')] }), /Tool names must be unique/],
  ['a tool name with a space', request(firstTurn('hi'), { tools: [tool('A b')] }), /^tools\.0\.name/],
  ['five cache marks', request([user([cached, cached, cached, cached, cached])]), /maximum of 4 blocks.*Found 5/],
  [
    'unsigned thinking',
    request([user('x'), { role: 'assistant', content: [{ type: 'thinking', thinking: 'h' }] }, user('y')]),
    /^messages\.1/,
  ],
  [
    'a thinking budget over the limit',
    request(firstTurn('hi'), { thinking: { type: 'enabled', budget_tokens: 2000 } }),
    /budget_tokens/,
  ],
];

function tool(name: string) {
  return { name, description: '', input_schema: { type: 'object' } };
}

for (const [what, body, message] of refused) {
  test(`refuses ${what}`, async () => {
    const reply = await post(api, body);
    assert.is(reply.status, 400, reply.body);
    const error = JSON.parse(reply.body);
    assert.is(error.type, 'error');
    assert.is(error.error.type, 'invalid_request_error');
    assert.match(error.error.message, message);
    assert.is(error.request_id, reply.headers.get('request-id'));
  });
}

test('takes what is allowed beside it', async () => {
  const good = [
    [user('x'), use('a', 'b'), result('b', 'a'), { role: 'system', content: [] }],
    [user('x'), use('a'), { role: 'system', content: 'note' }, result('a')],
    [user('x'), user('y')],
    [user([cached, cached, cached, cached])],
  ];
  for (const messages of good) assert.is((await post(api, request(messages))).status, 200, JSON.stringify(messages));
});

test('refuses missing and wrong headers', async () => {
  const { 'anthropic-version': version, ...noVersion } = HEADERS;
  assert.is(version, '2023-06-01');
  assert.is((await post(api, request(firstTurn('hi')), noVersion)).status, 400);
  assert.is((await post(api, request(firstTurn('hi')), { ...HEADERS, 'anthropic-version': '2022-01-01' })).status, 400);
  assert.is((await post(api, request(firstTurn('hi')), { ...HEADERS, 'content-type': 'text/plain' })).status, 400);
});

test('refuses a missing key, and a wrong one if it knows the right one', async () => {
  const { 'x-api-key': key, ...noKey } = HEADERS;
  const missing = await post(api, request(firstTurn('hi')), noKey);
  assert.is(missing.status, 401);
  assert.is(JSON.parse(missing.body).error.type, 'authentication_error');
  assert.is((await post(locked, request(firstTurn('hi')))).status, 401, key);
  assert.is((await post(locked, request(firstTurn('hi')), { ...HEADERS, 'x-api-key': 'right' })).status, 200);
  assert.is((await post(locked, request(firstTurn('hi')), { ...noKey, authorization: 'Bearer right' })).status, 200);
});

test('knows no other address and no other method', async () => {
  const other = await postTo(api, '/v1/models', {});
  assert.is(other.status, 404);
  assert.is(JSON.parse(other.body).error.type, 'not_found_error');
  assert.is((await fetch(`${api.url}/v1/messages`)).status, 404);
});

test('count_tokens refuses what a message call needs and it does not', async () => {
  const body = request(firstTurn('hi'));
  const reply = await postTo(api, '/v1/messages/count_tokens', body);
  assert.is(reply.status, 400);
  assert.match(JSON.parse(reply.body).error.message, 'Extra inputs are not permitted');
});

test.run();
