import * as assert from 'node:assert/strict';
import fc from 'fast-check';
import { suite } from 'uvu';
import { parseFrame } from '../../../src/adapters/mattermost/events.ts';
import { createEventStream } from '../../../src/adapters/mattermost/stream.ts';

const test = suite('event frames');

const POST = {
  id: 'p1',
  channel_id: 'c1',
  root_id: '',
  user_id: 'u1',
  message: 'hello',
  type: '',
  create_at: 5,
  update_at: 5,
  props: {},
};
const broadcast = { omit_users: null, user_id: '', channel_id: 'c1', team_id: '' };
const frame = (event: string, data: object, seq = 3, to: object = broadcast): string =>
  JSON.stringify({ event, data, broadcast: to, seq });

test('a post inside a frame is a JSON document in a string', () => {
  const parsed = parseFrame(frame('posted', { post: JSON.stringify(POST), channel_type: 'P', team_id: 't1' }));
  assert.ok(parsed.kind === 'event' && parsed.event.type === 'posted');
  assert.equal(parsed.event.post.message, 'hello');
  assert.deepEqual([parsed.seq, parsed.event.channelType, parsed.event.teamId], [3, 'P', 't1']);
  const inline = parseFrame(frame('posted', { post: POST }));
  assert.equal(inline.kind, 'malformed');
});

test('props say nothing about who wrote a post', () => {
  const props = { from_bot: 'true', csm_key: 'k', override_username: 'admin' };
  const parsed = parseFrame(frame('posted', { post: JSON.stringify({ ...POST, props }), sender_name: '@admin' }));
  assert.ok(parsed.kind === 'event' && parsed.event.type === 'posted');
  assert.deepEqual([parsed.event.post.userId, parsed.event.post.automated, parsed.event.post.key], ['u1', true, 'k']);
});

test('who was removed, told in two ways', () => {
  const toOthers = parseFrame(frame('user_removed', { user_id: 'u2', remover_id: 'u1' }));
  const toThemselves = parseFrame(
    frame('user_removed', { channel_id: 'c1', remover_id: 'u1' }, 3, { ...broadcast, channel_id: '', user_id: 'u2' }),
  );
  for (const parsed of [toOthers, toThemselves]) {
    assert.ok(parsed.kind === 'event');
    assert.deepEqual(parsed.event, { type: 'userRemoved', channelId: 'c1', userId: 'u2' });
  }
});

test('what is of no interest still counts, and what is broken still tells its number', () => {
  assert.deepEqual(parseFrame(frame('status_change', { status: 'away' }, 9)), {
    kind: 'other',
    seq: 9,
    name: 'status_change',
  });
  const broken = parseFrame(frame('posted', { post: '{"id":' }, 10));
  assert.ok(broken.kind === 'malformed' && broken.seq === 10);
  const odd = parseFrame('{"event":7,"seq":11}');
  assert.ok(odd.kind === 'malformed' && odd.seq === 11);
  assert.deepEqual(parseFrame('{"status":"OK","seq_reply":4}'), { kind: 'reply', to: 4, ok: true });
});

test('nothing that arrives can throw', () => {
  const kinds = fc.constantFrom(
    'hello',
    'posted',
    'post_edited',
    'reaction_added',
    'user_added',
    'channel_deleted',
    'x',
  );
  const data = fc.dictionary(
    fc.constantFrom('post', 'reaction', 'channel_id', 'user_id', 'connection_id'),
    fc.jsonValue(),
  );
  const event = fc.record({ event: kinds, data, broadcast: fc.jsonValue(), seq: fc.jsonValue() });
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    event.map((each) => JSON.stringify(each)),
  );
  fc.assert(fc.property(text, (each) => typeof parseFrame(each).kind === 'string'));
});

const hello = (connectionId: string, seq = 0) => ({ kind: 'hello', seq, connectionId, serverVersion: '' }) as const;
const other = (seq: number) => ({ kind: 'other', seq, name: 'x' }) as const;

test('a stream goes on where it was, and every skipped number is a gap', () => {
  const stream = createEventStream();
  assert.equal(stream.resume(), undefined);
  assert.equal(stream.accept(hello('one')), 'start');
  assert.equal(stream.accept(other(1)), undefined);
  assert.equal(stream.accept({ kind: 'malformed', seq: 2, why: '' }), undefined);
  assert.deepEqual(stream.resume(), { connection_id: 'one', sequence_number: '3' });
  assert.equal(stream.accept(other(3)), undefined, 'continued without a hello');
  assert.equal(stream.accept({ kind: 'malformed', seq: undefined, why: '' }), undefined);
  assert.equal(stream.accept(other(5)), 'sequence');
  assert.equal(stream.accept(other(6)), undefined, 'told once');
});

test('a hello with another id is a gap, a repeated one is not', () => {
  const stream = createEventStream();
  stream.accept(hello('one'));
  assert.equal(stream.accept(hello('two')), 'newConnection');
  assert.equal(stream.accept(hello('two')), undefined);
  assert.equal(stream.accept(hello('two', 1)), undefined);
  assert.deepEqual(stream.resume(), { connection_id: 'two', sequence_number: '2' });
  stream.forget();
  assert.equal(stream.resume(), undefined);
  assert.equal(stream.accept(hello('three')), 'newConnection');
});

test.run();
