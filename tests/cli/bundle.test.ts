// What an operator types to bring the worker bundle to the VM, against a real sshd.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connectTo, startSshd, type TestSshd } from '../support/sshd.ts';
import { csm } from './csm.ts';

const VARIANT = 'linux-x64-glibc';

const test = suite<{ sshd: TestSshd; folder: string }>('csm bundle');
test.before(async (context) => {
  context.sshd = await startSshd();
  context.folder = mkdtempSync(join(tmpdir(), 'csm-bundle-'));
  const name = `versions/${VARIANT}@1.0.0+a`;
  mkdirSync(join(context.folder, name, 'bin'), { recursive: true });
  writeFileSync(join(context.folder, name, 'bin/agent-worker'), '#!/bin/sh\necho 1.0.0+a\n', { mode: 0o755 });
  writeFileSync(join(context.folder, name, 'bundle.json'), JSON.stringify({ variant: VARIANT, version: '1.0.0+a' }));
  symlinkSync(name, join(context.folder, VARIANT));
});
test.after(async ({ sshd, folder }) => {
  await sshd?.remove();
  rmSync(folder, { recursive: true, force: true });
});

async function bundle(sshd: TestSshd, folder: string, more: Readonly<Record<string, string>>) {
  const env = {
    SM_MATTERMOST_URL: 'http://127.0.0.1:1',
    SM_MATTERMOST_TOKEN: 'token',
    SM_MATTERMOST_TEAM_ID: 'a'.repeat(26),
    SM_CALLBACK_SECRET: '0123456789abcdef0123456789abcdef',
    SM_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
    SM_FIREWALL: 'none',
    SM_VM_HOST: '127.0.0.1',
    SM_VM_PORT: String(sshd.port),
    SM_VM_USER: sshd.user,
    SM_VM_SSH_KEY: sshd.key,
    SM_VM_HOST_KEY: sshd.fingerprint('ed25519'),
    ...more,
  };
  return csm(['bundle', folder], env);
}

test('brings it once, and says so', async ({ sshd, folder }) => {
  const vm = connectTo(sshd);
  const made = (await vm.run(['mktemp', '-d'], { timeoutMs: 30_000 })).stdout.trim();
  try {
    const mount = { SM_WORKER_MOUNT: `${made}/worker` };
    const first = await bundle(sshd, folder, mount);
    assert.is(first.code, 0, first.said);
    assert.match(first.said, /linux-x64-glibc 1\.0\.0\+a: brought to the VM/);
    const run = await vm.run([`${made}/worker/${VARIANT}/bin/agent-worker`], { timeoutMs: 30_000 });
    assert.is(run.stdout, '1.0.0+a\n');
    assert.match((await bundle(sshd, folder, mount)).said, /there already/);
  } finally {
    await vm.run(['rm', '-rf', made], { timeoutMs: 30_000 });
    await vm.close();
  }
});

test('says what is missing', async ({ sshd, folder }) => {
  const nowhere = await bundle(sshd, folder, {});
  assert.is(nowhere.code, 1);
  assert.match(nowhere.said, /SM_WORKER_MOUNT is not set/);
  const nothing = await bundle(sshd, join(folder, 'none'), { SM_WORKER_MOUNT: '/tmp/worker' });
  assert.is(nothing.code, 1);
  assert.match(nothing.said, /npm run worker:bundle/);
});

test.run();
