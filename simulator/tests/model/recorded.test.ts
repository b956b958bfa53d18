import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ModelApi, startModelApi } from '../../src/model/index.ts';
import { eventsOf, firstTurn, HEADERS, post, postTo, request, type SentEvent } from './client.ts';
import { readRecordings } from './recordings.ts';

const recordings = readRecordings();
let api: ModelApi;

test.before(async () => {
  api = await startModelApi({ slowDelayMs: 0 });
});
test.after(() => api.close());

/** Names of events and blocks with the fields of their data, runs of equal deltas as one. */
function shapesOf(events: SentEvent[]): string[] {
  const shapes = events.map(({ event, data }) => `${event} ${JSON.stringify(fields(data))}`);
  return shapes.filter((shape, index) => shape !== shapes[index - 1]);
}

/** The keys of a value, all the way down, with the `type`s kept. */
function fields(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (key === 'input') return [key, 'object'];
      if (Array.isArray(inner)) return [key, inner.length === 0 ? [] : [fields(inner[0])]];
      return [key, key === 'type' ? inner : key === 'stop_reason' ? typeof inner : fields(inner)];
    }),
  );
}

const ORDER =
  /^message_start ping (content_block_start (content_block_delta )*content_block_stop )+message_delta message_stop $/;

test('every recorded request is accepted and answered in the recorded form', async () => {
  assert.ok(recordings.length > 30, `${recordings.length} exchanges`);
  for (const { file, n, path, headers, body } of recordings) {
    const reply = await postTo(api, path, body, {
      ...HEADERS,
      'anthropic-beta': headers['anthropic-beta'] ?? '',
      'x-claude-code-session-id': `${file}-${n}`,
    });
    assert.is(reply.status, 200, `${file} ${n}: ${reply.body.slice(0, 300)}`);
    if (body.stream !== true) {
      assert.match(reply.headers.get('content-type') ?? '', 'application/json');
      continue;
    }
    assert.is(reply.headers.get('content-type'), 'text/event-stream; charset=utf-8');
    const names = eventsOf(reply.body).map(({ event }) => `${event} `);
    assert.match(names.join(''), ORDER, `${file} ${n}`);
  }
});

test('streams have the recorded events with the recorded fields in the recorded order', async () => {
  const recorded = recordings.filter(({ sse, cut }) => sse && !cut).map(({ sse }) => shapesOf(sse ?? []).join('\n'));
  const text = eventsOf((await post(api, request(firstTurn('say one two three four five six seven')))).body);
  assert.ok(recorded.includes(shapesOf(text).join('\n')), shapesOf(text).join('\n'));
  const tool = eventsOf(
    (await post(api, request(firstTurn('run: echo a rather long command, longer than a delta')))).body,
  );
  assert.ok(recorded.includes(shapesOf(tool).join('\n')), shapesOf(tool).join('\n'));
});

test('answers without streaming have the recorded fields', async () => {
  const recorded = recordings.find(({ status, path, body, whole }) => {
    return status === 200 && whole && !path.includes('count_tokens') && body.stream === false;
  });
  const reply = await post(api, request(firstTurn('say hello'), { stream: false }));
  assert.equal(fields(JSON.parse(reply.body)), fields(recorded?.whole));
});

test('errors have the recorded fields', async () => {
  const recorded = recordings.find(({ status }) => status === 529);
  const reply = await post(api, request(firstTurn('fail 529')));
  assert.is(reply.status, 529);
  assert.equal(fields(JSON.parse(reply.body)), fields(recorded?.whole));
  assert.is(JSON.parse(reply.body).error.type, 'overloaded_error');
});

test('tokens are counted for a recorded count request', async () => {
  const recorded = recordings.find(({ path }) => path.includes('count_tokens'));
  const reply = await postTo(api, '/v1/messages/count_tokens?beta=true', recorded?.body);
  assert.is(reply.status, 200);
  assert.ok(JSON.parse(reply.body).input_tokens > 0);
});

test('the recorded compaction request gets a summary, and the conversation after it goes on', async () => {
  const exchanges = recordings.filter(({ file }) => file === 'compact-success.ndjson');
  const replies: string[] = [];
  for (const { body } of exchanges) replies.push((await post(api, { ...body, stream: false })).body);
  assert.match(
    JSON.parse(replies[3] ?? '').content[0].text,
    /^<analysis>[\s\S]*<\/analysis>\n<summary>[\s\S]*Third question[\s\S]*<\/summary>$/,
  );
  assert.match(JSON.parse(replies[4] ?? '').content[0].text, 'Where were we?');
});

test('a message sent while the turn runs is heard', async () => {
  const steered = recordings.find(({ file, n }) => file === 'steering.ndjson' && n === 2);
  await post(api, steered?.body);
  assert.equal(api.requests.at(-1)?.asked, ['Do the two steps', 'Please mind the tests too']);
});

test.run();
