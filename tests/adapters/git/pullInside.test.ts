// A checkout that a container has seen is brought up to date by the container's git, from what the mirror has.
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ensureCheckout, ensureMirror, INSIDE, markSeen, pullInside } from '../../../src/adapters/git/index.ts';
import { gitAt } from '../../support/gitServer.ts';
import { clear, type Ground, layGround, live, refusalOf, repoRef } from './support.ts';

interface World extends Ground {
  /** The checkout. */
  path: string;
  pull(inside?: readonly string[]): ReturnType<typeof pullInside>;
}

const test = suite<World>('pulling inside');
test.before.each(async (context) => {
  Object.assign(context, layGround());
  const { options } = context;
  const { path } = await ensureCheckout(options, repoRef(), '', { pull: false, signal: live });
  await markSeen(options, repoRef(), '', live);
  gitAt(path, 'config', 'user.name', 'Agent');
  gitAt(path, 'config', 'user.email', 'agent@example.invalid');
  context.path = path;
  // This machine in the place of the container: what counts is that the words before git are the caller's.
  context.pull = (inside = ['env', '-C', path]) =>
    pullInside(options, { repo: repoRef(), branch: 'main', inside }, live);
});
test.after.each(clear);

async function push({ source, options }: Ground, file: string, text: string): Promise<void> {
  writeFileSync(join(source.work, file), text);
  source.commit(`${file} ${text}`);
  source.push();
  await ensureMirror(options, repoRef(), { refresh: true, signal: live });
}

test('what was pushed arrives, and uncommitted work beside it stays', async (world) => {
  const { path, pull } = world;
  assert.is(await pull(), 'current');
  writeFileSync(join(path, 'made by postCreate'), 'x');
  await push(world, 'b.txt', 'b');
  assert.is(await pull(), 'updated');
  assert.is(readFileSync(join(path, 'b.txt'), 'utf8'), 'b');
  assert.is(readFileSync(join(path, 'made by postCreate'), 'utf8'), 'x');
  // Whoever the agent is can go on with it.
  assert.is(statSync(join(path, 'b.txt')).mode & 0o777, 0o666);
  assert.is(await pull(), 'current');
  await push(world, 'c.txt', 'c');
  assert.is(await pull(), 'updated');
  assert.is(gitAt(path, 'rev-list', '--count', 'HEAD').trim(), '3');
  assert.is(gitAt(path, 'status', '--porcelain', '--branch').trim(), '## main...origin/main\n?? "made by postCreate"');
});

test('work is never touched: other branches, commits of its own, changes in the way', async (world) => {
  const { path, pull } = world;
  writeFileSync(join(path, 'a.txt'), 'of the agent');
  await push(world, 'a.txt', 'of a person');
  assert.is(await pull(), 'changed');
  assert.is(readFileSync(join(path, 'a.txt'), 'utf8'), 'of the agent');
  gitAt(path, 'commit', '--quiet', '--all', '--message', 'own');
  const own = gitAt(path, 'rev-parse', 'HEAD');
  assert.is(await pull(), 'apart');
  gitAt(path, 'switch', '--quiet', '--create', 'elsewhere');
  await push(world, 'd.txt', 'd');
  assert.is(await pull(), 'elsewhere');
  assert.is(gitAt(path, 'rev-parse', 'main'), own);
});

test('files that git ignores and that were pushed since are in the way, too', async (world) => {
  const { path, pull } = world;
  mkdirSync(join(path, '.git', 'info'), { recursive: true });
  writeFileSync(join(path, '.git', 'info', 'exclude'), 'secret.env\n');
  writeFileSync(join(path, 'secret.env'), 'mine');
  await push(world, 'secret.env', 'theirs');
  assert.is(await pull(), 'changed');
  assert.is(readFileSync(join(path, 'secret.env'), 'utf8'), 'mine');
});

test('nothing is put aside and merged, whatever the user of the container likes', async (world) => {
  const { path, pull } = world;
  gitAt(path, 'config', 'merge.autoStash', 'true');
  const settings = INSIDE.flatMap(([key, value], at) => [
    `GIT_CONFIG_KEY_${at}=${key}`,
    `GIT_CONFIG_VALUE_${at}=${value}`,
  ]);
  writeFileSync(join(path, 'a.txt'), 'of the agent');
  await push(world, 'a.txt', 'of a person');
  assert.is(await pull(['env', '-C', path, `GIT_CONFIG_COUNT=${INSIDE.length}`, ...settings]), 'changed');
  assert.is(readFileSync(join(path, 'a.txt'), 'utf8'), 'of the agent');
  assert.is(gitAt(path, 'stash', 'list'), '');
});

test('git that takes too long in the container is ended there', async (world) => {
  const { path, pull, root } = world;
  await push(world, 'b.txt', 'b');
  const bin = join(root, 'hasty');
  mkdirSync(bin);
  for (const code of [124, 143]) {
    const program = `#!/bin/sh\ncase "$*" in *" merge "*) exit ${code} ;; esac\nshift\nexec "$@"\n`;
    writeFileSync(join(bin, 'timeout'), program, { mode: 0o755 });
    assert.is(await pull(['env', '-C', path, `PATH=${bin}:${process.env.PATH}`]), 'late');
  }
  assert.not(existsSync(join(path, 'b.txt')));
  assert.is(await pull(), 'updated');
});

test('while git works in the container, others have the mirror', async (world) => {
  const { path, pull, options, root } = world;
  await push(world, 'b.txt', 'b');
  const lock = join(options.reposPath, '.mirrors/local/acme/web.lock');
  const bin = join(root, 'curious');
  mkdirSync(bin);
  // Says with `flock` whether anybody holds it while the merge runs.
  const program = `#!/bin/sh\ncase "$*" in *" merge "*) flock -n -x "${lock}" true && touch "${bin}/free" ;; esac\nshift\nexec "$@"\n`;
  writeFileSync(join(bin, 'timeout'), program, { mode: 0o755 });
  assert.is(await pull(['env', '-C', path, `PATH=${bin}:${process.env.PATH}`]), 'updated');
  assert.ok(existsSync(join(bin, 'free')));
});

test('a mirror that cannot be packed, and a checkout that cannot be read, are no answers', async (world) => {
  const { path, pull, options } = world;
  await push(world, 'b.txt', 'b');
  const mirror = join(options.reposPath, '.mirrors/local/acme/web.git');
  const tip = gitAt(mirror, 'rev-parse', 'refs/heads/main^{tree}').trim();
  const object = join(mirror, 'objects', tip.slice(0, 2), tip.slice(2));
  if (existsSync(object)) rmSync(object);
  else rmSync(join(mirror, 'objects/pack'), { recursive: true });
  assert.match((await refusalOf(pull())).code, /^GIT_/);
  assert.not(existsSync(join(path, 'b.txt')));
});

test('a checkout without a commit is not said to have commits of its own', async (world) => {
  const { path, pull } = world;
  await push(world, 'b.txt', 'b');
  gitAt(path, 'update-ref', '-d', 'refs/heads/main');
  assert.match((await refusalOf(pull())).code, /^GIT_/);
});

test('commits on top of what was pushed are no reason to complain', async (world) => {
  const { path, pull } = world;
  await push(world, 'b.txt', 'b');
  assert.is(await pull(), 'updated');
  writeFileSync(join(path, 'own.txt'), 'own');
  gitAt(path, 'add', '.');
  gitAt(path, 'commit', '--quiet', '--message', 'own');
  assert.is(await pull(), 'current');
});

test('what the agent has fetched by itself is merged without being sent', async (world) => {
  const { path, pull, source } = world;
  await push(world, 'b.txt', 'b');
  gitAt(path, 'fetch', '--quiet', source.bare, '+refs/heads/main:refs/remotes/origin/main');
  assert.is(await pull(), 'updated');
  assert.ok(existsSync(join(path, 'b.txt')));
});

test('a container that lies, hangs up or has no git leads to nothing but its own loss', async (world) => {
  const { options, marker, path, pull, root } = world;
  await push(world, 'b.txt', 'b');
  const bin = join(root, 'bin');
  mkdirSync(bin);
  const liar = (says: string): readonly string[] => {
    writeFileSync(join(bin, 'liar'), `#!/bin/sh\ncat >/dev/null\n${says}\n`);
    chmodSync(join(bin, 'liar'), 0o755);
    return [join(bin, 'liar')];
  };
  const mirror = join(options.reposPath, '.mirrors/local/acme/web.git');
  const before = gitAt(mirror, 'for-each-ref');
  for (const says of [
    'echo "--output=/tmp/x --all"',
    `echo '$(touch ${marker})'; echo ';touch ${marker}'`,
    'head -c 100000 /dev/zero | tr "\\0" a',
    'echo 0000000000000000000000000000000000000000; echo 1111111111111111111111111111111111111111',
  ]) {
    assert.is((await refusalOf(pull(liar(says)))).code, 'GIT_INSIDE');
    assert.not(existsSync(marker), says);
  }
  assert.is((await refusalOf(pull(liar('exit 127')))).code, 'GIT_FAILED');
  assert.match(
    (await refusalOf(pull(['env', '-C', path, 'PATH=/nowhere', '/bin/sh', '-c', 'exec /bin/sh "$@"']))).code,
    /GIT_/,
  );
  assert.is(gitAt(mirror, 'for-each-ref'), before);
  assert.is(await pull(), 'updated');
});

test.run();
