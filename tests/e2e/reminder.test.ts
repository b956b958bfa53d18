// @limit 200
// A card that nobody answers is called to mind in its thread, and answered all the same.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import { type Person, person, textOf } from '../support/person.ts';

const test = suite<{ environment: TestEnvironment; you: Person }>('reminders');

test.before(async (context) => {
  context.environment = await startTestEnvironment({
    gatewayEnv: { SM_TOOL_POLICY: 'ask', SM_APPROVAL_REMIND_SECS: '1' },
  });
  context.you = person(context.environment);
});
test.after(async ({ environment }) => environment?.stop());

test('the reminder leads to the card; once it is answered no further one comes', async ({ you }) => {
  const thread = await you.start('@claude start demo --worktree=reminded');
  await you.say('run: touch reminded.txt, then say it-went-on', thread);
  const card = await you.hear(thread.rootId, (post) => you.buttonsOf(post).includes('Approve'));
  const second = await you.hear(thread.rootId, ({ message }) =>
    /still waits for an answer, for [3-9] s now/.test(message),
  );
  assert.match(second.message, /\*\*The agent asks to use Bash\*\*/);
  assert.ok(second.message.includes(`/pl/${card.id}`));
  await you.press(card, 'Approve');
  await you.hear(thread.rootId, ({ message }) => /it-went-on/.test(message));
  const settled = (await you.read(thread.rootId)).find(({ id }) => id === card.id);
  assert.match(settled ? textOf(settled) : '', /Approved/);
  const reminders = async () =>
    (await you.read(thread.rootId)).filter(({ message }) => /still waits/.test(message)).length;
  const before = await reminders();
  await you.ask(thread, 'say and-more', /and-more/);
  assert.is(await reminders(), before);
});

test.run();
