// @limit 400
// Both adapters together: git on the VM, reached over a real sshd, cloning from a server that wants a login.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ensureCheckout,
  ensureMirror,
  type GitOptions,
  type RunInside,
  removeCheckout,
} from '../../../src/adapters/git/index.ts';
import { checkBranch } from '../../../src/adapters/git/names.ts';
import type { Vm } from '../../../src/adapters/ssh/index.ts';
import { type GitServer, startGitServer } from '../../support/gitServer.ts';
import { hostileTexts } from '../../support/hostileText.ts';
import { connectTo, processesWith, startSshd, type TestSshd, until } from '../../support/sshd.ts';
import { clear, type Ground, layGround, live, notAsked, refusalOf, repoRef } from './support.ts';

const TOKEN = 'ghp_over_ssh_0123456789abcdefghij';

const test = suite<Ground & { sshd: TestSshd; vm: Vm; server: GitServer; far: GitOptions }>('git over SSH');
test.before.each(async (context) => {
  Object.assign(context, layGround());
  // The VM's user is somebody else.
  chmodSync(context.root, 0o755);
  execFileSync('chmod', ['777', context.repos, context.worktrees]);
  context.server = await startGitServer(join(context.root, 'forge'), TOKEN);
  context.sshd = await startSshd();
  context.vm = connectTo(context.sshd);
  context.far = { ...context.options, shell: context.vm, baseUrl: context.server.url, token: () => TOKEN };
});
test.after.each(async (context) => {
  await context.vm.close();
  await context.sshd.remove();
  await context.server.close();
  clear(context);
});

test('a worktree is cloned, used, kept while it holds work, and removed', async ({ far, vm, server }) => {
  const seen: string[] = [];
  server.answer = () => {
    seen.push(...processesWith(TOKEN));
    return false;
  };
  const lines: string[] = [];
  const ask = { pull: false, signal: live, onProgress: (line: string) => void lines.push(line) };
  const { path, branch } = await ensureCheckout(far, repoRef(), 'mine', ask);
  assert.is(branch, 'mine');
  assert.is((await vm.run(['cat', `${path}/a.txt`], { timeoutMs: 30_000 })).stdout, 'a\n');
  assert.is(
    (await vm.run(['stat', '-c', '%U', path], { timeoutMs: 30_000 })).stdout.trim(),
    (await vm.run(['id', '-un'], { timeoutMs: 30_000 })).stdout.trim(),
  );
  await vm.writeFile(`${path}/new.txt`, 'x', 0o644);
  const runInside: RunInside = (tree, args) => vm.exec(['git', '-C', tree, ...args], { timeoutMs: 30_000 });
  const remove = () => removeCheckout(far, repoRef(), 'mine', { runInside, signal: live });
  assert.match((await remove()).kept, /`new.txt`/);
  await vm.run(['rm', `${path}/new.txt`], { timeoutMs: 30_000 });
  assert.is((await remove()).removed, true);
  assert.equal(seen, []);
  assert.ok(
    lines.some((line) => line.includes('Receiving objects')),
    lines.join('\n'),
  );
  const grep = await vm.exec(['grep', '-rlF', TOKEN, far.reposPath, far.worktreesPath], { timeoutMs: 30_000 });
  assert.equal([grep.code, grep.stdout], [1, '']);
});

test('sshd killed in the middle of a clone: nothing of it runs on, no half mirror is seen, the next try works', async ({
  far,
  sshd,
  server,
  vm,
}) => {
  let held = false;
  server.answer = (request) => {
    if (held || !request.url?.includes('git-upload-pack') || request.method !== 'POST') return false;
    held = true;
    return true;
  };
  const first = refusalOf(ensureMirror(far, repoRef(), { refresh: false, signal: live }));
  await until('git waits for the pack', () => held);
  await sshd.stop();
  assert.is((await first).code, 'SSH_CONNECTION_LOST');
  await until(
    'git is gone',
    () => processesWith('git-remote-http').filter((line) => line.includes(server.url)).length === 0,
  );
  await sshd.start();
  assert.is(
    (await vm.exec(['test', '-e', `${far.reposPath}/.mirrors/127.0.0.1/acme/web.git`], { timeoutMs: 30_000 })).code,
    1,
  );
  assert.is((await ensureMirror(far, repoRef(), { refresh: false, signal: live })).branch, 'main');
});

test('a clone past its time ends on the VM too, and says which setting to change', async ({ far, server }) => {
  server.answer = (request) => request.method === 'POST';
  const late = await refusalOf(ensureMirror({ ...far, timeoutMs: 2000 }, repoRef(), { refresh: false, signal: live }));
  assert.is(late.code, 'GIT_TIMEOUT');
  assert.match(late.human, /SM_GIT_TIMEOUT_SECS/);
  // The wrapper that ended it may still be on its way out.
  await until('nothing of it runs', () => processesWith(server.url).length === 0);
});

test('git that is killed on the VM, as for want of memory, is told as such and is worth another try', async ({
  far,
  server,
}) => {
  let posts = 0;
  // The first one asks which branches there are.
  server.answer = (request) => {
    if (request.method === 'POST') posts += 1;
    return posts > 1;
  };
  const refusal = refusalOf(ensureMirror(far, repoRef(), { refresh: false, signal: live }));
  const fetching = () => processesWith(server.url).filter((line) => /^\s*\d+ git -C \S+ fetch /.test(line));
  await until('git waits for the pack', () => posts > 1 && fetching().length > 0);
  for (const line of fetching()) process.kill(Number(line.trim().split(' ')[0]), 'SIGKILL');
  const { code, human } = await refusal;
  assert.is(code, 'GIT_KILLED');
  assert.match(human, /want of memory.*tried again/);
  server.answer = undefined;
  assert.is((await ensureMirror(far, repoRef(), { refresh: false, signal: live })).branch, 'main');
});

test('branches with hostile but lawful names go the whole way: nothing is executed, nothing lands elsewhere', async ({
  far,
  source,
  marker,
  vm,
}) => {
  const lawful = hostileTexts(marker).filter((text) => isBranch(text) && !/[/.]mark|^main$|^side$/i.test(text));
  // A branch cannot lie in another one.
  const names = lawful.filter((name) => !lawful.some((other) => other.startsWith(`${name}/`)));
  assert.ok(names.length > 60, String(names.length));
  for (const name of names) source.git('update-ref', `refs/heads/${name}`, 'main');
  source.push();
  for (const [index, name] of names.entries()) {
    const mirror = await ensureMirror(far, repoRef(name), { refresh: index === 0, signal: live });
    assert.is(mirror.branch, name);
    if (index % 8 !== 0) continue;
    const { path } = await ensureCheckout(far, repoRef(name), '', { pull: true, signal: live });
    assert.is(posix.dirname(path), posix.join(far.reposPath, '127.0.0.1/acme'), name);
    const head = await vm.exec(['cat', `${path}/.git/HEAD`], { timeoutMs: 30_000 });
    assert.is(head.stdout, `ref: refs/heads/${name}\n`);
    const { removed, kept } = await removeCheckout(far, repoRef(name), '', { runInside: notAsked, signal: live });
    assert.is(removed, true, kept);
  }
  assert.not(existsSync(marker));
  const left = await vm.exec(
    { script: 'cd "$1" && ls -A', args: [`${far.reposPath}/127.0.0.1/acme`] },
    { timeoutMs: 30_000 },
  );
  assert.is(left.stdout, '');
});

function isBranch(text: string): boolean {
  try {
    return checkBranch(text) === text;
  } catch {
    return false;
  }
}

test.run();
