// @limit 600
// The whole height of the house, nothing of it simulated but chat and model: SSH, git over HTTP with a token, `devcontainer
// up`, podman, the worker and the real Claude Code in containers of stock images.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Person, person, type Thread, until } from '../../support/person.ts';
import { GIT_TOKEN, startVmEnvironment, type VmEnvironment } from '../../support/vm/environment.ts';

const COLD_START_MS = 240_000;
const IDLE_SECONDS = 5;

interface World {
  environment: VmEnvironment;
  you: Person;
  first: Thread;
  second: Thread;
}
const test = suite<World>('sessions on the VM');

test.before(async (context) => {
  context.environment = await startVmEnvironment({
    gatewayEnv: { SM_CONTAINER_IDLE_TIMEOUT_SECS: String(IDLE_SECONDS) },
  });
  context.you = person(context.environment);
});
test.after(async ({ environment }) => environment?.stop());

test('a session starts in the devcontainer of its repository, as the user it names', async (context) => {
  const { you, environment } = context;
  const begun = Date.now();
  context.first = await you.start('@claude start acme/web', COLD_START_MS);
  console.log(`\nfigure: cold start: ${Date.now() - begun} ms`);
  assert.is((await environment.vm.containers()).length, 1);
  await you.say('run: echo "user=$(id -un) node=$(command -v node || echo none) in $(pwd)"', context.first);
  await you.hear(context.first.rootId, (post) => /user=vscode node=none in \/workspaces\/web/.test(post.message));
});

test('the agent edits files and runs commands in the checkout of the VM', async ({ you, environment, first }) => {
  await you.say('create colours.txt with the word vermilion, then run: cat colours.txt README.md', first);
  await you.hear(first.rootId, (post) => /vermilion/.test(post.message) && /# Web/.test(post.message));
  assert.is(await environment.vm.sh('cat "$1/colours.txt"', environment.checkout('acme/web')), 'vermilion');
});

test('a second session shares the container: no second one is made', async (context) => {
  const { you, environment } = context;
  const before = await environment.vm.containers();
  const begun = Date.now();
  context.second = await you.start('@claude start acme/web --worktree=side', COLD_START_MS);
  console.log(`\nfigure: second session in the same container: ${Date.now() - begun} ms`);
  assert.equal(await environment.vm.containers(), before);
  await you.say('run: ls colours.txt 2>/dev/null || echo "a checkout of its $(echo own)"', context.second);
  await you.hear(context.second.rootId, (post) => /a checkout of its own/.test(post.message));
});

test('a worktree session commits inside the container', async ({ you, environment, second }) => {
  const identity = '-c user.name=Agent -c user.email=agent@example.invalid';
  await you.say(
    `create side.txt with the word heliotrope, then run: git add side.txt && git ${identity} commit -q -m "Add a colour" && git log -1 --format="committed: %s"`,
    second,
  );
  await you.hear(second.rootId, (post) => /committed: Add a colour/.test(post.message));
  const { vm } = environment;
  assert.is(await vm.sh('cat "$1"/acme/web/side/side.txt', vm.worktreesPath), 'heliotrope');
});

test("the git token is nowhere on the VM and in no container's reach", async ({ environment }) => {
  const { vm, forge } = environment;
  assert.ok(forge.requests.length > 0);
  assert.equal(await vm.traces(GIT_TOKEN), []);
});

test('when its last session has stopped, the container goes; unpushed work stays and is named', async (context) => {
  const { you, environment, first, second } = context;
  await you.say('@claude stop', second);
  await you.hear(second.rootId, (post) => /Session stopped/.test(post.message));
  const kept = await you.hear(second.rootId, (post) => /kept because/.test(post.message));
  assert.match(kept.message, /acme\/web\/side/);
  await you.say('@claude stop', first);
  await you.hear(first.rootId, (post) => /Session stopped/.test(post.message));
  const empty = await until(60_000, async () => ((await environment.vm.containers()).length === 0 ? true : undefined));
  assert.ok(empty, 'the container is still there');
  assert.is(await environment.vm.sh('cat "$1"/acme/web/side/side.txt', environment.vm.worktreesPath), 'heliotrope');
});

test('the session comes back in a new container, with its memory and its files', async (context) => {
  const { you, environment, first } = context;
  const before = (await you.answersIn(first.rootId)).length;
  await you.say('@claude resume', first);
  const ready = await until(COLD_START_MS, async () =>
    (await you.answersIn(first.rootId)).slice(before).find((post) => /Ready on/.test(post.message)),
  );
  assert.ok(ready, (await you.read(first.rootId)).map((post) => post.message).join('\n---\n'));
  const earlier = conversationsAbout('vermilion');
  await you.say('run: cat colours.txt', first);
  await you.hear(first.rootId, (post) => post.create_at > (ready?.create_at ?? 0) && /vermilion/.test(post.message));
  assert.equal(conversationsAbout('cat colours.txt').slice(-1), earlier.slice(0, 1), 'another conversation went on');

  /** Ids of Claude Code's conversations in which a person wrote that. */
  function conversationsAbout(words: string): (string | undefined)[] {
    const requests = environment.model?.requests ?? [];
    return requests.filter(({ asked }) => asked.some((text) => text.includes(words))).map(({ sessionId }) => sessionId);
  }
});

test.run();
