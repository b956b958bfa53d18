// @limit 300
// A reviewer reads: the real Claude Code is refused whatever writes, asks nobody about it, and can look at everything.
import { readdir } from 'node:fs/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import { type Person, person, type Thread } from '../support/person.ts';

interface World {
  environment: TestEnvironment;
  you: Person;
  thread: Thread;
}

const test = suite<World>('reviewer');

test.before(async (context) => {
  // Everything is allowed that a policy can allow.
  context.environment = await startTestEnvironment({ gatewayEnv: { SM_TOOL_POLICY: 'allow' } });
  context.you = person(context.environment);
  context.thread = await context.you.start('@claude start demo --review');
});

test.after(async (context) => {
  await context.environment?.stop();
});

test('a reviewer writes nothing: not by a tool, not by a command, not through a subagent; and no card is put up', async ({
  environment,
  you,
  thread,
}) => {
  const refused = /denied by the rule|no rule allows it|could not|was not run|not done/i;
  for (const [index, attempt] of [
    'create reviewed.txt with the word yes',
    'append "reviewed" to README.md',
    'run: touch reviewed.txt',
    'run: echo reviewed > reviewed.txt',
    'run: git log --output=reviewed.txt',
    'run: git status; touch reviewed.txt',
    'agent general-purpose: run: touch reviewed.txt',
  ].entries()) {
    const post = await you.say(`${attempt}, then say over-${index}`, thread);
    const answer = await you.hearAfter(thread, post, new RegExp(`over-${index}`));
    assert.match(answer.message, refused, attempt);
  }
  const files = await readdir(environment.workspaceDir, { recursive: true });
  assert.equal(
    files.filter((path) => path.endsWith('reviewed.txt')),
    [],
  );
  const cards = (await you.answersIn(thread.rootId)).filter((post) => you.buttonsOf(post).length > 0);
  assert.equal(cards, []);
});

test('a reviewer looks: at files, at the history, at what has changed', async ({ you, thread }) => {
  await you.ask(thread, 'read README.md', /README\.md` holds/);
  await you.ask(thread, 'run: git log --oneline | head -3', /printed/);
  await you.ask(thread, "run: grep -rn 'a' README.md", /printed/);
});

test.run();
