// @limit 480
// Whatever a person types, the answer is clear and nothing is lost.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import { type Person, person, type Thread, until } from '../support/person.ts';

const test = suite<{ environment: TestEnvironment; you: Person; thread: Thread }>('bad input');

test.before(async (context) => {
  context.environment = await startTestEnvironment();
  context.you = person(context.environment);
  context.thread = await context.you.start();
});

test.after(async (context) => {
  await context.environment?.stop();
});

for (const [command, answer] of [
  ['@claude start ../..', /org\/repo|not a valid|cannot/i],
  ['@claude start org/repo@-x', /branch/i],
  ['@claude start', /org\/repo/],
  ['@claude strat demo', /start/],
  ['@claude start demo --wroktree', /--worktree|flag|option/i],
  ['@claude start demo --worktree=../up', /worktree/i],
  ['@claude stop ab', /4|four|characters/i],
] as const) {
  test(`"${command}" is answered with what to do instead`, async ({ environment, you }) => {
    const sessions = environment.chat.log.created({ userId: environment.bot.id }).length;
    const ask = await you.say(command);
    const reply = await you.hear(ask.id, () => true);
    assert.match(reply.message, answer);
    assert.not.match(reply.message, /\/pl\//, 'a session was started');
    assert.is(environment.chat.log.created({ userId: environment.bot.id }).length, sessions + 1);
  });
}

test('an unknown command in a thread is never passed to the agent', async ({ you, thread }) => {
  await you.say('@claude inturrupt', thread);
  const reply = await you.hear(thread.rootId, (post) => /interrupt/.test(post.message));
  assert.match(reply.message, /inturrupt/);
});

test('a message of 20,000 characters is refused by the server and harms nothing', async ({ you, thread }) => {
  const refused = await you.call('POST', '/posts', {
    channel_id: thread.channelId,
    root_id: thread.rootId,
    message: 'x'.repeat(20_000),
  });
  assert.is(refused.status, 400);
  await you.say('say after the long one', thread);
  await you.hear(thread.rootId, (post) => /after the long one/.test(post.message));
});

test('the longest message there can be reaches the agent whole', async ({ environment, you, thread }) => {
  const message = `say ${'é'.repeat(16_370)} end`;
  assert.is([...message].length <= 16_383, true);
  await you.say(message, thread);
  const arrived = await until(60_000, async () =>
    environment.model?.requests.some((request) => request.lastUserText.includes(message.slice(0, 200)))
      ? true
      : undefined,
  );
  assert.ok(arrived);
});

test('a NUL and lone surrogates are replaced, the rest of the message arrives', async ({
  environment,
  you,
  thread,
}) => {
  await you.say('say odd\u0000ities \ud800 here', thread);
  const arrived = await until(60_000, async () =>
    environment.model?.requests.some((request) => /odd.?ities/.test(request.lastUserText)) ? true : undefined,
  );
  assert.ok(arrived);
  await you.hear(thread.rootId, (post) => /odd.?ities/.test(post.message));
});

test('emoji and CJK at every boundary of a split answer survive', async ({ you, thread }) => {
  await you.say('long 40', thread);
  await you.hear(
    thread.rootId,
    (post) => /\$\d|tokens/.test(post.message) && /[\u4e00-\u9fff]|\p{Extended_Pictographic}/u.test(post.message),
  );
  const texts = (await you.answersIn(thread.rootId)).map((post) => post.message);
  for (const text of texts.filter((each) => !/odd.?ities/.test(each))) {
    assert.not.match(text, /\ufffd/);
    assert.not.throws(() => encodeURIComponent(text), 'a surrogate stands alone');
    assert.ok([...text].length <= 16_383);
    assert.is((text.match(/^```/gm)?.length ?? 0) % 2, 0, 'a code fence is left open');
  }
});

test('a message that is edited while it waits is sent as edited, once', async ({ environment, you, thread }) => {
  await you.say('slow 40', thread);
  await you.hear(thread.rootId, (post) => /\bw2\b/.test(post.message));
  const waiting = await you.say('say the old wording', thread);
  await you.edit(waiting.id, 'say the new wording');
  await you.hear(thread.rootId, (post) => /the new wording/.test(post.message));
  const told = environment.model?.requests.map((request) => request.lastUserText).join('\n') ?? '';
  assert.not.match(told, /the old wording/);
});

test('a message that is deleted while it waits is not sent', async ({ environment, you, thread }) => {
  await you.say('slow 40', thread);
  await until(60_000, async () =>
    (await you.answersIn(thread.rootId)).filter((post) => /\bw2\b/.test(post.message)).length >= 2 ? true : undefined,
  );
  const waiting = await you.say('say the forgotten words', thread);
  await you.remove(waiting.id);
  await you.say('say the last words', thread);
  await you.hear(thread.rootId, (post) => /the last words/.test(post.message));
  const told = environment.model?.requests.map((request) => request.lastUserText).join('\n') ?? '';
  assert.not.match(told, /the forgotten words/);
});

test.run();
