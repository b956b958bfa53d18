import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type IncomingPost, type Known, route, routeEdit } from '../../src/chat/routing.ts';

const KNOWN: Known = {
  trigger: '@claude',
  defaultOrg: '',
  allowPaths: false,
  localRepos: { demo: '/demo' },
  botUserId: 'bot',
  liveSessionsInChannel: [],
  isProjectChannel: false,
  allowed: () => ({ ok: true }),
  isApprover: () => false,
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
  ['hello', {}, { isProjectChannel: true }, 'reply'],
  ['hello', {}, {}, 'ignore'],
  ['@claude, hello', {}, {}, 'reply'],
  ['@claude, hello', THREAD, {}, 'reply'],
  ['what does @claude say?', THREAD, {}, 'ignore'],
  ['hello', { isDirect: true }, {}, 'reply'],
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

const deliver = (text: string, fields: Partial<IncomingPost>, known: Partial<Known>) => {
  const routed = route(post(text, fields), { ...KNOWN, ...known });
  return routed.kind === 'deliver' ? { ...routed.event } : routed;
};

test('help tells what applies where it is asked for', () => {
  const placeOf = (fields: Partial<IncomingPost>, known: Partial<Known> = {}) => {
    const event = deliver('@claude help', fields, known);
    return 'place' in event && event.place;
  };
  assert.equal([placeOf({}), placeOf(THREAD), placeOf(THREAD, SESSION)], ['top', 'top', 'thread']);
});

test('of people who may not use the bot only those are told who speak to it, or to a session', () => {
  const refused = { allowed: () => ({ ok: false, human: 'Ask the operator.' }) } as const;
  const channel = { isProjectChannel: true, liveSessionsInChannel: ['session/s'] } as const;
  assert.is(kindOf('hello', {}, { ...refused, ...channel }), 'ignore');
  assert.is(kindOf('@claude, hello', {}, { ...refused, ...channel }), 'reply');
  assert.is(kindOf('hello', THREAD, { ...refused, ...SESSION }), 'reply');
});

test('two sessions in a channel: who talks at top level is told once a day, who speaks to the bot always', () => {
  const several = { isProjectChannel: true, liveSessionsInChannel: ['session/s', 'session/t'] } as const;
  const told = (text: string) => route(post(text), { ...KNOWN, ...several });
  const once = (text: string) => ('once' in told(text) ? told(text) : null);
  assert.match(JSON.stringify(told('hello')), /2 sessions run/);
  assert.ok(once('hello'));
  assert.not(once('@claude, hello'));
  assert.not(once('can you look, @claude?'));
});

test('a message says whether it names the bot, and a name it begins with is no part of it', () => {
  for (const [text, said, addressed] of [
    ['look here', 'look here', false],
    ['could @claude look?', 'could @claude look?', true],
    ['@claude, look here', 'look here', true],
    ['@Claude: look', 'look', true],
  ] as const) {
    const event = deliver(text, THREAD, SESSION);
    assert.is('text' in event && event.text, said);
    assert.is('addressed' in event && event.addressed, addressed, text);
  }
});

test('kick is for who started the session and for named approvers; others are told so', () => {
  const kick = (known: Partial<Known>) => kindOf('@claude kick bob', THREAD, { ...SESSION, ...known });
  assert.is(kick({ starterId: 'u' }), 'session/s COMMAND.KICK');
  assert.is(kick({ starterId: 'v', isApprover: () => true }), 'session/s COMMAND.KICK');
  const other = route(post('@claude kick bob', THREAD), { ...KNOWN, ...SESSION, starterId: 'v' });
  assert.match(other.kind === 'reply' ? other.message : '', /Only who started/);
});

test('an edited post never becomes a command; what waits is changed, or taken back', () => {
  const edit = (text: string, rootId = 'r') => {
    const routed = routeEdit(post(text, { rootId, editedAt: 5 }), { ...KNOWN, ...SESSION });
    return routed.kind === 'deliver'
      ? [routed.event.type, 'text' in routed.event ? routed.event.text : '']
      : routed.kind;
  };
  assert.equal(edit('better words'), ['POST.EDITED', 'better words']);
  assert.equal(edit('@claude, better words'), ['POST.EDITED', 'better words']);
  assert.equal(edit('@claude /review that'), ['POST.EDITED', '/review that']);
  assert.equal(edit('@claude steer that'), ['POST.EDITED', 'that']);
  assert.equal(edit('@claude stop'), ['POST.DELETED', '']);
  assert.equal(edit('@claude stop', ''), 'ignore');
});

test.run();
