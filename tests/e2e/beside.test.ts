// @limit 300
// Words that are not written in the thread of a session: below the post that asked for one, at top level, in threads of people.
// The bot has another name here, so that every advice in every thread has to name it right.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import { type Person, type Post, person, type Thread } from '../support/person.ts';

interface World {
  environment: TestEnvironment;
  you: Person;
  /** May use the bot, and started nothing. */
  colleague: Person;
  /** May not use the bot. */
  stranger: Person;
  /** Below the post that asked for the session. */
  asked: Thread;
  thread: Thread;
}

const test = suite<World>('beside the thread');

test.before(async (context) => {
  context.environment = await startTestEnvironment({
    gatewayEnv: { SM_ALLOWED_USERS: 'you,colleague', SM_BOT_TRIGGER: '@helper', SM_CHANNEL_MEMBERS: 'you' },
  });
  const { chat, teamId, lobbyId } = context.environment;
  context.you = person(context.environment);
  const [colleague, stranger] = ['colleague', 'stranger'].map((username) => {
    const user = chat.createUser({ username, teamIds: [teamId] });
    chat.addMember(lobbyId, user.id);
    return person(context.environment, user);
  });
  if (!colleague || !stranger) throw new Error('nobody there');
  context.thread = await context.you.start('@helper start demo --worktree=beside');
  const rootId = context.thread.session.slice('session/'.length);
  Object.assign(context, { colleague, stranger, asked: { session: '', channelId: lobbyId, rootId } });
  for (const { id } of [colleague, stranger]) chat.addMember(context.thread.channelId, id);
});

test.after(async (context) => {
  await context.environment?.stop();
});

const hintsIn = async (you: Person, { rootId }: Thread): Promise<Post[]> =>
  (await you.answersIn(rootId)).filter(({ message }) => /Claude does not read this thread/.test(message));

/** What the model was asked so far. */
const askedOf = ({ model }: TestEnvironment): string =>
  model?.requests.map(({ lastUserText }) => lastUserText).join('\n') ?? '';

/** At top level. */
const sayAt = async (who: Person, channelId: string, message: string, fits: RegExp): Promise<Post> => {
  const post = await who.say(message, { channelId });
  return who.hear(post.id, (each) => fits.test(each.message));
};

test('words below the post that asked for a session get the way to its thread, once for each person', async ({
  environment,
  you,
  colleague,
  stranger,
  asked,
  thread,
}) => {
  const hint = await you.ask(asked, 'say lost words', /Claude does not read this thread/);
  assert.match(hint.message, new RegExp(`\\[its thread here\\]\\(\\S+/pl/${thread.rootId}\\)`));
  await you.say('say more of them', asked);
  await stranger.say('what is going on here?', asked);
  await colleague.ask(asked, 'thank you', /Claude does not read this thread/);
  await colleague.ask(asked, '@helper help', /Commands start with/);
  assert.is((await hintsIn(you, asked)).length, 2);
  assert.not.match(askedOf(environment), /lost words/);
});

test('a command below that post acts or says where to write it', async ({
  environment,
  you,
  stranger,
  asked,
  thread,
}) => {
  const status = await you.ask(asked, '@helper status', /Started by/);
  assert.match(status.message, new RegExp(`\\[\`${asked.rootId.slice(0, 8)}\`\\]\\(\\S+/pl/${thread.rootId}\\)`));
  for (const command of ['context', 'queue up', '/compact']) {
    await you.ask(asked, `@helper ${command}`, /works only in the session's own thread.*\[its thread here\]/);
  }
  await you.ask(asked, '@helper stpo', /Did you mean `@helper stop`/);
  await stranger.ask(asked, '@helper stop', /not on the list of people/);
  const stop = await you.say('@helper stop', asked);
  await you.hearAfter(asked, stop, /Stopping/);
  await you.hear(thread.rootId, ({ message }) => /Session stopped\. `@helper resume`/.test(message));
  await you.ask(asked, '@helper stop', /^`\w{8}` \(local\/demo\) has ended already\.$/);
  const { channelId } = thread;
  await sayAt(you, channelId, 'say nobody is there', /No session is running in this channel.*`@helper start/);
  await you.ask(thread, '@helper resume', /Ready on/);
  assert.not.match(askedOf(environment), /nobody is there/);
});

test('words at top level of a project channel reach its only session; with two of them it is asked which one', async ({
  environment,
  you,
  colleague,
  stranger,
  thread,
}) => {
  const { channelId } = thread;
  const top = await colleague.say('say heard from the top', { channelId });
  await you.hearAfter(thread, top, /heard from the top.*context \d+%/s);
  await stranger.say('say not mine to say', { channelId });
  const other = await you.start('@helper start demo --worktree=second');
  await sayAt(you, channelId, 'say which one', /2 sessions run in this channel/);
  await you.ask(other, '@helper stop', /Session stopped/);
  assert.not.match(askedOf(environment), /not mine|which one/);
});

test('a session in a thread of people does not listen to what else is said in their channel', async ({
  environment,
  you,
  colleague,
}) => {
  const root = await you.say('the clock is slow');
  const at: Thread = { session: '', channelId: root.channel_id, rootId: root.id };
  await you.ask(at, '@helper context', /There is no session in this thread.*`@helper start/);
  await you.ask(at, '@helper, are you there?', /There is no session in this thread/);
  await you.ask(at, '@helper start demo --worktree=clock', /Ready on/);
  await colleague.say('say lunch is ready');
  await sayAt(you, environment.lobbyId, '@helper, hello', /one per thread.*`@helper start/);
  await you.ask(at, 'say I wound it up', /I wound it up.*context \d+%/s);
  assert.not.match(askedOf(environment), /lunch is ready/);
  await you.ask(at, '@helper stop', /Session stopped/);
});

test('at top level, too, nobody gives commands who may not use the bot', async ({ you, stranger, thread }) => {
  const id = thread.session.slice('session/'.length);
  const refused = /not on the list of people/;
  for (const command of [
    ...['start demo', `stop ${id}`, 'status', 'help', 'cost', 'notify on', 'verbosity full', 'queue', 'stpo'],
    ...['start ../..', '/compact'],
  ]) {
    await sayAt(stranger, thread.channelId, `@helper ${command}`, refused);
  }
  await you.ask(thread, 'say still running', /still running.*context \d+%/s);
});

test('what is typed wrong at top level gets the way to write it', async ({ you, thread }) => {
  for (const [command, answer] of [
    ['status please', /`status` stands alone/],
    ['cost all', /`cost` stands alone/],
    ['verbosity loud', /verbosity full/],
    ['notify perhaps', /notify on/],
    ['help nonsense', /no command `nonsense`/],
    ['stop', /Which session\?/],
    ['stop --all', /Which session\?/],
    ['stop one two', /One session at a time/],
    ['stop abcd --everything', /no option `--everything`/],
    ['start demo also', /takes one repository/],
    ['start demo --plan=yes', /takes no value/],
    ['start demo --plan --plan', /there twice/],
    ['start demo --model=', /cannot be a model/],
    ['start nothing/like/it', /Write `org\/repo`/],
    ['interrupt', /only in a session's thread/],
    ['raise 5', /only in a session's thread/],
    ['network', /only in a session's thread/],
    ['/review', /only in a session's thread/],
  ] as const) {
    await sayAt(you, thread.channelId, `@helper ${command}`, answer);
  }
});

test('no thread has named the bot otherwise than it is called here', async ({ environment }) => {
  const said = environment.chat.log
    .entries()
    .flatMap((entry) => ('message' in entry && entry.userId === environment.bot.id ? [entry.message] : []));
  assert.ok(said.length > 40);
  for (const message of said) assert.not.match(message, /`@claude\b/);
});

test.run();
