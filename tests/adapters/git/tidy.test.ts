// Nothing that exists in one place only is ever removed.
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RetryableError } from '../../../src/actors/index.ts';
import { ensureCheckout, type RunInside, removeCheckout } from '../../../src/adapters/git/index.ts';
import { gitAt } from '../../support/gitServer.ts';
import { clear, type Ground, layGround, leftovers, live, notAsked, refusalOf, repoRef } from './support.ts';

const test = suite<Ground>('removing checkouts');
test.before.each((context) => {
  Object.assign(context, layGround());
});
test.after.each(clear);

const ask = { pull: false, signal: live };

/** As git in the container would answer; here it is the same machine. */
const inside: RunInside = async (path, args) => ({ code: 0, stdout: gitAt(path, ...args), stderr: '' });

for (const seen of [false, true]) {
  const how = seen ? 'seen by a container' : 'seen by none';
  // Containers see worktrees from the beginning.
  const [worktree, made] = seen ? ['work', 'work'] : ['', 'main'];
  const runInside = seen ? inside : notAsked;

  test(`uncommitted, unpushed and stashed work is kept and named; then it is removed (${how})`, async ({
    options,
    source,
    worktrees,
  }) => {
    const { path } = await ensureCheckout(options, repoRef(), worktree, ask);
    const remove = () => removeCheckout(options, repoRef(), worktree, { runInside, signal: live });
    for (let index = 0; index < 5; index += 1) writeFileSync(join(path, `new${index}.txt`), 'x');
    assert.match(
      (await remove()).kept,
      /uncommitted changes \(`new0.txt`, `new1.txt`, `new2.txt` and 2 more\), in `.*acme\/web(\/work)?` on the VM/,
    );
    gitAt(path, 'add', '.');
    gitAt(path, 'commit', '--quiet', '-m', 'work');
    assert.ok((await remove()).kept.includes(`1 commits that are not pushed (made on \`${made}\`)`));
    gitAt(path, 'push', '--quiet', 'origin', made);
    writeFileSync(join(path, 'a.txt'), 'changed\n');
    gitAt(path, 'stash');
    assert.match((await remove()).kept, /stashed changes \(1\)/);
    gitAt(path, 'stash', 'drop');
    gitAt(path, 'checkout', '--quiet', '--detach');
    gitAt(path, 'commit', '--quiet', '--allow-empty', '-m', 'on no branch');
    assert.match((await remove()).kept, /not pushed/);
    gitAt(path, 'checkout', '--quiet', made);
    assert.equal(await remove(), { removed: true, kept: '', path, leftover: '' });
    assert.not(existsSync(path));
    assert.equal(leftovers(worktrees), []);
    assert.ok(source.bare.length > 0);
  });
}

test('a tree a container has seen is not removed if the container cannot be asked', async ({ options }) => {
  const { path } = await ensureCheckout(options, repoRef(), 'work', ask);
  const gone: RunInside = async () => {
    throw new Error('no such container');
  };
  const odd: RunInside = async () => ({ code: 128, stdout: '', stderr: 'fatal: not a git repository' });
  for (const [runInside, words] of [
    [gone, /could not be looked at \(`no such container`\)/],
    [odd, /exit code 128: fatal: not a git repository`/],
    [said('`@all` '.repeat(1000)), /^it could not be looked at \(`git in it ended [^`]{0,200}`\)$/],
    [counts('`@all`'), /^it could not be looked at \(`git in it does not count`\)$/],
  ] as const) {
    const { removed, kept } = await removeCheckout(options, repoRef(), 'work', { runInside, signal: live });
    assert.is(removed, false);
    assert.match(kept, words);
  }
  assert.ok(existsSync(path));
});

test('while the VM cannot be reached nothing is said of the tree: it is looked at again later', async ({ options }) => {
  const { path } = await ensureCheckout(options, repoRef(), 'work', ask);
  const lost: RunInside = async () => {
    throw new RetryableError('SSH_CONNECTION_LOST', 'connection lost');
  };
  const late: RunInside = async () => {
    throw new RetryableError('SSH_TIMEOUT', 'not done within 60 s');
  };
  const remove = (runInside: RunInside) => removeCheckout(options, repoRef(), 'work', { runInside, signal: live });
  assert.is((await refusalOf(remove(lost))).code, 'SSH_CONNECTION_LOST');
  assert.match((await remove(late)).kept, /could not be looked at/);
  assert.ok(existsSync(path));
});

function said(stderr: string): RunInside {
  return async () => ({ code: 1, stdout: '', stderr });
}

function counts(stdout: string): RunInside {
  return async (_, args) => ({ code: 0, stdout: args[0] === 'rev-list' ? stdout : '', stderr: '' });
}

test('one that is gone already is no failure, and one made anew starts clean', async ({ options }) => {
  const remove = () => removeCheckout(options, repoRef(), 'work', { runInside: inside, signal: live });
  assert.is((await remove()).kept, '');
  await ensureCheckout(options, repoRef(), 'work', ask);
  assert.is((await remove()).removed, true);
  assert.is((await remove()).removed, false);
  await ensureCheckout(options, repoRef('side'), 'work', ask);
  assert.is((await remove()).removed, true, 'nothing of the note of the first one is left');
});

test('a link in its place is not followed', async ({ options, root, worktrees }) => {
  const precious = join(root, 'precious');
  mkdirSync(precious);
  writeFileSync(join(precious, 'file'), 'x');
  mkdirSync(join(worktrees, 'acme/web'), { recursive: true });
  symlinkSync(precious, join(worktrees, 'acme/web/work'));
  const refusal = await refusalOf(removeCheckout(options, repoRef(), 'work', { runInside: inside, signal: live }));
  assert.is(refusal.code, 'GIT_IN_THE_WAY');
  assert.ok(existsSync(join(precious, 'file')));
});

test.run();
