// @limit 900
// The gateway is killed while a session is on its way up. The next gateway finishes what was begun, once.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Person, person } from '../../support/person.ts';
import { startVmEnvironment, type VmEnvironment } from '../../support/vm/environment.ts';
import { answers, eventually, LONG_MS, said } from '../../support/vm/patience.ts';

const test = suite<{ environment: VmEnvironment; you: Person }>('gateway killed while it prepares');

test.before(async (context) => {
  context.environment = await startVmEnvironment();
  context.you = person(context.environment);
});
test.after(async ({ environment }) => environment?.stop());

async function killAndRestart(environment: VmEnvironment): Promise<void> {
  environment.gateway().kill('SIGKILL');
  await environment.gateway().ended;
  await environment.restartGateway();
}

test('during the clone: its git ends, the clone is whole in the end, and the session is ready', async ({
  environment,
  you,
}) => {
  const { vm, forge } = environment;
  let held = false;
  // The pack stands still, as on a slow line.
  forge.answer = (request) => {
    if (!request.url?.endsWith('git-upload-pack')) return false;
    held = true;
    return true;
  };
  const thread = await you.askForSession('@claude start acme/web');
  await eventually('the clone stands still', async () => held);
  environment.gateway().kill('SIGKILL');
  await environment.gateway().ended;
  forge.answer = undefined;
  const git = async () => (await vm.processes()).filter((line) => /^(\S*\/)?git\b/.test(line));
  await eventually('no git runs on the VM', async () => (await git()).length === 0);
  await environment.restartGateway();
  await you.hear(thread.rootId, (post) => /Ready on/.test(post.message), LONG_MS);
  await answers(you, thread, 'after-the-clone');
  const half = await vm.sh('find "$1" "$2" -name "*.new" -o -name "tmp_*"', vm.reposPath, vm.worktreesPath);
  assert.is(half, '');
  assert.is((await vm.containers()).length, 1);
});

test('during `devcontainer up`: one container comes of it, and the session is ready', async ({ environment, you }) => {
  const { vm } = environment;
  const before = await vm.containers();
  const thread = await you.askForSession('@claude start acme/slow');
  await you.hear(thread.rootId, (post) => /postCreateCommand/.test(post.message), LONG_MS);
  await killAndRestart(environment);
  await you.hear(thread.rootId, (post) => /Ready on/.test(post.message), LONG_MS);
  await answers(you, thread, 'after-the-up');
  assert.is((await vm.containers()).length, before.length + 1);
  assert.not.match(await said(you, thread), /❌/);
});

test('in the middle of a turn: the answer arrives whole, once', async ({ environment, you }) => {
  const thread = await you.start('@claude start acme/web --worktree=turn', LONG_MS);
  await you.say('slow 60, then say whole-after-the-kill', thread);
  await you.hear(thread.rootId, (post) => /\bw5\b/.test(post.message), LONG_MS);
  await killAndRestart(environment);
  await you.hear(thread.rootId, (post) => /whole-after-the-kill/.test(post.message), LONG_MS);
  const text = await said(you, thread);
  for (const word of ['w5', 'w59', 'w60']) assert.is(text.match(new RegExp(`\\b${word}\\b`, 'g'))?.length, 1, word);
});

test.run();
