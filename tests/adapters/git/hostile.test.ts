// A repository that means harm runs nothing on the VM and writes nothing outside its checkout.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ensureCheckout, ensureMirror, markSeen, removeCheckout } from '../../../src/adapters/git/index.ts';
import { gitAt } from '../../support/gitServer.ts';
import { localShell } from '../../support/localShell.ts';
import { clear, type Ground, layGround, live, refusalOf, repoRef } from './support.ts';

const test = suite<Ground & { home: string }>('hostile repositories');
test.before.each((context) => {
  const ground = layGround();
  const home = join(ground.root, 'home');
  mkdirSync(home);
  Object.assign(context, ground, { home, options: { ...ground.options, shell: localShell({ HOME: home }) } });
});
test.after.each(clear);

const ask = { pull: false, signal: live };

function script(path: string, marker: string): string {
  writeFileSync(path, `#!/bin/sh\ntouch '${marker}'\ncat\n`);
  chmodSync(path, 0o755);
  return path;
}

/** Everything in a repository's configuration that makes git run something. */
function poison(gitDir: string, marker: string): void {
  const run = script(join(gitDir, 'run'), marker);
  const lines = [
    `[core]\n fsmonitor = ${run}\n hooksPath = ${join(gitDir, 'hooks')}\n sshCommand = ${run}\n editor = ${run}`,
    ` pager = ${run}\n askPass = ${run}\n gitProxy = ${run}\n alternateRefsCommand = ${run}\n worktree = ${gitDir}`,
    `[filter "evil"]\n smudge = ${run}\n clean = ${run}\n process = ${run}\n required = true`,
    `[diff]\n external = ${run}\n[diff "evil"]\n textconv = ${run}\n command = ${run}`,
    `[merge "evil"]\n driver = ${run}\n[credential]\n helper = !${run}\n[gpg]\n program = ${run}`,
    `[alias]\n status = !${run}\n fetch = !${run}\n[uploadpack]\n packObjectsHook = ${run}`,
    `[remote "origin"]\n uploadpack = ${run}\n vcs = ext\n[protocol]\n allow = always\n[interactive]\n diffFilter = ${run}`,
  ];
  writeFileSync(join(gitDir, 'config'), lines.join('\n'), { flag: 'a' });
  mkdirSync(join(gitDir, 'hooks'), { recursive: true });
  const hooks = ['post-checkout', 'post-merge', 'pre-auto-gc', 'reference-transaction', 'post-index-change', 'update'];
  for (const hook of [...hooks, 'fsmonitor-watchman', 'post-rewrite', 'pre-commit', 'proc-receive']) {
    script(join(gitDir, 'hooks', hook), marker);
  }
}

test('hooks and configuration at the forge stay there', async ({ options, source, marker }) => {
  poison(source.bare, marker);
  rmSync(join(source.bare, 'config'));
  writeFileSync(join(source.bare, 'config'), '[core]\n repositoryformatversion = 0\n bare = true\n');
  const { path } = await ensureCheckout(options, repoRef(), '', ask);
  assert.ok(existsSync(join(path, 'a.txt')));
  assert.not(existsSync(marker));
});

test('filters, drivers and hooks that a tree brings along run nothing', async ({ options, source, home, marker }) => {
  const evil = script(join(home, 'evil'), marker);
  writeFileSync(join(source.work, '.gitattributes'), '* filter=evil diff=evil merge=evil ident\n*.txt export-subst\n');
  writeFileSync(join(source.work, '.gitconfig'), `[filter "evil"]\n smudge = ${evil}\n`);
  for (const folder of ['hooks', '.githooks', '.husky']) {
    mkdirSync(join(source.work, folder));
    for (const hook of ['post-checkout', 'post-merge']) script(join(source.work, folder, hook), marker);
  }
  source.commit('with filters');
  source.push();
  // Planted where a careless user's configuration would have it.
  writeFileSync(join(home, '.gitconfig'), `[filter "evil"]\n smudge = ${evil}\n clean = ${evil}\n required = true\n`);
  const { path } = await ensureCheckout(options, repoRef(), '', ask);
  assert.is(readFileSync(join(path, 'a.txt'), 'utf8'), 'a\n');
  source.commit('once more');
  source.push();
  await ensureCheckout(options, repoRef(), '', { ...ask, pull: true });
  await removeCheckout(options, repoRef(), '', { runInside: refuse, signal: live });
  assert.not(existsSync(path));
  assert.not(existsSync(marker));
});

test('submodules are left alone, whatever their address', async ({ options, source, marker, root }) => {
  const urls = [`ext::sh -c touch% ${marker}`, `file://${root}`, '/etc', '../../../../etc', `ssh://x/y`];
  const text = urls.map((url, n) => `[submodule "s${n}"]\n path = s${n}\n url = ${url}\n update = checkout\n`).join('');
  writeFileSync(join(source.work, '.gitmodules'), text);
  source.git('add', '.gitmodules');
  const head = source.git('rev-parse', 'HEAD').trim();
  for (const n of urls.keys()) source.git('update-index', '--add', '--cacheinfo', `160000,${head},s${n}`);
  source.git('commit', '--quiet', '-m', 'submodules');
  source.push();
  const { path } = await ensureCheckout(options, repoRef(), '', ask);
  assert.ok(existsSync(join(path, '.gitmodules')));
  assert.not(existsSync(join(path, 's0/.git')));
  assert.not(existsSync(join(path, '.git/modules')));
  assert.not(existsSync(marker));
});

/** A commit whose tree git's own tools would not make. */
function commitTree(source: Ground['source'], entries: readonly string[]): void {
  const tree = source.git('hash-object', '-t', 'tree', '-w', '--literally', writeTree(source, entries)).trim();
  const commit = source.git('commit-tree', '-m', 'odd', tree).trim();
  source.git('update-ref', 'refs/heads/main', commit);
  // As a server that checks nothing.
  gitAt(source.bare, 'fetch', '--quiet', source.work, '+refs/heads/main:refs/heads/main');
}

/** @param entries `mode name sha` */
function writeTree(source: Ground['source'], entries: readonly string[]): string {
  const parts = entries.flatMap((entry) => {
    const [mode = '', name = '', sha = ''] = entry.split(' ');
    return [Buffer.from(`${mode} ${name}\0`), Buffer.from(sha, 'hex')];
  });
  const file = join(source.work, '.git', 'odd-tree');
  writeFileSync(file, Buffer.concat(parts));
  return file;
}

test('dangerous trees and option injection in .gitmodules are refused before they are checked out', async ({
  options,
  source,
  marker,
  repos,
}) => {
  const blob = (text: string): string => {
    writeFileSync(join(source.work, '.git', 'odd-blob'), text);
    return source.git('hash-object', '-w', '.git/odd-blob').trim();
  };
  const plain = blob('x');
  const modules = (lines: string): string => blob(`[submodule "x"]\n${lines}\n`);
  const subtree = source.git('rev-parse', 'main^{tree}').trim();
  const cases: readonly [string, readonly string[]][] = [
    ['.git as a folder', [`40000 .git ${subtree}`]],
    ['.GIT as a file', [`100644 .GIT ${plain}`]],
    ['.git with an invisible letter', [`100644 .g\u200cit ${plain}`]],
    ['git~1', [`100644 git~1 ${plain}`]],
    ['dots', [`40000 .. ${subtree}`]],
    ['a slash', [`100644 ../escaped ${plain}`]],
    ['.gitmodules as a link', [`120000 .gitmodules ${blob('/etc/passwd')}`]],
    ['an option as an address', [`100644 .gitmodules ${modules(` path = x\n url = --upload-pack=touch${marker}`)}`]],
    ['an option as a path', [`100644 .gitmodules ${modules(` path = --upload-pack=touch\n url = https://x/y`)}`]],
    [
      'a command as update',
      [`100644 .gitmodules ${modules(` path = x\n url = https://x/y\n update = !touch ${marker}`)}`],
    ],
  ];
  for (const [what, entries] of cases) {
    commitTree(source, entries);
    const refusal = await refusalOf(ensureCheckout(options, repoRef(), '', ask));
    assert.is(refusal.code, 'GIT_BROKEN', `${what}: ${refusal.message}`);
    assert.match(refusal.human, /broken or dangerous/);
    assert.not(existsSync(join(repos, 'local/acme/web')), what);
  }
  assert.not(existsSync(join(repos, 'escaped')));
  assert.not(existsSync(marker));
});

test('links in a tree are only links: nothing is written through them', async ({ options, source, root }) => {
  const outside = join(root, 'outside');
  mkdirSync(outside);
  symlinkSync(outside, join(source.work, 'out'));
  symlinkSync('.git', join(source.work, 'inner'));
  symlinkSync('/etc/passwd', join(source.work, 'passwd'));
  source.commit('links');
  source.push();
  const first = await ensureCheckout(options, repoRef(), '', ask);
  assert.ok(existsSync(join(first.path, 'out')));
  // Then the link becomes a folder with a file in it: a careless checkout would follow the old link.
  for (const link of ['out', 'inner']) {
    rmSync(join(source.work, link));
    mkdirSync(join(source.work, link));
    writeFileSync(join(source.work, link, 'config'), 'planted');
  }
  source.commit('folders');
  source.push();
  await ensureCheckout(options, repoRef(), '', { ...ask, pull: true });
  assert.is(readFileSync(join(first.path, 'out/config'), 'utf8'), 'planted');
  assert.not(existsSync(join(outside, 'config')));
  assert.not.match(readFileSync(join(first.path, '.git/config'), 'utf8'), /planted/);
  await removeCheckout(options, repoRef(), '', { runInside: refuse, signal: live });
  assert.ok(existsSync(outside) && existsSync('/etc/passwd'));
});

test('a tree poisoned from a container is never read by git on the VM again', async ({
  options,
  marker,
  worktrees,
}) => {
  const { path } = await ensureCheckout(options, repoRef(), 'mine', ask);
  await markSeen(options, repoRef(), 'mine', live);
  poison(join(path, '.git'), marker);
  writeFileSync(join(path, '.git/commondir'), join(path, 'planted'));
  mkdirSync(join(path, '.git/worktrees/x'), { recursive: true });
  writeFileSync(join(path, '.git/worktrees/x/gitdir'), '/etc');
  writeFileSync(join(path, '.git/worktrees/x/commondir'), path);
  writeFileSync(join(path, '.gitattributes'), '* filter=evil\n');
  writeFileSync(join(path, 'a.txt'), 'changed');
  assert.is((await ensureCheckout(options, repoRef(), 'mine', { ...ask, pull: true })).branch, 'mine');
  const asked: string[] = [];
  const { kept } = await removeCheckout(options, repoRef(), 'mine', {
    signal: live,
    runInside: async (_, args) => {
      asked.push(args[0] ?? '');
      return { code: 0, stdout: args[0] === 'status' ? ' M a.txt\n' : '0\n', stderr: '' };
    },
  });
  assert.match(kept, /uncommitted changes \(`a.txt`\)/);
  assert.equal(asked, ['status', 'rev-list', 'stash']);
  const clean = { signal: live, runInside: answers({ status: '', 'rev-list': '0\n', stash: '' }) };
  assert.is((await removeCheckout(options, repoRef(), 'mine', clean)).removed, true);
  assert.not(existsSync(join(worktrees, 'acme/web/mine')));
  assert.not(existsSync(marker));
});

test('a worktree is poisoned the moment it is there: git on the VM never reads it, whatever breaks meanwhile', async ({
  options,
  source,
  marker,
}) => {
  // Nobody came to say that a container sees it.
  const { path } = await ensureCheckout(options, repoRef(), 'mine', ask);
  const run = script(join(path, '.git', 'run'), marker);
  const lines = `[filter "evil"]\n smudge = ${run}\n clean = ${run}\n`;
  writeFileSync(join(path, '.git/config'), lines, { flag: 'a' });
  writeFileSync(join(path, '.gitattributes'), '* filter=evil\n');
  writeFileSync(join(path, 'a.txt'), 'changed');
  writeFileSync(join(source.work, 'b.txt'), 'b');
  source.commit('second');
  source.push();
  await ensureCheckout(options, repoRef(), 'mine', { ...ask, pull: true });
  const { kept } = await removeCheckout(options, repoRef(), 'mine', { runInside: refuse, signal: live });
  assert.match(kept, /not asked for/);
  assert.not(existsSync(marker));
});

test('the neighbours of a poisoned tree are safe: what is made beside it is made elsewhere', async ({
  options,
  worktrees,
  root,
}) => {
  await ensureCheckout(options, repoRef(), 'mine', ask);
  await markSeen(options, repoRef(), 'mine', live);
  // The container may write into the folder of all worktrees of its repository.
  const outside = join(root, 'outside');
  mkdirSync(outside);
  for (const name of ['next', 'next.new', '.csm', '.next']) symlinkSync(outside, join(worktrees, 'acme/web', name));
  assert.is((await refusalOf(ensureCheckout(options, repoRef(), 'next', ask))).code, 'GIT_IN_THE_WAY');
  await ensureCheckout(options, repoRef(), 'other', ask);
  assert.equal(readdirSync(outside), []);
});

test('thousands of refs and a very long one do no harm', async ({ options, source }) => {
  const head = gitAt(source.bare, 'rev-parse', 'main').trim();
  const lines = Array.from({ length: 5000 }, (_, n) => `${head} refs/heads/many/${n}-${'x'.repeat(100)}\n`).join('');
  writeFileSync(join(source.bare, 'packed-refs'), `# pack-refs with: peeled fully-peeled sorted \n${sorted(lines)}`);
  const { branch } = await ensureMirror(options, repoRef(), { refresh: false, signal: live });
  assert.is(branch, 'main');
  const refusal = await refusalOf(ensureMirror(options, repoRef('many'), { refresh: false, signal: live }));
  assert.is(refusal.code, 'GIT_BRANCH_MISSING');
  assert.ok(refusal.human.length < 2000);
});

function sorted(lines: string): string {
  return `${lines
    .trim()
    .split('\n')
    .sort((a, b) => (a.slice(41) < b.slice(41) ? -1 : 1))
    .join('\n')}\n`;
}

async function refuse(): Promise<never> {
  throw new Error('not asked for');
}

function answers(by: Readonly<Record<string, string>>) {
  return async (_: string, args: readonly string[]) => ({ code: 0, stdout: by[args[0] ?? ''] ?? '', stderr: '' });
}

test.run();
