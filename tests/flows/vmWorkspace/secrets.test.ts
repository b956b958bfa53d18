// Keys for agents: from the gateway's environment or a private file on the VM, and never silently missing.
import { chmodSync, chownSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { failureOf } from '../../../src/actors/index.ts';
import { parseSecrets, readSecrets, untilDone } from '../../../src/flows/vmWorkspace/secrets.ts';
import { localShell } from '../../adapters/devcontainer/localShell.ts';

const test = suite<{ folder: string; file: string }>('secrets of agents');
const shell = localShell({ PATH: process.env.PATH ?? '' });
const NAMES = ['ANTHROPIC_API_KEY', 'ANTHROPIC_BASE_URL'];
const live = new AbortController().signal;

test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'csm-secrets-'));
  context.file = join(context.folder, 'secrets');
});
test.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));

function read(file: string | null, env: Record<string, string> = {}, names = NAMES) {
  return readSecrets(shell, { env, file, names }, live);
}

async function refusal(promise: Promise<unknown>) {
  return failureOf(
    await promise.then(
      () => new Error('not refused'),
      (error: unknown) => error,
    ),
  );
}

test('the environment comes first, the file fills in', async ({ file }) => {
  writeFileSync(file, '# keys\nANTHROPIC_API_KEY=of-the-file\nexport GH_TOKEN="of the file"\n\n', { mode: 0o600 });
  assert.equal(await read(file), { ANTHROPIC_API_KEY: 'of-the-file', GH_TOKEN: 'of the file' });
  assert.equal(await read(file, { ANTHROPIC_API_KEY: 'of-the-gateway', OTHER: 'x' }), {
    ANTHROPIC_API_KEY: 'of-the-gateway',
    GH_TOKEN: 'of the file',
  });
});

test('without any key for a model nothing starts, and the words say what to set', async ({ file }) => {
  const error = await refusal(read(null, { GH_TOKEN: 'x' }));
  assert.is(error.code, 'SECRET_MISSING');
  assert.match(error.human, /`ANTHROPIC_API_KEY` is missing.*SM_VM_SECRETS_FILE/);
  writeFileSync(file, 'CLAUDE_CODE_OAUTH_TOKEN=token\n', { mode: 0o600 });
  assert.equal(await read(file), { CLAUDE_CODE_OAUTH_TOKEN: 'token' }, 'any one key is enough');
});

test('a name of SM_AGENT_ENV that is set nowhere is told by its name', async () => {
  const error = await refusal(read(null, { ANTHROPIC_API_KEY: 'k' }, [...NAMES, 'NPM_TOKEN']));
  assert.match(error.human, /`NPM_TOKEN` is missing/);
});

test('a file that others can read, of somebody else, or no file is refused with the way to mend it', async ({
  file,
  folder,
}) => {
  assert.match((await refusal(read(file))).human, /no file/);
  writeFileSync(file, 'ANTHROPIC_API_KEY=k\n');
  for (const mode of [0o644, 0o640, 0o604, 0o620, 0o601]) {
    chmodSync(file, mode);
    assert.match((await refusal(read(file))).human, /chmod 600/, mode.toString(8));
  }
  chmodSync(file, 0o600);
  assert.ok((await read(file)).ANTHROPIC_API_KEY);
  const link = join(folder, 'link');
  symlinkSync(file, link);
  assert.ok((await read(link)).ANTHROPIC_API_KEY, 'what a link leads to counts');
  assert.match((await refusal(read(folder))).human, /not a small file/);
  if (process.getuid?.() === 0) {
    chownSync(file, 12_345, 12_345);
    assert.match((await refusal(read(file))).human, /belongs to another user/);
  }
});

test('a line that is none is told by its number, without its content', () => {
  let error: unknown;
  try {
    parseSecrets('A=1\nsk-ant-secret-without-a-name\n', '/f');
  } catch (cause) {
    error = cause;
  }
  assert.match(failureOf(error).human, /^Line 2 /);
  assert.not.match(JSON.stringify(failureOf(error)), /sk-ant/);
});

test('what could not be learnt at first is learnt later, and then not asked for again', async () => {
  let asked = 0;
  const failures: unknown[] = [];
  const learn = untilDone(
    async () => {
      asked += 1;
      if (asked < 3) throw new Error('the VM is away');
    },
    (error) => failures.push(error),
  );
  for (let times = 0; times < 5; times += 1) await learn();
  assert.equal([asked, failures.length], [3, 2]);
});

test.run();
