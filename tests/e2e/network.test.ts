// @limit 300
// Requests for network access in the words of an answer, answered in words; and the record of all that, and of commands.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { csm } from '../cli/csm.ts';
import { startTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import { type Person, type Post, person, type Thread, textOf, until } from '../support/person.ts';

interface World {
  environment: TestEnvironment;
  you: Person;
  stranger: Person;
  thread: Thread;
}

const test = suite<World>('network');

test.before(async (context) => {
  context.environment = await startTestEnvironment({ gatewayEnv: { SM_ALLOWED_APPROVERS: 'you' } });
  const { chat, teamId } = context.environment;
  context.you = person(context.environment);
  context.thread = await context.you.start('@claude start demo --worktree=network');
  const stranger = chat.createUser({ username: 'stranger', teamIds: [teamId] });
  chat.addMember(context.thread.channelId, stranger.id);
  context.stranger = person(context.environment, stranger);
});

test.after(async (context) => {
  await context.environment?.stop();
});

const cardFor = (you: Person, thread: Thread, host: string): Promise<Post> =>
  you.hear(thread.rootId, (post) => textOf(post).includes(`\`${host}\``) && you.buttonsOf(post).length > 0);

/** What the agent was told, once it was. */
async function toldAgent({ environment }: World, sign: string): Promise<string> {
  const found = await until(60_000, async () =>
    environment.model?.requests.map(({ lastUserText }) => lastUserText).find((text) => text.includes(sign)),
  );
  return found ?? 'nothing';
}

async function settled(you: Person, thread: Thread, card: Post): Promise<string> {
  const found = await until(60_000, async () => {
    const now = (await you.read(thread.rootId)).find(({ id }) => id === card.id);
    return now && you.buttonsOf(now).length === 0 ? textOf(now) : undefined;
  });
  return found ?? 'still open';
}

test('a request in an answer becomes a card, and the outcome a message to the agent, with the words of who decided', async (context) => {
  const { you, stranger, thread } = context;
  await you.say('say [NETWORK_REQUEST: pypi.org]', thread);
  const open = await cardFor(you, thread, 'pypi.org');
  await stranger.ask(thread, 'approve', /not one of the people who may decide/);
  await you.ask(thread, 'approve always', /Only an admin/);
  await you.say('approve for this repo', thread);
  assert.match(await settled(you, thread, open), /Approved for this repository, until/);
  assert.match(await toldAgent(context, '[NETWORK_APPROVED: pypi.org]'), /try again/);

  await you.say('say [NETWORK_REQUEST: crates.io]', thread);
  const denied = await cardFor(you, thread, 'crates.io');
  await you.say('deny: use the mirror', thread);
  assert.match(await settled(you, thread, denied), /Denied \(you.*use the mirror/);
  assert.match(await toldAgent(context, '[NETWORK_DENIED: crates.io]'), /use the mirror/);
});

test('the same host asked for again while its card waits is the same card; what must not be asked is answered at once', async (context) => {
  const { you, thread } = context;
  await you.say('say [NETWORK_REQUEST: npmjs.org]', thread);
  const card = await cardFor(you, thread, 'npmjs.org');
  await you.say('say [NETWORK_REQUEST: NPMjs.org], then say twice-asked', thread);
  await you.hear(thread.rootId, ({ message }) => message.includes('twice-asked'));
  await you.say('say [NETWORK_REQUEST: 10.0.0.1]', thread);
  assert.match(await toldAgent(context, '[NETWORK_DENIED]'), /Addresses cannot be opened/);
  const cards = (await you.answersIn(thread.rootId)).filter((post) => textOf(post).includes('`npmjs.org`'));
  assert.equal(
    cards.map(({ id }) => id),
    [card.id],
  );
  await you.press(card, 'Deny');
  await settled(you, thread, card);
});

test('commands, requests, decisions and refusals are in the record, which is whole', async ({
  environment,
  you,
  thread,
}) => {
  await you.ask(thread, '@claude mode mentions', /mention/);
  await you.ask(thread, '@claude stpo', /There is no command/);
  const env = { SM_DATABASE_URL: environment.databaseUrl };
  const exported = await csm(['audit', 'export'], env);
  const entries = exported.said
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { action: string; who: string; detail: Record<string, unknown> });
  const has = (action: string, who: string, fits: (detail: Record<string, unknown>) => boolean = () => true) =>
    assert.ok(
      entries.some((entry) => entry.action === action && entry.who === who && fits(entry.detail)),
      `${action} by ${who}: ${exported.said}`,
    );
  has('command.given', 'you', ({ command }) => command === 'start');
  has(
    'command.given',
    'you',
    ({ command, postId, channelId }) => command === 'mode' && postId !== '' && channelId !== '',
  );
  has('command.refused', 'you', ({ command, why }) => command === 'stpo' && String(why).includes('no command'));
  has('approval.requested', 'you', ({ hosts }) => String(hosts) === 'pypi.org');
  has('approval.approved', 'you', ({ scope }) => scope === 'repo');
  has('approval.denied', 'you', ({ words }) => words === 'use the mirror');
  has('decision.refused', 'stranger', ({ by }) => by === 'words');
  has('decision.refused', 'you', ({ why }) => String(why).includes('Only an admin'));
  assert.match((await csm(['audit', 'verify'], env)).said, /entries, each fits/);
});

test.run();
