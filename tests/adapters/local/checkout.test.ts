// Checkouts with the real git: own, whole, and never removed with work in them.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import promises, { access } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ensureCheckout, ensureMirror, removeIfClean } from '../../../src/adapters/local/checkout.ts';
import { localPaths } from '../../../src/adapters/local/paths.ts';

const test = suite<{ root: string; source: string }>('checkout');
const signal = new AbortController().signal;
const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.invalid'];

function git(cwd: string, ...args: string[]): string {
  return execFileSync('git', [...identity, ...args], { cwd, encoding: 'utf8' });
}

test.before.each((context) => {
  context.root = mkdtempSync(join(tmpdir(), 'csm-checkout-'));
  context.source = join(context.root, 'source');
  execFileSync('git', ['init', '--quiet', '--initial-branch=main', context.source]);
  writeFileSync(join(context.source, 'a.txt'), 'a\n');
  git(context.source, 'add', '.');
  git(context.source, 'commit', '--quiet', '-m', 'first');
  git(context.source, 'branch', 'side');
});

test.after.each((context) => rmSync(context.root, { recursive: true, force: true }));

const refOf = (source: string, branch = '') => ({ repo: 'acme/web', source, branch });

test('the main checkout follows the default branch and is made once', async ({ root, source }) => {
  const paths = localPaths(root);
  const first = await ensureCheckout(paths, refOf(source), '', signal);
  assert.is(first.branch, 'main');
  writeFileSync(join(first.path, 'mine.txt'), 'x');
  const again = await ensureCheckout(paths, refOf(source), '', signal);
  assert.is(again.path, first.path);
  await access(join(first.path, 'mine.txt'));
});

test('a named branch is checked out, an unknown one is refused with what git says', async ({ root, source }) => {
  const paths = localPaths(root);
  assert.is((await ensureCheckout(paths, refOf(source, 'side'), '', signal)).branch, 'side');
  let refused = '';
  await ensureCheckout(paths, refOf(source, 'nowhere'), '', signal).catch((error: Error) => {
    refused = error.message;
  });
  assert.match(refused, /nowhere/);
});

test('a failed clone leaves nothing behind', async ({ root }) => {
  const paths = localPaths(join(root, 'data'));
  const missing = refOf(join(root, 'missing'));
  let failed = false;
  await ensureMirror(paths, missing, false, signal).catch(() => {
    failed = true;
  });
  assert.ok(failed);
  const left = readdirSync(join(root, 'data'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    statSync(join(root, 'data', path)).isFile(),
  );
  assert.equal(left, []);
});

test('worktrees have their own .git and share no objects with the mirror', async ({ root, source }) => {
  const paths = localPaths(root);
  const one = await ensureCheckout(paths, refOf(source), 'one', signal);
  const two = await ensureCheckout(paths, refOf(source), 'two', signal);
  assert.is(one.branch, 'one');
  assert.is.not(one.path, two.path);
  assert.ok(statSync(join(one.path, '.git')).isDirectory());
  assert.throws(() => statSync(join(one.path, '.git/objects/info/alternates')));
});

test('a worktree with uncommitted, unpushed or stashed work is kept, a clean one removed', async ({ root, source }) => {
  const paths = localPaths(root);
  const { path } = await ensureCheckout(paths, refOf(source), 'work', signal);
  writeFileSync(join(path, 'new.txt'), 'x');
  assert.match(await removeIfClean(path, signal), /uncommitted/);
  git(path, 'add', '.');
  git(path, 'commit', '--quiet', '-m', 'work');
  assert.match(await removeIfClean(path, signal), /not pushed/);
  git(path, 'push', '--quiet', 'origin', 'work');
  git(path, 'fetch', '--quiet');
  writeFileSync(join(path, 'a.txt'), 'changed\n');
  git(path, 'stash');
  assert.match(await removeIfClean(path, signal), /stashed/);
  git(path, 'stash', 'drop');
  assert.is(await removeIfClean(path, signal), '');
  assert.throws(() => statSync(path));
});

test('RT-50: different checkouts never share a place', () => {
  const paths = localPaths('/data');
  const names = ['a/b', 'a-b', 'a+b', 'a b', 'a.b', 'ab', 'A-b', 'main', '-main', '@main', 'ä', 'ö'];
  const places = ['/src/one', '/src/two'].flatMap((source) =>
    ['org/web', 'org/api', 'other/web'].flatMap((repo) => [
      paths.main({ repo, source, branch: '' }),
      ...names.map((branch) => paths.main({ repo, source, branch })),
      ...names.map((name) => paths.worktree({ repo, source, branch: '' }, name)),
    ]),
  );
  assert.is(new Set(places).size, places.length);
});

test('names from outside stay inside the data folder', () => {
  const paths = localPaths('/data');
  for (const name of ['..', '../..', '/etc', 'a/../../b', '.git', '-x', '\u0000']) {
    const path = paths.worktree({ repo: `org/${name}`, source: 'x', branch: name }, name);
    assert.ok(path.startsWith('/data/worktrees/'), path);
    assert.not.match(path, /(^|\/)\.\.(\/|$)/);
  }
});

test('RT-50: a worktree is gone at once when it is removed; what a dying process left is swept up later, what was just begun is left alone', async ({
  root,
  source,
}) => {
  const paths = localPaths(root);
  const { path } = await ensureCheckout(paths, refOf(source), 'short-lived', signal);
  const parts = join(path, '..', '.parts');
  mkdirSync(join(parts, 'other-busy'));
  assert.ok(await failsToDelete(() => removeIfClean(path, signal)), 'the process dies before anything is deleted');
  assert.not.ok(readdirSync(join(path, '..')).includes('short-lived'));
  const left = readdirSync(parts).filter((name) => name !== 'other-busy');
  assert.is(left.length, 1);
  for (const name of left) utimesSync(join(parts, name), 0, 0);
  assert.is((await ensureCheckout(paths, refOf(source), 'short-lived', signal)).branch, 'short-lived');
  assert.equal(readdirSync(parts), ['other-busy']);
});

/** Whether the work fails where nothing can be deleted. */
async function failsToDelete(work: () => Promise<unknown>): Promise<boolean> {
  const { rm } = promises;
  const refuse: typeof rm = () => Promise.reject(new Error('not now'));
  const put = (how: typeof rm) => {
    Object.assign(promises, { rm: how });
    syncBuiltinESMExports();
  };
  put(refuse);
  return work()
    .then(
      () => false,
      () => true,
    )
    .finally(() => put(rm));
}

test.run();
