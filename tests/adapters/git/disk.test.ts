// A full disk: told as what it is, nothing half is left, and it works again once there is room.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ensureCheckout, ensureMirror, type Shell } from '../../../src/adapters/git/index.ts';
import { localShell } from '../../support/localShell.ts';
import { clear, type Ground, layGround, live, refusalOf, repoRef } from './support.ts';

const test = suite<Ground & { holder: ChildProcess; small: Shell }>('a full disk');
const MEGABYTES = 10;

test.before.each(async (context) => {
  Object.assign(context, layGround());
  // A small disk in a mount namespace of its own: it goes with the process that holds it, whatever happens.
  const mount = `mount -t tmpfs -o size=${MEGABYTES}m csm-test "$1" && mkdir "$1/repos" "$1/worktrees" && echo ready && exec sleep 600`;
  const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const holder = spawn(
    'unshare',
    [...user, '--mount', '--propagation', 'private', 'sh', '-c', mount, 'sh', join(context.root, 'vm')],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(holder.stdout, 'data');
  context.holder = holder;
  const enter = ['nsenter', '--target', String(holder.pid), '--mount', ...(user.length > 0 ? ['--user'] : []), '--'];
  context.small = localShell({}, enter);
});
test.after.each(async (context) => {
  context.holder.kill('SIGKILL');
  await once(context.holder, 'exit');
  clear(context);
});

async function on(shell: Shell, script: string, folder: string): Promise<string> {
  return (await shell.exec({ script, args: [folder] }, { timeoutMs: 30_000 })).stdout.trim();
}

const LEFT = `find "$1" -name '*.new' -o -path '*/.csm/*' -o -name 'tmp_*'`;

test('fills up while it is fetched: said so, nothing half is left, and with room it works', async (context) => {
  const { options, source, small, root } = context;
  writeFileSync(join(source.work, 'big'), randomBytes(3_000_000));
  source.commit('big');
  source.push();
  const call = { refresh: true, signal: live };
  await on(small, 'head -c 8000000 /dev/zero >"$1/vm/ballast"', root);
  const refusal = await refusalOf(ensureMirror({ ...options, shell: small }, repoRef(), call));
  assert.is(refusal.code, 'GIT_DISK_FULL', refusal.message);
  assert.match(refusal.human, /disk is full: there is no room for acme\/web\. Free some space/);
  assert.is(await on(small, LEFT, join(root, 'vm')), '');
  await on(small, 'rm "$1/vm/ballast"', root);
  assert.is((await ensureMirror({ ...options, shell: small }, repoRef(), call)).branch, 'main');

  // Then while it is updated: the mirror stays what it was.
  writeFileSync(join(source.work, 'bigger'), randomBytes(9_000_000));
  source.commit('bigger');
  source.push();
  assert.is((await refusalOf(ensureMirror({ ...options, shell: small }, repoRef(), call))).code, 'GIT_DISK_FULL');
  assert.is((await ensureMirror({ ...options, shell: small }, repoRef(), { ...call, refresh: false })).branch, 'main');
});

test('fills up while it is checked out: likewise', async (context) => {
  const { options, source, small, root } = context;
  writeFileSync(join(source.work, 'big'), randomBytes(3_000_000));
  source.commit('big');
  source.push();
  const narrow = { ...options, shell: small };
  const ask = { pull: false, signal: live };
  await on(small, 'head -c 2000000 /dev/zero >"$1/vm/ballast"', root);
  await ensureMirror(narrow, repoRef(), { refresh: false, signal: live });
  const refusal = await refusalOf(ensureCheckout(narrow, repoRef(), 'mine', ask));
  assert.is(refusal.code, 'GIT_DISK_FULL', refusal.message);
  assert.is(await on(small, LEFT, join(root, 'vm')), '');
  await on(small, 'rm "$1/vm/ballast"', root);
  const { path, isNew } = await ensureCheckout(narrow, repoRef(), 'mine', ask);
  assert.is(isNew, true);
  assert.is(await on(small, 'wc -c <"$1/big"', path), '3000000');
});

test.run();
