// Who asked is credited in what the agent commits, and in nothing else. With real git in a folder of its own.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { creditAsker, creditOf } from '../../src/session/credit.ts';
import { MARK } from '../../src/session/environment.ts';

const run = promisify(execFile);
const ADDRESS = '{name}@chat.example.com';

interface Context {
  folder: string;
}

const test = suite<Context>('credit');
test.before.each(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'csm-credit-'));
  await git(context, ['init', '-q', '-b', 'main']);
});
test.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));

const PATH = process.env.PATH ?? '';

async function git({ folder }: Context, args: readonly string[], byAgent = true): Promise<string> {
  const who = {
    GIT_AUTHOR_NAME: 'Claude',
    GIT_AUTHOR_EMAIL: 'c@x',
    GIT_COMMITTER_NAME: 'C',
    GIT_COMMITTER_EMAIL: 'c@x',
  };
  const env = { PATH, HOME: folder, ...who, ...(byAgent ? { [MARK]: 'mark' } : {}) };
  return (await run('git', args, { cwd: folder, env })).stdout;
}

const asks = ({ folder }: Context, author: string): Promise<void> =>
  creditAsker({ cwd: folder, author, address: ADDRESS }, { runAs: undefined, path: PATH, home: folder });

async function committed(context: Context, message: string, byAgent = true): Promise<string> {
  await git(context, ['commit', '-q', '--allow-empty', '-m', message], byAgent);
  return (await git(context, ['log', '-1', '--format=%B'])).trim();
}

test('a commit names who asked last, after whatever trailers it has', async (context) => {
  await asks(context, 'alice');
  assert.is(await committed(context, 'One'), 'One\n\nCo-authored-by: alice <alice@chat.example.com>');
  await asks(context, 'bob.b');
  assert.is(
    await committed(context, 'Two\n\nFixes: 7'),
    'Two\n\nFixes: 7\nCo-authored-by: bob.b <bob.b@chat.example.com>',
  );
});

test('nobody is named twice, nor added when a commit is amended', async (context) => {
  await asks(context, 'alice');
  const named = 'One\n\nCo-authored-by: alice <alice@chat.example.com>';
  assert.is(await committed(context, named), named);
  await asks(context, 'bob');
  await git(context, ['commit', '-q', '--amend', '--allow-empty', '--no-edit']);
  assert.is((await git(context, ['log', '-1', '--format=%B'])).trim(), named);
});

test('what a person commits by hand in the checkout is left alone', async (context) => {
  await asks(context, 'alice');
  assert.is(await committed(context, 'By hand', false), 'By hand');
});

test("hooks of the repository's own stay as they are", async (context) => {
  const hook = join(context.folder, '.git/hooks/prepare-commit-msg');
  await git(context, ['config', 'core.hooksPath', '.hooks']);
  await asks(context, 'alice');
  assert.is(await committed(context, 'Elsewhere'), 'Elsewhere');
  await git(context, ['config', '--unset', 'core.hooksPath']);
  writeFileSync(hook, '#!/bin/sh\necho own >> "$1"\n', { mode: 0o755 });
  await asks(context, 'alice');
  assert.is(readFileSync(hook, 'utf8'), '#!/bin/sh\necho own >> "$1"\n');
});

test('the checkout stays clean, and a folder without a repository is no trouble', async (context) => {
  await asks(context, 'alice');
  assert.is(await git(context, ['status', '--porcelain']), '');
  const folder = mkdtempSync(join(tmpdir(), 'csm-credit-'));
  try {
    await asks({ folder }, 'alice');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('what is no name or no address credits nobody', () => {
  assert.is(creditOf({ author: 'alice', address: ADDRESS }), 'alice <alice@chat.example.com>');
  for (const author of ['', 'a b', 'x\nSigned-off-by: y', '<x>', '-c']) {
    assert.is(creditOf({ author, address: ADDRESS }), '', author);
  }
  for (const address of ['', 'no address', '{name}@a b']) assert.is(creditOf({ author: 'alice', address }), '');
});

test.run();
