// Mirrors: whole or not there, up to date, and with words for everything that can be wrong with a repository.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ensureMirror } from '../../../src/adapters/git/index.ts';
import { gitAt, makeRepository, startGitServer } from '../../support/gitServer.ts';
import { freePort } from '../../support/sshd.ts';
import { clear, type Ground, layGround, leftovers, live, refusalOf, repoRef } from './support.ts';

const test = suite<Ground>('mirrors');
test.before.each((context) => {
  Object.assign(context, layGround());
});
test.after.each(clear);

const ask = { refresh: false, signal: live };

test('a mirror is made once, names the default branch, and is brought up to date on demand', async ({
  options,
  source,
}) => {
  const { path, branch } = await ensureMirror(options, repoRef(), ask);
  assert.is(branch, 'main');
  const before = gitAt(path, 'rev-parse', 'main');
  writeFileSync(join(source.work, 'b.txt'), 'b');
  source.commit('second');
  source.git('branch', '-D', 'side');
  source.push();
  source.git('push', '--quiet', 'origin', ':side');
  await ensureMirror(options, repoRef(), ask);
  assert.is(gitAt(path, 'rev-parse', 'main'), before);
  await ensureMirror(options, repoRef(), { ...ask, refresh: true });
  assert.is(gitAt(path, 'rev-parse', 'main'), source.git('rev-parse', 'main'));
  assert.is(gitAt(path, 'branch', '--list', 'side'), '', 'what is gone there is gone here');
});

test('a branch that came later is found, and so is a new default branch', async ({ options, source }) => {
  await ensureMirror(options, repoRef(), ask);
  source.git('branch', 'feature/new');
  source.push();
  assert.is((await ensureMirror(options, repoRef('feature/new'), ask)).branch, 'feature/new');
  gitAt(source.bare, 'symbolic-ref', 'HEAD', 'refs/heads/feature/new');
  assert.is((await ensureMirror(options, repoRef(), { ...ask, refresh: true })).branch, 'feature/new');
});

test('a mirror does not fall to pieces: what many fetches have left is put together', async ({ options, source }) => {
  const { path } = await ensureMirror(options, repoRef(), ask);
  for (let index = 0; index < 25; index += 1) {
    writeFileSync(join(source.work, 'n.txt'), String(index));
    source.commit(`number ${index}`);
    source.push();
    await ensureMirror(options, repoRef(), { ...ask, refresh: true });
  }
  const packs = readdirSync(join(path, 'objects/pack')).filter((name) => name.endsWith('.pack'));
  assert.ok(packs.length < 20, `${packs.length} packs`);
  assert.is(gitAt(path, 'rev-parse', 'main'), source.git('rev-parse', 'main'));
  assert.match(gitAt(path, 'count-objects'), /^0 objects/);
});

test('a missing branch is named, with those that may have been meant', async ({ options, source }) => {
  for (const branch of ['feature/login', 'feature/logout', 'release-1.0']) source.git('branch', branch);
  source.push();
  const cases: readonly [string, RegExp][] = [
    ['Feature/Login', /no branch `Feature\/Login`\. Did you mean `feature\/login`/],
    ['login', /Did you mean `feature\/login`/],
    ['maim', /Did you mean `main`/],
    ['zzz', /It has 5 others\./],
  ];
  for (const [branch, words] of cases) {
    const refusal = await refusalOf(ensureMirror(options, repoRef(branch), ask));
    assert.is(refusal.code, 'GIT_BRANCH_MISSING');
    assert.match(refusal.human, words);
  }
});

test('an empty repository and one that is not there have their own words, and leave nothing behind', async ({
  options,
  root,
  repos,
}) => {
  makeRepository(join(root, 'forge'), 'acme/empty');
  assert.is((await refusalOf(ensureMirror(options, repoRef('', 'acme/empty'), ask))).code, 'GIT_EMPTY');
  const missing = await refusalOf(ensureMirror(options, repoRef('', 'acme/none'), ask));
  assert.is(missing.code, 'GIT_NOT_FOUND');
  assert.match(missing.human, /knows no public repository acme\/none/);
  assert.equal(leftovers(repos), []);
  assert.not(existsSync(join(repos, '.mirrors/local/acme/none.git')));
});

test('requests of others and odd refs of the forge are not taken', async ({ options, source }) => {
  for (let index = 0; index < 200; index += 1) gitAt(source.bare, 'update-ref', `refs/pull/${index}/head`, 'main');
  gitAt(source.bare, 'tag', 'v1', 'main');
  const { path } = await ensureMirror(options, repoRef(), ask);
  assert.equal(gitAt(path, 'for-each-ref', '--format=%(refname)').trim().split('\n').sort(), [
    'refs/heads/main',
    'refs/heads/side',
    'refs/tags/v1',
  ]);
});

test('ten that ask at once get one mirror', async ({ options, repos }) => {
  const mirrors = await Promise.all(Array.from({ length: 10 }, () => ensureMirror(options, repoRef(), ask)));
  assert.is(new Set(mirrors.map(({ path }) => path)).size, 1);
  assert.equal(leftovers(repos), []);
});

test('what a dead clone left is cleared away by the next one', async ({ options, repos }) => {
  const half = join(repos, '.mirrors/local/acme/web.new');
  mkdirSync(half, { recursive: true });
  writeFileSync(join(half, 'HEAD'), 'half');
  await ensureMirror(options, repoRef(), ask);
  assert.equal(leftovers(repos), []);
});

test('locks of a git that was killed do not stop the next fetch', async ({ options, source }) => {
  const { path } = await ensureMirror(options, repoRef(), ask);
  for (const name of ['packed-refs', 'HEAD', 'refs/heads/main', 'refs/heads/side']) {
    writeFileSync(join(path, `${name}.lock`), '');
  }
  writeFileSync(join(source.work, 'b.txt'), 'b');
  source.commit('second');
  source.push();
  source.git('push', '--quiet', 'origin', ':side');
  await ensureMirror(options, repoRef(), { ...ask, refresh: true });
  assert.is(gitAt(path, 'rev-parse', 'main'), source.git('rev-parse', 'main'));
  assert.is(gitAt(path, 'branch', '--list', 'side'), '');
});

test('a default branch whose name is an option, or no name for us, is refused', async ({ options, source }) => {
  for (const branch of ['-x', '--upload-pack=touch', 'y/-.lock.x/@', 'a\u00a0']) {
    gitAt(source.bare, 'update-ref', `refs/heads/${branch}`, 'main');
    gitAt(source.bare, 'symbolic-ref', 'HEAD', `refs/heads/${branch}`);
    const answer = await refusalOf(ensureMirror(options, repoRef(), { ...ask, refresh: true }));
    if (branch.startsWith('-')) assert.is(answer.code, 'GIT_NAME', branch);
    else assert.is(JSON.parse(answer.message).branch, branch, 'as it is, to the last letter');
  }
});

test('a clone that takes too long, or is given up, ends and leaves no half mirror', async ({
  root,
  repos,
  options,
}) => {
  const server = await startGitServer(join(root, 'forge'));
  server.answer = () => true;
  const slow = { ...options, baseUrl: server.url };
  const late = await refusalOf(ensureMirror({ ...slow, timeoutMs: 500 }, repoRef(), ask));
  assert.is(late.code, 'GIT_TIMEOUT');
  assert.match(late.human, /SM_GIT_TIMEOUT_SECS/);
  const controller = new AbortController();
  const given = refusalOf(ensureMirror(slow, repoRef(), { refresh: false, signal: controller.signal }));
  controller.abort(new Error('given up'));
  assert.is((await given).message, 'given up');
  assert.not(existsSync(join(repos, '.mirrors/127.0.0.1/acme/web.git')));
  server.answer = undefined;
  assert.is((await ensureMirror(slow, repoRef(), ask)).branch, 'main');
  assert.equal(leftovers(repos), []);
  await server.close();
});

test('progress is told while it is transferred', async ({ root, options, source }) => {
  writeFileSync(join(source.work, 'big'), Buffer.alloc(2_000_000, 'x'));
  source.commit('big');
  source.push();
  const server = await startGitServer(join(root, 'forge'));
  const lines: string[] = [];
  const onProgress = (line: string) => lines.push(line);
  await ensureMirror({ ...options, baseUrl: server.url }, repoRef(), {
    ...ask,
    onProgress: (line) => void onProgress(line),
  });
  assert.ok(
    lines.some((line) => /Receiving objects: +100%/.test(line)),
    lines.join('\n'),
  );
  await server.close();
});

test('what the forge answers is told apart: busy, forbidden, gone, unreachable', async ({ root, options }) => {
  const server = await startGitServer(join(root, 'forge'));
  const web = { ...options, baseUrl: server.url };
  const cases: readonly [number, string][] = [
    [503, 'GIT_NETWORK'],
    [429, 'GIT_NETWORK'],
    [403, 'GIT_NO_ACCESS'],
    [404, 'GIT_NOT_FOUND'],
  ];
  for (const [status, code] of cases) {
    server.answer = (_, response) => {
      response.writeHead(status).end();
      return true;
    };
    assert.is((await refusalOf(ensureMirror(web, repoRef(), ask))).code, code, String(status));
  }
  await server.close();
  const closed = { ...options, baseUrl: `http://127.0.0.1:${await freePort()}` };
  assert.is((await refusalOf(ensureMirror(closed, repoRef(), ask))).code, 'GIT_NETWORK');
  const unknown = { ...options, baseUrl: 'https://no-such-host.invalid' };
  assert.is((await refusalOf(ensureMirror(unknown, repoRef(), ask))).code, 'GIT_NETWORK');
});

test('git on the VM listens to nobody else: neither to the user nor to the mirror', async ({
  root,
  options,
  marker,
}) => {
  const home = join(root, 'home');
  mkdirSync(join(home, '.config/git'), { recursive: true });
  writeFileSync(
    join(home, '.gitconfig'),
    `[url "ext::touch ${marker} "]\n insteadOf = file://\n[core]\n hooksPath = ${home}\n`,
  );
  writeFileSync(join(home, 'reference-transaction'), `#!/bin/sh\ntouch ${marker}\n`, { mode: 0o755 });
  const { localShell } = await import('../../support/localShell.ts');
  const { path } = await ensureMirror({ ...options, shell: localShell({ HOME: home }) }, repoRef(), ask);
  writeFileSync(join(path, 'hooks-none'), '');
  assert.not.match(readFileSync(join(path, 'config'), 'utf8'), /remote|url/);
  assert.not(existsSync(marker));
});

test.run();
