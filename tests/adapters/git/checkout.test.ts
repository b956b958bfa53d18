// Checkouts: own, whole, made once, where they belong, and untouched by git on the VM once a container has seen them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findCheckout } from '../../../src/adapters/git/checkout.ts';
import { ensureCheckout, ensureMirror, markSeen, removeCheckout } from '../../../src/adapters/git/index.ts';
import { checkoutPlace } from '../../../src/adapters/git/paths.ts';
import { gitAt } from '../../support/gitServer.ts';
import { hostileTexts } from '../../support/hostileText.ts';
import { clear, type Ground, layGround, leftovers, live, notAsked, refusalOf, repoRef } from './support.ts';

const test = suite<Ground>('checkouts');
test.before.each((context) => {
  Object.assign(context, layGround());
});
test.after.each(clear);

const ask = { pull: false, signal: live };

test('each has its place, its own .git and the real address, and nothing of the mirror', async ({
  options,
  repos,
  worktrees,
}) => {
  const main = await ensureCheckout(options, repoRef(), '', ask);
  const side = await ensureCheckout(options, repoRef('side'), '', ask);
  const tree = await ensureCheckout(options, repoRef('side'), 'mine', ask);
  assert.equal(main, { path: join(repos, 'local/acme/web'), branch: 'main', isNew: true });
  assert.equal(side, { path: join(repos, 'local/acme/web@side'), branch: 'side', isNew: true });
  assert.equal(tree, { path: join(worktrees, 'acme/web/mine'), branch: 'mine', isNew: true });
  for (const { path, branch } of [main, side, tree]) {
    assert.is(gitAt(path, 'symbolic-ref', '--short', 'HEAD').trim(), branch);
    assert.is(gitAt(path, 'remote', 'get-url', 'origin').trim(), `${options.baseUrl}/acme/web.git`);
    assert.not(existsSync(join(path, '.git/objects/info/alternates')));
    assert.is(gitAt(path, 'status', '--porcelain'), '');
    const config = readFileSync(join(path, '.git/config'), 'utf8');
    assert.not.match(config, /\.mirrors|hooksPath|helper/);
    for (const file of readdirSync(join(path, '.git/objects'), { recursive: true, encoding: 'utf8' })) {
      const { nlink } = statSync(join(path, '.git/objects', file));
      if (statSync(join(path, '.git/objects', file)).isFile()) assert.is(nlink, 1, file);
    }
  }
  assert.equal(leftovers(repos), []);
  assert.equal(leftovers(worktrees), []);
});

test('one that is there is given as it is, without asking the forge', async ({ options, source }) => {
  const first = await ensureCheckout(options, repoRef(), 'mine', ask);
  writeFileSync(join(first.path, 'a.txt'), 'changed');
  rmSync(source.bare, { recursive: true });
  const again = await ensureCheckout(options, repoRef(), 'mine', ask);
  assert.equal(again, { ...first, isNew: false });
  assert.is(readFileSync(join(first.path, 'a.txt'), 'utf8'), 'changed');
});

test('a new one starts from what the forge has now', async ({ options, source }) => {
  await ensureMirror(options, repoRef(), { refresh: false, signal: live });
  writeFileSync(join(source.work, 'new.txt'), 'n');
  source.commit('newer');
  source.push();
  const { path } = await ensureCheckout(options, repoRef(), '', ask);
  assert.ok(existsSync(join(path, 'new.txt')));
});

test('a worktree whose branch was pushed before goes on with it', async ({ options, source }) => {
  source.git('switch', '--quiet', '-c', 'mine');
  writeFileSync(join(source.work, 'mine.txt'), 'm');
  source.commit('mine');
  source.push();
  const { path, branch } = await ensureCheckout(options, repoRef(), 'mine', ask);
  assert.is(branch, 'mine');
  assert.ok(existsSync(join(path, 'mine.txt')));
});

test('a worktree of that name from another branch is not given away', async ({ options }) => {
  await ensureCheckout(options, repoRef(), 'mine', ask);
  assert.is((await ensureCheckout(options, repoRef('main'), 'mine', ask)).isNew, false);
  const refusal = await refusalOf(ensureCheckout(options, repoRef('side'), 'mine', ask));
  assert.is(refusal.code, 'GIT_WORKTREE_TAKEN');
  assert.match(refusal.human, /made from branch `main`. Choose another name/);
});

test('eight that ask for the same at once get one, eight different ones get eight', async ({
  options,
  repos,
  worktrees,
}) => {
  const same = await Promise.all(Array.from({ length: 8 }, () => ensureCheckout(options, repoRef(), 'one', ask)));
  assert.is(same.filter(({ isNew }) => isNew).length, 1);
  const many = await Promise.all(Array.from({ length: 8 }, (_, n) => ensureCheckout(options, repoRef(), `n${n}`, ask)));
  assert.is(new Set(many.map(({ path }) => path)).size, 8);
  assert.equal([...leftovers(repos), ...leftovers(worktrees)], []);
});

test('pulling forwards an unseen checkout, and never one with work of its own or one a container has seen', async ({
  options,
  source,
}) => {
  const pull = { pull: true, signal: live };
  const unseen = await ensureCheckout(options, repoRef(), '', ask);
  const diverged = await ensureCheckout(options, repoRef('side'), '', ask);
  const seen = await ensureCheckout(options, repoRef(), 'seen', ask);
  await markSeen(options, repoRef(), 'seen', live);
  gitAt(diverged.path, 'commit', '--quiet', '--allow-empty', '-m', 'own');
  const own = gitAt(diverged.path, 'rev-parse', 'HEAD');
  const before = gitAt(seen.path, 'rev-parse', 'HEAD');
  for (const branch of ['side', 'main']) {
    source.git('switch', '--quiet', branch);
    writeFileSync(join(source.work, 'later.txt'), branch);
    source.commit('later');
  }
  source.push();
  await ensureCheckout(options, repoRef(), '', pull);
  await ensureCheckout(options, repoRef('side'), '', pull);
  await ensureCheckout(options, repoRef(), 'seen', pull);
  assert.ok(existsSync(join(unseen.path, 'later.txt')));
  assert.is(gitAt(diverged.path, 'rev-parse', 'HEAD'), own);
  assert.is(gitAt(seen.path, 'rev-parse', 'HEAD'), before);
});

test('a tag of the same name and the locks of a git that was killed keep no branch from being pulled', async ({
  options,
  source,
}) => {
  source.git('tag', 'main');
  source.push();
  gitAt(source.bare, 'fetch', '--quiet', source.work, 'refs/tags/main:refs/tags/main');
  const { path, branch } = await ensureCheckout(options, repoRef(), '', ask);
  assert.is(branch, 'main');
  for (const name of ['index', 'HEAD', 'refs/heads/main']) writeFileSync(join(path, '.git', `${name}.lock`), '');
  writeFileSync(join(source.work, 'later.txt'), 'x');
  source.commit('later');
  gitAt(source.bare, 'fetch', '--quiet', source.work, '+refs/heads/main:refs/heads/main');
  await ensureCheckout(options, repoRef(), '', { ...ask, pull: true });
  assert.ok(existsSync(join(path, 'later.txt')));
});

test('one that is there is found while the mirror is being brought up to date', async ({ options, repos }) => {
  const first = await ensureCheckout(options, repoRef(), '', ask);
  const lock = join(repos, '.mirrors/local/acme/web.lock');
  const fetch = spawn('sh', ['-c', 'exec 9>>"$1"; flock 9; echo held; exec cat', 'sh', lock], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  await once(fetch.stdout, 'data');
  const found = await ensureCheckout({ ...options, timeoutMs: 20_000 }, repoRef(), '', ask).finally(() =>
    fetch.stdin.end(),
  );
  assert.equal(found, { ...first, isNew: false });
});

test('the name of one checkout is no mark of another', async ({ options, source }) => {
  const names = ['x', 'x.seen', 'x.new', 'x.note', 'x.lock.seen'];
  for (const name of names) source.git('branch', name);
  source.push();
  for (const name of names) await ensureCheckout(options, repoRef(name), '', ask);
  await markSeen(options, repoRef('x'), '', live);
  for (const name of names.slice(1)) {
    const { note } = await findCheckout(options, repoRef(name), '', live);
    assert.equal([note?.branch, note?.seen], [name, false], name);
    assert.is((await removeCheckout(options, repoRef(name), '', { runInside: notAsked, signal: live })).removed, true);
  }
  assert.is((await findCheckout(options, repoRef('x'), '', live)).note?.seen, true);
});

test('what stands in the way is not ours and is left alone, be it a folder, a file or a link', async ({
  options,
  repos,
  worktrees,
  root,
}) => {
  mkdirSync(join(repos, 'local/acme/web/.git'), { recursive: true });
  mkdirSync(join(worktrees, 'acme/web'), { recursive: true });
  symlinkSync(root, join(worktrees, 'acme/web/link'));
  symlinkSync('/nowhere', join(worktrees, 'acme/web/dangling'));
  writeFileSync(join(worktrees, 'acme/web/file'), 'x');
  for (const worktree of ['', 'link', 'dangling', 'file']) {
    const refusal = await refusalOf(ensureCheckout(options, repoRef(), worktree, ask));
    assert.is(refusal.code, 'GIT_IN_THE_WAY', worktree);
  }
});

test('RT-50: different names never share a place, and every place is below its root', () => {
  const folders = { reposPath: '/r', worktreesPath: '/w', baseUrl: 'https://github.com' };
  const seen = new Map<string, string>();
  const long = [150, 151].map((length) => 'x'.repeat(length));
  const branches = ['', 'a', 'a/b', 'a-b', 'a+b', 'a/b/c', 'a-b/c', 'ä', ...long, 'main', 'A', '../../../../up'];
  for (const org of ['a', 'a.b', 'A']) {
    for (const name of ['c', 'b.c', 'c.git']) {
      for (const branch of branches) {
        for (const worktree of branch === '' ? ['', 'x', 'main', 'a-b'] : ['']) {
          const { path, scratch, key } = checkoutPlace(folders, { org, name, branch }, worktree);
          const who = [org, name, branch, worktree].join(' ');
          assert.ok(/^\/(r|w)\/[A-Za-z0-9_.@+/-]+$/.test(path) && !path.split('/').includes('..'), path);
          assert.ok(path.split('/').every((part) => part.length <= 255) && key.length < 240);
          for (const place of [path, scratch]) {
            assert.is(seen.get(place), undefined, `${place}: ${who}`);
            seen.set(place, who);
          }
        }
      }
    }
  }
});

test('names that are not names reach neither git nor a path', async ({ options, repos, worktrees, marker }) => {
  const never = { ...options, shell: { exec: () => Promise.reject(new Error('it reached the shell')) } };
  const texts = hostileTexts(marker).filter((text) => !/^[A-Za-z0-9_][A-Za-z0-9_]*$/.test(text));
  assert.ok(texts.length > 500);
  let asBranch = 0;
  for (const text of texts) {
    for (const repo of [text, `acme/${text}`, `${text}/web`, `acme/web/${text}`]) {
      const refusal = await refusalOf(ensureCheckout(never, repoRef('', repo), '', ask));
      if (refusal.message !== 'it reached the shell') assert.is(refusal.code, 'GIT_NAME', repo);
      else assert.match(repo, /^[A-Za-z0-9_][\w.-]*\/[A-Za-z0-9_][\w.-]*$/);
    }
    const worktree = await refusalOf(ensureCheckout(never, repoRef(), text, ask));
    if (text !== '' && worktree.message === 'it reached the shell') assert.match(text, /^[A-Za-z0-9_][\w.-]*$/);
    const branch = await refusalOf(ensureCheckout(never, repoRef(text), '', ask));
    if (text !== '' && branch.message === 'it reached the shell') {
      asBranch += 1;
      // git takes it for a branch: then the whole way must be safe.
      gitAt('/', 'check-ref-format', '--branch', text);
      if (asBranch % 10 === 0) {
        const refusal = await refusalOf(ensureCheckout(options, repoRef(text), '', ask));
        assert.is(refusal.code, 'GIT_BRANCH_MISSING', text);
      }
    }
  }
  assert.ok(asBranch > 20, String(asBranch));
  assert.not(existsSync(marker));
  assert.equal([...leftovers(repos), ...leftovers(worktrees)], []);
});

test('branches with odd but lawful names are checked out', async ({ options, source }) => {
  const odd = ["it's", 'a/b/c', 'x$(id)', 'ü🚀', 'semi;colon', '#1', '%s', '!x', 'a&b|c', '"q"', '`id`', '{a,b}'];
  for (const branch of odd) source.git('branch', branch);
  source.push();
  for (const branch of odd) {
    const { path } = await ensureCheckout(options, repoRef(branch), '', ask);
    assert.is(gitAt(path, 'symbolic-ref', '--short', 'HEAD').trim(), branch);
  }
});

test.run();
