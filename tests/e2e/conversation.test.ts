// @limit 480
// One real conversation after the other: the real Claude Code, in a real checkout, through the whole height of the house.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import { type Person, person } from '../support/person.ts';

const test = suite<{ environment: TestEnvironment; you: Person }>('conversation');

test.before(async (context) => {
  context.environment = await startTestEnvironment();
  context.you = person(context.environment);
});

test.after(async (context) => {
  await context.environment?.stop();
});

/** Below every worktree of the environment. */
async function filesNamed(environment: TestEnvironment, name: string): Promise<string[]> {
  const all = await readdir(join(environment.workspaceDir, 'worktrees'), { recursive: true });
  const found = all.filter((path) => path.endsWith(`/${name}`) && !path.includes('/.git/'));
  return found.map((path) => join(environment.workspaceDir, 'worktrees', path));
}

test('a file that a person asks for is really made, and what is read back is shown', async ({ environment, you }) => {
  const { channelId, rootId } = await you.start();
  await you.say('create colours.txt with the word vermilion, then run: cat colours.txt', { channelId, rootId });
  await you.hear(rootId, (post) => /Bash.*cat colours\.txt.*✅/.test(post.message));
  await you.hear(rootId, (post) => /vermilion/.test(post.message));
  const [file] = await filesNamed(environment, 'colours.txt');
  assert.is((await readFile(file ?? '', 'utf8')).trim(), 'vermilion');
});

test('what Claude commits for a person names that person', async ({ you }) => {
  const { channelId, rootId } = await you.start();
  const commit = 'git -c user.name=C -c user.email=c@x commit -q --allow-empty -m Work';
  await you.say(`run: ${commit} && git log -1 --format=%B`, { channelId, rootId });
  await you.hear(rootId, ({ message }) => /Work\n\nCo-authored-by: you <you@[\w.]+>/.test(message));
});

test('two sessions of one repository work in checkouts of their own', async ({ environment, you }) => {
  const first = await you.start('@claude start demo --worktree=left');
  const second = await you.start('@claude start demo --worktree=right');
  await you.say('create mine.txt with the word left', first);
  await you.hear(first.rootId, (post) => /✅/.test(post.message));
  await you.say('run: ls mine.txt || echo "nothing $(echo here)"', second);
  await you.hear(second.rootId, (post) => /nothing here/.test(post.message));
  assert.is((await filesNamed(environment, 'mine.txt')).length, 1);
});

test('a second session in the main checkout is refused and told how to go on', async ({ you }) => {
  await you.start('@claude start demo');
  const ask = await you.say('@claude start demo');
  const link = await you.hear(ask.id, (post) => /\/pl\//.test(post.message));
  const rootId = /\/pl\/([a-z0-9]{26})/.exec(link.message)?.[1] ?? '';
  const refusal = await you.hear(rootId, (post) => /--worktree/.test(post.message));
  assert.match(refusal.message, /main checkout/);
});

test('a question becomes a card, a click answers it, and the agent goes on with the answer', async ({ you }) => {
  const { channelId, rootId } = await you.start();
  await you.say('ask Which colour? Red or Blue', { channelId, rootId });
  const card = await you.hear(rootId, (post) => you.buttonsOf(post).length > 0);
  assert.ok(you.buttonsOf(card).includes('Blue'));
  const click = await you.press(card, 'Blue');
  assert.is(click.status, 200);
  await you.hear(rootId, (post) => post.id !== card.id && /Blue/.test(post.message));
  const after = (await you.read(rootId)).find((post) => post.id === card.id);
  assert.equal(after && you.buttonsOf(after), []);
  await you.press(card, 'Red');
  const settled = (await you.read(rootId)).find((post) => post.id === card.id);
  assert.match(JSON.stringify(settled), /Answered: \*\*Blue/);
});

test('RT-47: messages sent while the agent works are answered in order, each once', async ({ you }) => {
  const { channelId, rootId } = await you.start();
  await you.say('slow 20', { channelId, rootId });
  await you.say('say the first that waited', { channelId, rootId });
  await you.say('say the second that waited', { channelId, rootId });
  await you.hear(rootId, (post) => /the second that waited/.test(post.message));
  const texts = (await you.answersIn(rootId)).map((post) => post.message);
  const first = texts.findIndex((text) => /the first that waited/.test(text));
  const second = texts.findIndex((text) => /the second that waited/.test(text));
  assert.ok(first >= 0 && first < second);
  assert.is(texts.filter((text) => /the first that waited/.test(text)).length, 1);
  assert.is(texts.filter((text) => /the second that waited/.test(text)).length, 1);
});

test('interrupt ends the running turn and the session goes on', async ({ you }) => {
  const { channelId, rootId } = await you.start();
  await you.say('slow 400', { channelId, rootId });
  await you.hear(rootId, (post) => /\bw3\b/.test(post.message));
  await you.say('@claude interrupt', { channelId, rootId });
  await you.hear(rootId, (post) => /interrupted/i.test(post.message) && /\bw3\b/.test(post.message));
  await you.say('say still here', { channelId, rootId });
  await you.hear(rootId, (post) => /still here/.test(post.message));
});

test('plan mode is really in force: nothing is written until the plan is approved', async ({ environment, you }) => {
  const { channelId, rootId } = await you.start('@claude start demo --worktree=planned --plan');
  await you.say('create early.txt with the word no', { channelId, rootId });
  await you.hear(rootId, (post) => /❌|denied|plan mode/i.test(post.message) && !/Ready on/.test(post.message));
  assert.equal(await filesNamed(environment, 'early.txt'), []);
  await you.say('plan: write late.txt', { channelId, rootId });
  const card = await you.hear(rootId, (post) => you.buttonsOf(post).includes('Approve'));
  assert.match(JSON.stringify(card), /late\.txt/);
  await you.press(card, 'Approve');
  await you.hear(rootId, (post) => /Plan mode is \*\*off\*\*/.test(post.message));
  await you.say('create late.txt with the word yes', { channelId, rootId });
  await you.hear(rootId, (post) => /Write `late\.txt` \(\+1\) ✅/.test(post.message));
  assert.is((await filesNamed(environment, 'late.txt')).length, 1);
});

test('stop ends the session, a message then gets a clear answer, and resume goes on with the memory', async ({
  you,
}) => {
  const { channelId, rootId } = await you.start();
  await you.say('say remember the heron', { channelId, rootId });
  await you.hear(rootId, (post) => /remember the heron/.test(post.message));
  await you.say('@claude stop', { channelId, rootId });
  await you.hear(rootId, (post) => /Session stopped/.test(post.message));
  await you.say('are you there', { channelId, rootId });
  await you.hear(rootId, (post) => /not running/.test(post.message));
  await you.say('@claude resume', { channelId, rootId });
  await you.hear(rootId, (post) => /Ready on/.test(post.message) && post.create_at > 0);
  await you.say('say back again', { channelId, rootId });
  await you.hear(rootId, (post) => /back again/.test(post.message));
});

test('status, help and context tell what is there', async ({ you }) => {
  const { session, channelId, rootId } = await you.start();
  const status = await you.say('@claude status');
  await you.hear(status.id, (post) => post.message.includes(session.slice('session/'.length, 'session/'.length + 8)));
  const help = await you.say('@claude help');
  await you.hear(help.id, (post) => /start org\/repo/.test(post.message));
  await you.say('@claude context', { channelId, rootId });
  await you.hear(rootId, (post) => /tokens/i.test(post.message));
});

test('an API that fails for good ends the turn in words, and the next message works', async ({ you }) => {
  const { channelId, rootId } = await you.start();
  await you.say('fail 400', { channelId, rootId });
  await you.hear(rootId, (post) => /400|failed/i.test(post.message) && !/Ready on/.test(post.message));
  await you.say('say recovered', { channelId, rootId });
  await you.hear(rootId, (post) => /recovered/.test(post.message));
});

test.run();
