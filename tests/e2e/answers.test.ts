// @limit 600
// Questions, plans and permissions are answered by a button, by a reaction or in words, and all three are the same.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import { type Person, type Post, person, type Thread, textOf, until } from '../support/person.ts';

interface World {
  environment: TestEnvironment;
  you: Person;
  /** Talks to the agent, and may decide nothing. */
  colleague: Person;
  thread: Thread;
}

const test = suite<World>('answers');

test.before(async (context) => {
  context.environment = await startTestEnvironment({
    gatewayEnv: { SM_ALLOWED_APPROVERS: 'you', SM_TOOL_POLICY: 'ask' },
  });
  const { chat, teamId } = context.environment;
  context.you = person(context.environment);
  context.thread = await context.you.start('@claude start demo --worktree=answers');
  const colleague = chat.createUser({ username: 'colleague', teamIds: [teamId] });
  chat.addMember(context.thread.channelId, colleague.id);
  context.colleague = person(context.environment, colleague);
});

test.after(async (context) => {
  await context.environment?.stop();
});

/** Says it and waits for the card that comes of it. */
async function cardOf(you: Person, thread: Thread, message: string, button: string): Promise<Post> {
  const post = await you.say(message, thread);
  return you.hear(thread.rootId, (each) => each.create_at > post.create_at && you.buttonsOf(each).includes(button));
}

async function settled(you: Person, thread: Thread, card: Post): Promise<string> {
  const found = await until(60_000, async () => {
    const now = (await you.read(thread.rootId)).find(({ id }) => id === card.id);
    return now && you.buttonsOf(now).length === 0 ? textOf(now) : undefined;
  });
  return found ?? 'still open';
}

test('a question is answered by a button, by a reaction, by a number, by words of its own', async ({ you, thread }) => {
  const ways: readonly [(card: Post) => Promise<unknown>, RegExp][] = [
    [(card) => you.press(card, 'Blue'), /Blue/],
    [(card) => you.react(card.id, 'two'), /Blue/],
    [() => you.say('2', thread), /Blue/],
    [() => you.say('rather a dark green', thread), /rather a dark green/],
  ];
  for (const [answer, expected] of ways) {
    const card = await cardOf(you, thread, 'ask Which colour? Red or Blue', 'Blue');
    await answer(card);
    assert.match(await settled(you, thread, card), expected);
    await you.hear(
      thread.rootId,
      (post) => post.create_at > card.create_at && /I was told/.test(post.message) && expected.test(post.message),
    );
  }
});

test('words that answered a question are marked, and are no message of their own', async ({
  environment,
  you,
  thread,
}) => {
  const card = await cardOf(you, thread, 'ask Which colour? Red or Blue', 'Blue');
  const post = await you.say('a very particular mauve', thread);
  await settled(you, thread, card);
  const marked = await until(60_000, async () =>
    (await you.reactionsOf(post.id)).includes('white_check_mark') ? true : undefined,
  );
  assert.ok(marked);
  await you.ask(thread, 'say that is all', /that is all/);
  const asMessage = environment.model?.requests.filter(({ lastUserText }) =>
    /\] a very particular mauve/.test(lastUserText),
  );
  assert.equal(asMessage, []);
});

test('several questions at once are answered line by line; too few lines are refused with the way to do it', async ({
  you,
  thread,
}) => {
  const card = await cardOf(you, thread, 'ask Which colour? Red or Blue && Which size? Small or Large', 'Skip');
  await you.ask(thread, 'Blue', /2 questions/);
  await you.say('blue\nsmall', thread);
  assert.match(await settled(you, thread, card), /Blue; Small/);
});

test('a question can be skipped in all three ways, and the agent is told that nobody wants to answer', async ({
  you,
  thread,
}) => {
  for (const skip of [
    (card: Post) => you.press(card, 'Skip'),
    (card: Post) => you.react(card.id, 'x'),
    () => you.say('skip', thread),
  ]) {
    const card = await cardOf(you, thread, 'ask Which colour? Red or Blue', 'Blue');
    await skip(card);
    assert.match(await settled(you, thread, card), /Skipped/);
    await you.hear(thread.rootId, (post) => post.create_at > card.create_at && /not answered/.test(post.message));
  }
});

test('a plan is approved, kept or changed by button, reaction and words, and the agent hears the words', async ({
  you,
  thread,
}) => {
  const keep = await cardOf(you, thread, 'plan: write one.txt', 'Keep planning');
  await you.press(keep, 'Keep planning');
  assert.match(await settled(you, thread, keep), /Keep planning/);

  const change = await cardOf(you, thread, 'plan: write two.txt', 'Change …');
  assert.is((await you.press(change, 'Change …')).status, 200);
  await you.say('call it three.txt', thread);
  assert.match(await settled(you, thread, change), /To be changed.*call it three\.txt/);
  await you.hear(
    thread.rootId,
    (post) => post.create_at > change.create_at && /not approved.*call it three\.txt/s.test(post.message),
  );

  const sign = await cardOf(you, thread, 'plan: write three.txt', 'Change …');
  await you.react(sign.id, 'pencil2');
  await you.hearAfter(thread, sign, /Write in the thread what to change/);
  await you.say('call it five.txt', thread);
  assert.match(await settled(you, thread, sign), /To be changed.*call it five\.txt/);
  await you.hearAfter(thread, sign, /not approved.*call it five\.txt/s);

  for (const approve of [(card: Post) => you.react(card.id, '+1'), () => you.say('lgtm', thread)]) {
    const card = await cardOf(you, thread, 'plan: write four.txt', 'Approve');
    await approve(card);
    assert.match(await settled(you, thread, card), /Approved/);
    await you.hear(thread.rootId, (post) => post.create_at > card.create_at && /plan is approved/.test(post.message));
  }
});

test('a permission waits for a decision; other words wait for their turn and decide nothing', async ({
  environment,
  you,
  thread,
}) => {
  const card = await cardOf(you, thread, 'create allowed.txt with the word yes', 'Deny');
  const talk = await you.say('say I would not allow that', thread);
  assert.ok(
    await until(30_000, async () =>
      (await you.reactionsOf(talk.id)).includes('hourglass_flowing_sand') ? true : undefined,
    ),
  );
  await you.say('allow', thread);
  assert.match(await settled(you, thread, card), /Approved/);
  await you.hear(
    thread.rootId,
    (post) => post.create_at > talk.create_at && /I would not allow that/.test(post.message),
  );
  const all = await readdir(join(environment.workspaceDir, 'worktrees'), { recursive: true });
  assert.is(all.filter((path) => path.endsWith('/allowed.txt')).length, 1);

  const denied = await cardOf(you, thread, 'create denied.txt with the word no', 'Deny');
  await you.react(denied.id, 'no_entry');
  assert.match(await settled(you, thread, denied), /Denied/);
});

test('who may not decide is told so, by whichever way they try, and nothing is decided', async ({
  you,
  colleague,
  thread,
}) => {
  const card = await cardOf(you, thread, 'ask Which colour? Red or Blue', 'Blue');
  await colleague.ask(thread, 'Red', /not one of the people who may decide/);
  await colleague.react(card.id, 'one');
  await until(60_000, async () => {
    const told = (await you.answersIn(thread.rootId)).filter(({ message }) => /may decide this/.test(message));
    return told.length >= 2 ? true : undefined;
  });
  assert.is(await you.buttonsOf((await you.read(thread.rootId)).find(({ id }) => id === card.id) ?? card).length, 3);
  await you.react(card.id, 'two');
  assert.match(await settled(you, thread, card), /Blue/);
});

test('a reaction given while the gateway was away counts when it is back', async ({ environment, you, thread }) => {
  const card = await cardOf(you, thread, 'ask Which colour? Red or Blue', 'Blue');
  await environment.gateway().stop();
  await you.react(card.id, 'one');
  await environment.restartGateway();
  assert.match(await settled(you, thread, card), /Red/);
});

test('an edited or deleted message that was answered is not run again', async ({ environment, you, thread }) => {
  const post = await you.say('say only once please', thread);
  await you.hearAfter(thread, post, /only once please/);
  await you.edit(post.id, 'say only once, edited');
  await you.edit(post.id, '@claude stop');
  await you.remove(post.id);
  await you.ask(thread, 'say the session goes on', /the session goes on/);
  const told = environment.model?.requests.map(({ lastUserText }) => lastUserText).join('\n') ?? '';
  assert.not.match(told, /only once, edited/);
});

test.run();
