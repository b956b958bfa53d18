import * as assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import { createDemoRepo } from '../../src/dev/demoRepo.ts';

const run = promisify(execFile);
const test = suite('demo repository');

let folder = '';
test.before.each(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'csm-demo-'));
});
test.after.each(() => rm(folder, { recursive: true, force: true }));

async function git(...args: string[]): Promise<string> {
  const who = ['-c', 'user.name=Test', '-c', 'user.email=test@example.invalid'];
  return (await run('git', [...who, ...args], { env: { PATH: process.env.PATH ?? '', HOME: folder } })).stdout.trim();
}

test('the upstream can be cloned, pushed to, and holds what the agent looks for', async () => {
  const demo = await createDemoRepo({ path: path.join(folder, 'demo') });
  const clone = path.join(folder, 'clone');
  await git('clone', '--quiet', demo.upstream, clone);
  assert.equal(await git('-C', clone, 'branch', '--show-current'), demo.branch);
  const files = (await git('-C', clone, 'ls-files')).split('\n');
  assert.deepEqual(files, ['.claude/agents/reviewer.md', 'CLAUDE.md', 'README.md', 'greet.sh']);
  assert.equal((await run(path.join(clone, 'greet.sh'), ['you'])).stdout, 'Hello, you!\n');

  await writeFile(path.join(clone, 'new.txt'), 'new');
  await git('-C', clone, 'add', '--all');
  await git('-C', clone, 'commit', '--quiet', '--message', 'Add a file');
  await git('-C', clone, 'push', '--quiet', 'origin', 'main');
  assert.equal(await git('-C', demo.upstream, 'log', '-1', '--format=%s'), 'Add a file');
});

test('the checkout follows the upstream', async () => {
  const demo = await createDemoRepo({ path: path.join(folder, 'demo') });
  assert.equal(await git('-C', demo.path, 'remote', 'get-url', 'origin'), demo.upstream);
  assert.equal(await git('-C', demo.path, 'status', '--porcelain'), '');
});

test('a second call leaves work alone, and puts back what was removed', async () => {
  const demo = await createDemoRepo({ path: path.join(folder, 'demo') });
  await writeFile(path.join(demo.path, 'README.md'), 'mine');
  await createDemoRepo({ path: path.join(folder, 'demo') });
  assert.equal(await readFile(path.join(demo.path, 'README.md'), 'utf8'), 'mine');

  await rm(demo.path, { recursive: true });
  await createDemoRepo({ path: path.join(folder, 'demo') });
  assert.match(await readFile(path.join(demo.path, 'README.md'), 'utf8'), /^# Demo/);
  assert.deepEqual((await readdir(folder)).sort(), ['demo', 'demo.git'], 'no leftovers');
});

test("a person's own git settings do not reach it", async () => {
  await writeFile(path.join(folder, '.gitconfig'), '[commit]\n\tgpgsign = true\n[init]\n\tdefaultBranch = other\n');
  process.env.HOME = folder;
  const demo = await createDemoRepo({ path: path.join(folder, 'demo') });
  assert.equal(await git('-C', demo.upstream, 'symbolic-ref', '--short', 'HEAD'), 'main');
});

test.run();
