// @limit 1500
// Repositories as they are: without a devcontainer, with an odd one, with one that does not come up, with bad intentions. What
// the thread says is part of the promise.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Person, person } from '../../support/person.ts';
import { startVmEnvironment, type VmEnvironment } from '../../support/vm/environment.ts';
import { eventually, LONG_MS, said } from '../../support/vm/patience.ts';
import { HOSTILE_MARK } from '../../support/vm/repositories.ts';

const UP_LIMIT_SECONDS = 40;

const test = suite<{ environment: VmEnvironment; you: Person }>('repositories');

test.before(async (context) => {
  context.environment = await startVmEnvironment({
    compose: true,
    gatewayEnv: { SM_DEVCONTAINER_TIMEOUT_SECS: String(UP_LIMIT_SECONDS) },
  });
  context.you = person(context.environment);
});
test.after(async ({ environment }) => environment?.stop());

test('without a devcontainer.json: the default one, and nothing is written into the checkout', async ({ you }) => {
  const thread = await you.start('@claude start acme/plain', LONG_MS);
  await you.say('run: git status --porcelain --ignored; ls -A; echo seen', thread);
  const answer = await you.hear(thread.rootId, (post) => /seen/.test(post.message) && /✅/.test(post.message), LONG_MS);
  assert.match(answer.message, /README\.md/, answer.message);
  assert.not.match(answer.message, /devcontainer|\?\?/);
});

test('with comments, trailing commas and more than ASCII: read as it is meant', async ({ you }) => {
  const thread = await you.start('@claude start acme/commas', LONG_MS);
  await you.say('run: echo "$GREETING" && cat /tmp/made && id -un', thread);
  await you.hear(thread.rootId, (post) => /grüß dich 日本\s+made\s+vscode/.test(post.message), LONG_MS);
});

test("the product description's configuration: comes up with its `&`, its server runs on", async ({
  environment,
  you,
}) => {
  const { vm } = environment;
  const thread = await you.start('@claude start acme/described', LONG_MS);
  await you.say('run: test -n "$ANTHROPIC_API_KEY" && node --version && echo "has a $(echo key)"', thread);
  await you.hear(thread.rootId, (post) => /has a key/.test(post.message), LONG_MS);
  const own = (await vm.processes()).filter((line) => /^node agent_worker\/server\.cjs/.test(line));
  assert.is(own.length, 1);
  assert.not.match(await vm.podman('volume', 'ls', '--quiet'), /^claude-(config|mem)-shared$/m);
});

test('with a compose file: the session runs in the service it names', async ({ environment, you }) => {
  const thread = await you.start('@claude start acme/compose', LONG_MS);
  await you.say('run: pwd; ls -A', thread);
  await you.hear(thread.rootId, (post) => /\/workspace\s[\s\S]*\.devcontainer/.test(post.message), LONG_MS);
  await you.say('@claude stop --container', thread);
  await you.hear(thread.rootId, (post) => /Session stopped/.test(post.message), LONG_MS);
  const left = () => environment.vm.podman('ps', '--all', '--quiet', '--filter', 'label=csm.repo=acme/compose');
  await eventually('every service of it is gone', async () => (await left()).trim() === '');
});

test('a postCreateCommand that fails: which one, its output, and a way on', async ({ environment, you }) => {
  const thread = await you.askForSession('@claude start acme/failing');
  const failure = await you.hear(thread.rootId, (post) => /postCreateCommand failed/.test(post.message), LONG_MS);
  assert.match(failure.message, /no such package: leftpad/);
  assert.match(failure.message, /retry/);
  assert.not.match(await said(you, thread), /Ready on/);
  // Mended and pushed, `retry` is enough, although the command has left something in the checkout.
  const { of } = environment.repositories;
  const repository = of('acme/failing');
  repository.git('rm', '-r', '--quiet', '.devcontainer');
  repository.commit('without it');
  repository.push();
  await you.say('@claude retry', thread);
  await you.hear(thread.rootId, (post) => /Ready on/.test(post.message), LONG_MS);
  await you.say('run: echo "kept: $(cat half.txt)"', thread);
  await you.hear(thread.rootId, (post) => /kept: half/.test(post.message), LONG_MS);
});

test('RT-39: an `up` that never ends is ended, with its processes, and the thread says where it was', async ({
  environment,
  you,
}) => {
  const { vm } = environment;
  const thread = await you.askForSession('@claude start acme/endless');
  const failure = await you.hear(thread.rootId, (post) => /longer than \d+ seconds/.test(post.message), LONG_MS);
  assert.match(failure.message, new RegExp(`longer than ${UP_LIMIT_SECONDS} seconds`));
  assert.match(failure.message, /postCreateCommand/);
  const left = async () =>
    (await vm.processes()).filter((line) => /devcontainer.*acme\/endless|^podman exec/.test(line));
  await eventually('the devcontainer CLI has ended', async () => (await left()).length === 0);
  await you.say('@claude stop --container', thread);
  const command = async () => (await vm.processes()).filter((line) => line === 'sleep 987654');
  await eventually('what it ran is gone', async () => (await command()).length === 0);
});

test('a hostile repository runs nothing on the VM, then or after an agent has worked in it', async ({
  environment,
  you,
}) => {
  const { vm } = environment;
  const thread = await you.start('@claude start acme/hostile --worktree=trap', LONG_MS);
  const act = `touch ${HOSTILE_MARK}`;
  const traps = [
    `git config core.fsmonitor "${act}"`,
    `git config core.hooksPath .githooks`,
    `git config filter.evil.clean "${act}; cat"`,
    `git config filter.evil.smudge "${act}; cat"`,
    `git config core.sshCommand "${act}"`,
    `git config alias.status "!${act}"`,
    'git config include.path ../.gitconfig',
    // A worktree of git's own kind, whose folder and configuration are elsewhere.
    'd=$(git rev-parse --git-dir)/worktrees/planted; mkdir -p $d',
    'echo /home/claude >$d/gitdir; echo ../.. >$d/commondir; echo ref: refs/heads/planted >$d/HEAD',
  ];
  // In its own checkout, and in the one of the branch, which every new container of it is made from.
  for (const [folder, mark] of [
    ['.', 'planted'],
    ['/workspaces/hostile', 'planted-too'],
  ]) {
    await you.say(`run: cd ${folder} && ${traps.join(' && ')} && echo ${mark}`, thread);
    await you.hear(thread.rootId, (post) => post.message.includes(`${mark}\n`), LONG_MS);
  }
  // What the repository's settings have Claude Code run, runs in the container and nowhere else.
  assert.is(await vm.sh('ls /tmp/session-hook 2>/dev/null || echo none'), 'none');
  // A link where the next worktree is to be made, as an agent that is root could leave it: nothing is made through it.
  const [first = ''] = (await vm.podman('ps', '--quiet', '--filter', 'label=csm.repo=acme/hostile')).split('\n');
  await vm.podman('exec', '--user=0', first, 'ln', '-s', '/home/claude', '/csm/worktrees/linked');
  const before = await vm.sh('ls -A /home/claude');
  const linked = await you.askForSession('@claude start acme/hostile --worktree=linked');
  await you.hear(linked.rootId, (post) => /exists already and is not a checkout of ours/.test(post.message), LONG_MS);
  assert.is(await vm.sh('ls -A /home/claude'), before);
  // Looking at the checkout, tidying it up, and using it again.
  await you.say('@claude stop', thread);
  await you.hear(thread.rootId, (post) => /Session stopped/.test(post.message), LONG_MS);
  const again = await you.start('@claude start acme/hostile --worktree=trap2', LONG_MS);
  await you.say('@claude stop --container', again);
  await you.hear(again.rootId, (post) => /Session stopped/.test(post.message), LONG_MS);
  // A new container from the poisoned checkout; and one whose container is gone when it is tidied up.
  const anew = await you.start('@claude start acme/hostile --worktree=trap3', LONG_MS);
  const [container = ''] = (await vm.podman('ps', '--quiet', '--filter', 'label=csm.repo=acme/hostile')).split('\n');
  await you.say(`run: ${traps.join(' && ')} && echo planted-last`, anew);
  await you.hear(anew.rootId, (post) => post.message.includes('planted-last\n'), LONG_MS);
  await vm.podman('rm', '--force', '--time=0', container);
  await you.say('@claude stop --container', anew);
  await you.hear(anew.rootId, (post) => /Session stopped/.test(post.message), LONG_MS);
  assert.is(await vm.sh('ls "$1" 2>/dev/null || echo none', HOSTILE_MARK), 'none');
});

test('what git itself holds for dangerous is not taken at all', async ({ environment, you }) => {
  const thread = await you.askForSession('@claude start acme/dangerous');
  const refusal = await you.hear(thread.rootId, (post) => /@claude retry/.test(post.message), LONG_MS);
  assert.match(refusal.message, /acme\/dangerous contains objects git considers broken or dangerous/);
  assert.is(await environment.vm.sh('ls "$1" 2>/dev/null || echo none', HOSTILE_MARK), 'none');
});

test('the disk is full during the clone: said so, nothing half is left, and with room `retry` works', async ({
  environment,
  you,
}) => {
  const { vm } = environment;
  const repository = environment.repositories.of('acme/web');
  repository.git('checkout', '--quiet', '-b', 'large');
  const { randomBytes } = await import('node:crypto');
  const { writeFileSync } = await import('node:fs');
  writeFileSync(`${repository.work}/large.bin`, randomBytes(8_000_000));
  repository.commit('large');
  repository.push();
  await vm.fillDisk(2_000_000);
  const thread = await you.askForSession('@claude start acme/web@large');
  const failure = await you.hear(thread.rootId, (post) => /disk is full/.test(post.message), LONG_MS);
  assert.match(failure.message, /no room for acme\/web/);
  assert.is(await vm.sh('find "$1" -name "*.new" -o -name "tmp_*"', vm.reposPath), '');
  await vm.freeDisk();
  await you.say('@claude retry', thread);
  await you.hear(thread.rootId, (post) => /Ready on/.test(post.message), LONG_MS);
});

test('a port that a stranger has is passed over', async ({ environment, you }) => {
  const { vm } = environment;
  const free = Number(
    await vm.sh('port=50051; while ss -Hltn "sport = :$port" | grep -q .; do port=$((port + 1)); done; echo $port'),
  );
  const letGo = await vm.takePort(free);
  try {
    const thread = await you.start('@claude start acme/slow', LONG_MS);
    await you.say('run: echo "it is $(echo reached)"', thread);
    await you.hear(thread.rootId, (post) => /it is reached/.test(post.message), LONG_MS);
  } finally {
    await letGo();
  }
});

test.run();
