// @limit 600
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Person, person, until } from '../../support/person.ts';
import { startVmEnvironment, type VmEnvironment } from '../../support/vm/environment.ts';
import { LONG_MS } from '../../support/vm/patience.ts';

const STARTS = 20;
const LIMIT = 5;

const test = suite<{ environment: VmEnvironment; you: Person }>('the limit of a container');

test.before(async (context) => {
  context.environment = await startVmEnvironment({ gatewayEnv: { SM_CONTAINER_MAX_SESSIONS: String(LIMIT) } });
  context.you = person(context.environment);
});
test.after(async ({ environment }) => environment?.stop());

test('RT-42: of 20 starts at once exactly 5 get in, the others are told why', async ({ environment, you }) => {
  const threads = await Promise.all(
    Array.from({ length: STARTS }, (_, number) => you.askForSession(`@claude start acme/web --worktree=w${number}`)),
  );
  const outcomes = await Promise.all(
    threads.map(({ rootId }) =>
      until(LONG_MS, async () => {
        const texts = (await you.answersIn(rootId)).map(({ message }) => message);
        if (texts.some((text) => /Ready on/.test(text))) return 'in';
        return texts.find((text) => /full|most|at most|sessions/i.test(text) && !/…/.test(text));
      }),
    ),
  );
  assert.is(outcomes.filter((outcome) => outcome === 'in').length, LIMIT, outcomes.join('\n'));
  for (const outcome of outcomes) if (outcome !== 'in') assert.match(outcome ?? '', new RegExp(`\\b${LIMIT}\\b`));
  assert.is((await environment.vm.containers()).length, 1);
  // A place that becomes free can be taken.
  const [inside] = threads.filter((_, number) => outcomes[number] === 'in');
  const [outside] = threads.filter((_, number) => outcomes[number] !== 'in');
  assert.ok(inside && outside);
  await you.say('@claude stop', inside);
  await you.hear(inside.rootId, (post) => /Session stopped/.test(post.message), LONG_MS);
  await you.say('@claude retry', outside);
  await you.hear(outside.rootId, (post) => /Ready on/.test(post.message), LONG_MS);
});

test.run();
