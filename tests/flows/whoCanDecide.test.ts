// @limit 120
// RT-31: a card in a channel where nobody may decide. Real rules, the chat's stand-in.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { approverRules, decidersOf } from '../../src/approvers.ts';
import { renderCard } from '../../src/chat/cards.ts';
import { loadConfig } from '../../src/config.ts';
import type { ApprovalContext } from '../../src/machines/approval/context.ts';
import { type Chat, startChat } from '../adapters/mattermost/support.ts';
import { request } from '../chat/approvals.ts';
import { request as asked } from '../machines/sessionEvents.ts';
import { drive, said } from '../machines/support.ts';

interface Context {
  chat: Chat;
  teamId: string;
}

const test = suite<Context>('who can decide');
test.before(async (context) => {
  context.chat = await startChat();
  context.teamId = context.chat.teamId;
});
test.after(({ chat }) => chat.sim.close());

async function decidersFor({ chat }: Context, env: Record<string, string>) {
  const loaded = loadConfig(
    {
      SM_MATTERMOST_URL: chat.sim.url,
      SM_MATTERMOST_TOKEN: 'x',
      SM_MATTERMOST_TEAM_ID: chat.teamId,
      SM_CALLBACK_SECRET: '0123456789abcdef',
      SM_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
      SM_WORKSPACE: 'local',
      SM_FIREWALL: 'none',
      ...env,
    },
    () => '',
  );
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const { rest } = chat.bot;
  return decidersOf(loaded.config, await approverRules(loaded.config, rest), rest);
}

const inChannel = ({ chat }: Context): ApprovalContext => ({
  ...request('tool', { command: 'ls' }),
  channelId: chat.channelId,
});

async function missing(context: Context, env: Record<string, string>, more: Partial<ApprovalContext> = {}) {
  const deciders = await decidersFor(context, env);
  return deciders.whoIsMissing({ ...inChannel(context), ...more });
}

test('a bot that signs every post decides nothing, unless it is named; who may use the bot may close', async (context) => {
  const { chat, teamId } = context;
  const signer = chat.sim.createBot({ username: 'signer', displayName: 'Signer', teamIds: [teamId] });
  const bot = { id: signer.id, name: 'signer' };
  const alice = { id: chat.alice.id, name: 'alice' };
  const open = await decidersFor(context, {});
  assert.match((await open.whyNot(bot, inChannel(context))) ?? '', /Only people/);
  assert.is(await open.whyNot(alice, inChannel(context)), undefined);
  const named = await decidersFor(context, { SM_ALLOWED_APPROVERS: 'signer', SM_ALLOWED_USERS: 'alice' });
  assert.is(await named.whyNot(bot, inChannel(context)), undefined);
  assert.match((await named.whyNot(alice, inChannel(context))) ?? '', /not one of the people/);
  assert.equal([alice, bot, { id: 'x', name: 'eve' }].map(named.mayClose), [true, true, false]);
});

test('where others must decide, neither whose session it is nor whose words led to it may; a question is for them', async (context) => {
  const deciders = await decidersFor(context, { SM_APPROVE_FOR_OTHERS_ONLY: 'true' });
  const person = (name: string) => ({ id: `${name}-id`, name });
  const asked = { askedFor: person('alice'), askedBy: person('bob'), askers: ['bob-id', 'carol-id'] };
  const may = async (name: string, more: Partial<ApprovalContext> = {}) =>
    (await deciders.whyNot(person(name), { ...inChannel(context), ...asked, ...more })) === undefined;
  const names = ['alice', 'bob', 'carol', 'dave'];
  assert.equal(await Promise.all(names.map((name) => may(name))), [false, false, false, true]);
  assert.equal(await Promise.all(names.map((name) => may(name, { kind: 'question' }))), [true, true, true, true]);
});

test('a request of an earlier version, which did not keep who asked, can be decided and shown', async (context) => {
  const deciders = await decidersFor(context, { SM_APPROVE_FOR_OTHERS_ONLY: 'true' });
  const { askedBy: _by, askers: _all, ...left } = inChannel(context);
  const owner = { id: 'alice-id', name: 'alice' };
  const may = (id: string) => deciders.whyNot({ id, name: id }, { ...left, askedFor: owner });
  assert.match((await may('alice-id')) ?? '', /somebody else has to decide/);
  assert.is(await may('dave-id'), undefined);
  const asks = { ...left, kind: 'network', hosts: ['pypi.org'] } as const;
  const card = renderCard(asks, 'pending', () => ({}), { reach: '', url: '' });
  assert.match(JSON.stringify(card), /Asked in a session of/);
});

test('RT-31: where nobody in the channel may decide, it is said, with who could and how they come in', async (context) => {
  const { chat, teamId } = context;
  const owner = { id: chat.alice.id, name: 'alice' };
  chat.sim.createUser({ username: 'boss', teamIds: [teamId] });
  assert.is(await missing(context, {}), '');
  const nobody = await missing(context, { SM_ALLOWED_APPROVERS: 'boss' });
  assert.match(nobody, /Nobody in this channel may decide.*`boss`.*`@claude invite @boss`/);
  assert.is(await missing(context, { SM_ALLOWED_APPROVERS: 'boss,alice' }), '');
  assert.match(await missing(context, { SM_APPROVE_FOR_OTHERS_ONLY: 'true' }, { askedFor: owner }), /Nobody in this/);
  assert.match(await missing(context, { SM_ALLOWED_USERS: 'boss' }), /SM_ALLOWED_APPROVERS/);
  assert.match(
    await missing(context, { SM_ALLOWED_APPROVERS: 'boss,alice' }, { needed: 2 }),
    /2 people have to agree.*only 1/,
  );
  const boss = await chat.bot.rest.userByUsername('boss');
  chat.sim.addMember(chat.channelId, boss?.id ?? '');
  assert.is(await missing(context, { SM_ALLOWED_APPROVERS: 'boss,alice' }, { needed: 2 }), '');
});

test('RT-31: the thread and the operator hear that a card waits for nobody, the card stays', () => {
  const approval = drive('approval', 'approval/p0/r1', {
    type: 'REQUESTED',
    session: 'session/p0',
    repo: 'acme/web',
    askedFor: { id: 'u', name: 'alice' },
    ...asked('r1'),
    channelId: 'c',
    rootId: 'r',
  });
  const effects = approval.done('chat.card', { postId: 'card', missing: 'Nobody may.' });
  assert.equal(said(effects), ['Nobody may.']);
  assert.ok(effects.some(({ kind }) => kind === 'chat.tellOperator'));
  assert.is(approval.value(), 'pending');
});

test.run();
