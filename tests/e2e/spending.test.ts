// @limit 480
// Caps on spending, with the real Claude Code: it reckons what its calls of the scripted model would cost.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import { type Person, person } from '../support/person.ts';

interface World {
  environment: TestEnvironment;
  /** Starts the sessions, and is no approver. */
  you: Person;
  boss: Person;
}

const test = suite<World>('spending');

async function begin(context: World, caps: Record<string, string>): Promise<void> {
  // Approvers have to be known when the gateway starts.
  const environment = await startTestEnvironment({ gatewayEnv: { SM_ALLOWED_APPROVERS: 'you', ...caps } });
  context.environment = environment;
  context.boss = person(environment);
  const ann = environment.chat.createUser({ username: 'ann', teamIds: [environment.teamId] });
  environment.chat.addMember(environment.lobbyId, ann.id);
  context.you = person(environment, ann);
}
test.after.each(async ({ environment }) => environment?.stop());

/** Several calls of the model, with time between them. */
const COSTLY = 'run: sleep 3, then run: sleep 3, then run: sleep 3, then run: sleep 3, then say it was too late';

test('a turn that has cost too much is ended while it runs; the next one has a cap of its own', async (context) => {
  await begin(context, { SM_CAP_TURN_USD: '0.06' });
  const { you } = context;
  const thread = await you.start();
  await you.ask(thread, COSTLY, /The turn was ended\. It has cost \$0\.\d\d; the cap for one turn is \$0\.06/);
  await you.hear(thread.rootId, ({ message }) => /interrupted/i.test(message));
  await you.ask(thread, 'say short', /short.*context \d+%/s);
  assert.not.match((await you.answersIn(thread.rootId)).map(({ message }) => message).join(), /^it was too late/m);
});

test('a session that has cost too much takes no message, also after a restart, until an approver raises it', async (context) => {
  await begin(context, { SM_CAP_SESSION_USD: '0.02' });
  const { environment, you, boss } = context;
  const thread = await you.start();
  environment.chat.addMember(thread.channelId, boss.id);
  await you.ask(thread, 'say the first', /the first.*context \d+%/s);
  await you.ask(thread, 'say the second', /not passed on to Claude\. This session has cost \$/);
  await environment.gateway().stop();
  await environment.restartGateway();
  await you.ask(thread, 'say the third', /not passed on to Claude\. This session has cost \$/);
  await you.ask(thread, '@claude raise 5', /Only the approvers/);
  await boss.ask(thread, '@claude raise much', /By how many dollars/);
  await boss.ask(thread, '@claude raise 5', /you lets this session cost \$5\.00 more/);
  await you.ask(thread, 'say the fourth', /the fourth.*context \d+%/s);
  const asked = environment.model?.requests.flatMap(({ asked: words }) => words).join('\n') ?? '';
  assert.not.match(asked, /say the (?:second|third)/);
});

test('a person who has spent enough today waits for tomorrow; the others go on', async (context) => {
  await begin(context, { SM_CAP_USER_USD: '0.02' });
  const { environment, you, boss } = context;
  const thread = await you.start();
  environment.chat.addMember(thread.channelId, boss.id);
  await you.ask(thread, 'say mine', /mine.*context \d+%/s);
  await you.ask(thread, 'say no more', /messages of `ann` have cost .* tomorrow/);
  await boss.ask(thread, 'say theirs', /theirs.*context \d+%/s);
});

test('an agent that goes on by itself again and again is ended, and wakes with the next message', async (context) => {
  await begin(context, { SM_CAP_OWN_TURNS: '1' });
  const { you } = context;
  const thread = await you.start();
  // The end of each of them begins a turn that nobody asked for.
  const twice = 'run in the background: sleep 4; echo one, then run in the background: sleep 9; echo two';
  await you.ask(thread, twice, /has begun a turn by itself/);
  await you.ask(thread, 'say awake', /awake.*context \d+%/s);
  const said = (await you.answersIn(thread.rootId)).map(({ message }) => message);
  assert.is(said.filter((message) => message.includes('begun a turn by itself')).length, 1);
  assert.is(said.filter((message) => message.includes('ended unexpectedly')).length, 0);
});

test.run();
