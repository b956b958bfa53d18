import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type IncomingPost, type Known, route } from '../../src/chat/routing.ts';

const KNOWN: Known = {
  trigger: '@claude',
  defaultOrg: '',
  allowPaths: false,
  localRepos: { demo: '/demo' },
  botUserId: 'bot',
  liveSessionsInChannel: [],
  isProjectChannel: false,
  allowed: () => ({ ok: true }),
};

function post(text: string, fields: Partial<IncomingPost> = {}): IncomingPost {
  const base = {
    id: 'p',
    channelId: 'c',
    channelName: '',
    rootId: '',
    userId: 'u',
    userName: 'alice',
    type: '',
    fromBot: false,
  };
  return { ...base, at: 1, editedAt: 0, fileIds: [], text, ...fields };
}

const kindOf = (text: string, fields: Partial<IncomingPost> = {}, known: Partial<Known> = {}) => {
  const routed = route(post(text, fields), { ...KNOWN, ...known });
  return routed.kind === 'deliver' ? `${routed.to} ${routed.event.type}` : routed.kind;
};

const THREAD = { rootId: 'r' };
const SESSION = { session: 'session/s' } as const;

for (const [text, fields, known, expected] of [
  ['@claude start acme/web', {}, {}, 'gateway/root COMMAND.START'],
  ['  @CLAUDE  Start demo', {}, {}, 'gateway/root COMMAND.START'],
  ['@claudestart demo', {}, {}, 'ignore'],
  ['hello @claude start demo', {}, {}, 'ignore'],
  ['hello', THREAD, SESSION, 'session/s PROMPT'],
  ['hello', THREAD, {}, 'ignore'],
  ['@claude stop', THREAD, SESSION, 'session/s COMMAND.STOP'],
  ['@claude /review this', THREAD, SESSION, 'session/s SLASH'],
  ['hello', {}, { isProjectChannel: true, liveSessionsInChannel: ['session/s'] }, 'session/s PROMPT'],
  ['hello', {}, { isProjectChannel: true, liveSessionsInChannel: ['session/s', 'session/t'] }, 'reply'],
  ['hello', { userId: 'bot' }, SESSION, 'ignore'],
  ['hello', { type: 'system_join_channel', ...THREAD }, SESSION, 'ignore'],
  ['hello', { fromBot: true, ...THREAD }, SESSION, 'ignore'],
] as const) {
  test(`"${text}" ${JSON.stringify(fields)} ${JSON.stringify(known)} goes to: ${expected}`, () => {
    assert.is(kindOf(text, fields, known as Partial<Known>), expected);
  });
}

for (const text of [
  'start ../..',
  'start org/repo@-x',
  'start',
  'start org/../x',
  'start -x/y',
  'start demo --nonsense',
  'frobnicate',
  'start a/b@x..y',
]) {
  test(`"@claude ${text}" is never a session and never a prompt`, () => {
    const routed = route(post(`@claude ${text}`), KNOWN);
    const human =
      routed.kind === 'reply'
        ? routed.message
        : routed.kind === 'deliver' && 'message' in routed.event
          ? String(routed.event.message)
          : '';
    assert.ok(human.length > 10, JSON.stringify(routed));
  });
}

test('who may not use the bot gets words, not a session', () => {
  const routed = route(post('@claude start acme/web'), {
    ...KNOWN,
    allowed: () => ({ ok: false, human: 'Ask the operator.' }),
  });
  assert.match(JSON.stringify(routed), /Ask the operator/);
  assert.not.match(JSON.stringify(routed), /COMMAND\.START/);
});

test.run();
