// The button of `csm doctor callback` answers to the bot alone, and stands in nobody else's way.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type CallbackBody, NOT_VALID, signAction, verifyAction } from '../../src/adapters/http/index.ts';
import { ARRIVED, answerProbe, PROBE } from '../../src/flows/callbackProbe.ts';

const KEYS = { secret: '0123456789abcdef', instance: 'team' };
const ports = { botUserId: 'bot', verify: (action: CallbackBody['context']) => verifyAction(KEYS, action) };

function click(change: Partial<CallbackBody> = {}, action: Partial<CallbackBody['context']> = {}): CallbackBody {
  const button = { ...PROBE, generation: 1 };
  const context = { ...button, mac: signAction(KEYS, button), ...action };
  const place = { channelId: 'channel', teamId: 'team', postId: 'post', triggerId: '', type: '' };
  return { userId: 'bot', userName: 'claude', ...place, context, ...change };
}

test('the bot that presses it sees the post change', () => {
  assert.equal(answerProbe(ports, click()), { update: { message: ARRIVED, props: {} } });
});

test('nobody else can make a post say so, and a forgery is refused like every other', () => {
  const refused = { ephemeralText: NOT_VALID };
  assert.equal(answerProbe(ports, click({ userId: 'somebody' })), refused);
  assert.equal(answerProbe(ports, click({}, { generation: 2 })), refused);
  assert.equal(answerProbe(ports, click({}, { action: 'approve' })), refused);
  assert.equal(answerProbe(ports, click({}, { mac: '0'.repeat(64) })), refused);
});

test('a click on an approval is none of its business', () => {
  const button = { approval: 'approval/session/1', action: PROBE.action, generation: 1 } as const;
  assert.is(answerProbe(ports, click({}, { ...button, mac: signAction(KEYS, button) })), undefined);
});

test.run();
