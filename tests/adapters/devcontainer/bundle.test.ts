// @limit 300
// Worker bundles brought to a VM over a real sshd.

import { randomBytes } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { installBundle, readBundles, type Shell } from '../../../src/adapters/devcontainer/index.ts';
import type { Vm } from '../../../src/adapters/ssh/index.ts';
import { connectTo, startSshd, type TestSshd } from '../../support/sshd.ts';

const VARIANT = 'linux-x64-glibc';
const PROGRAM = randomBytes(300_000);
const remoteFolders: string[] = [];

interface Context {
  sshd: TestSshd;
  vm: Vm;
  folder: string;
}

const bundles = suite<Context>('worker bundles');

bundles.before(async (context) => {
  context.sshd = await startSshd();
  context.vm = connectTo(context.sshd);
});
bundles.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'csm-bundle-'));
});
bundles.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));
bundles.after(async ({ vm, sshd }) => {
  await vm?.close();
  await sshd?.remove();
  for (const folder of remoteFolders) rmSync(folder, { recursive: true, force: true });
});

/** A small one, built like the real one. */
function make(local: string, version: string): void {
  const name = `versions/${VARIANT}@${version}`;
  mkdirSync(join(local, name, 'bin'), { recursive: true });
  writeFileSync(join(local, name, 'bin/agent-worker'), `#!/bin/sh\necho ${version}\n`, { mode: 0o755 });
  writeFileSync(join(local, name, 'bin/node'), PROGRAM);
  writeFileSync(join(local, name, 'bundle.json'), JSON.stringify({ variant: VARIANT, version }));
  rmSync(join(local, VARIANT), { force: true });
  symlinkSync(name, join(local, VARIANT));
}

/** The folder that the user of the test's sshd may write, and all that is in it. */
async function remoteFolder(vm: Vm): Promise<string> {
  const made = (await vm.run(['mktemp', '-d'], { timeoutMs: 10_000 })).stdout.trim();
  remoteFolders.push(made);
  return `${made}/mount`;
}

/** What of the VM is called how often. */
function counting(vm: Shell): Shell & { readonly written: string[] } {
  const written: string[] = [];
  return {
    written,
    exec: (command, options) => vm.exec(command, options),
    readFile: (path, maxBytes, signal) => vm.readFile(path, maxBytes, signal),
    writeFile: (path, content, mode, signal) => {
      written.push(path);
      return vm.writeFile(path, content, mode, signal);
    },
  };
}

bundles('a bundle is brought in pieces, whole, and only if the version differs', async ({ vm, folder }) => {
  const remote = await remoteFolder(vm);
  const shell = counting(vm);
  make(folder, '1.0.0+a');
  const first = await installBundle(shell, folder, remote, { chunkBytes: 64 * 1024 });
  assert.equal(first, [{ variant: VARIANT, version: '1.0.0+a', uploaded: true }]);
  assert.ok(shell.written.length > 3);
  assert.equal(readFileSync(join(remote, VARIANT, 'bin/node')), PROGRAM);
  assert.is(statSync(join(remote, VARIANT, 'bin/agent-worker')).mode & 0o777, 0o755);
  assert.equal(readdirSync(remote).sort(), [VARIANT, 'versions']);

  shell.written.length = 0;
  assert.equal(await installBundle(shell, folder, remote), [{ variant: VARIANT, version: '1.0.0+a', uploaded: false }]);
  assert.equal(shell.written, []);

  for (const version of ['1.0.0+b', '1.0.1+c', '1.0.2+d']) {
    make(folder, version);
    await installBundle(shell, folder, remote);
    assert.is(readlinkSync(join(remote, VARIANT)), `versions/${VARIANT}@${version}`);
  }
  const kept = ['1.0.0+b', '1.0.1+c', '1.0.2+d'].map((version) => `${VARIANT}@${version}`);
  assert.equal(readdirSync(join(remote, 'versions')).sort(), kept);
  assert.is((await vm.run([join(remote, VARIANT, 'bin/agent-worker')], { timeoutMs: 10_000 })).stdout, '1.0.2+d\n');
});

bundles('an upload that is cut leaves the old bundle in place and nothing else', async ({ vm, folder }) => {
  const remote = await remoteFolder(vm);
  make(folder, '1.0.0+a');
  await installBundle(vm, folder, remote);
  make(folder, '2.0.0+b');
  const giveUp = new AbortController();
  const cut = installBundle(vm, folder, remote, {
    chunkBytes: 64 * 1024,
    signal: giveUp.signal,
    onProgress: () => giveUp.abort(new Error('given up')),
  });
  await cut.then(
    () => assert.unreachable('it was cut'),
    () => undefined,
  );
  assert.equal(readdirSync(remote).sort(), [VARIANT, 'versions']);
  assert.equal(readdirSync(join(remote, 'versions')), [`${VARIANT}@1.0.0+a`]);

  const garbled: Shell = {
    ...vm,
    writeFile: (path, content, mode, signal) =>
      vm.writeFile(path, path.endsWith('2') ? randomBytes(content.length) : content, mode, signal),
  };
  await installBundle(garbled, folder, remote, { chunkBytes: 64 * 1024 }).then(
    () => assert.unreachable('it is not what was sent'),
    (error: Error) => assert.match(error.message, /not what was sent/),
  );
  assert.equal(readdirSync(remote).sort(), [VARIANT, 'versions']);
  assert.is(readlinkSync(join(remote, VARIANT)), `versions/${VARIANT}@1.0.0+a`);
});

bundles('several gateways at once bring one bundle', async ({ vm, folder }) => {
  const remote = await remoteFolder(vm);
  make(folder, '1.0.0+a');
  await Promise.all([1, 2, 3].map(() => installBundle(vm, folder, remote, { chunkBytes: 64 * 1024 })));
  assert.equal(readdirSync(remote).sort(), [VARIANT, 'versions']);
  assert.equal(readFileSync(join(remote, VARIANT, 'bin/node')), PROGRAM);
});

bundles('what is wrong is told with the next step', async ({ vm, folder }) => {
  const told = async (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'nothing is wrong',
      (error: { human: string }) => error.human,
    );
  assert.match(await told(readBundles(join(folder, 'nothing'))), /npm run worker:bundle/);
  make(folder, '1.0.0+a');
  assert.match(await told(installBundle(vm, folder, '/proc/csm-worker')), /SM_WORKER_MOUNT|could not be put/);
  writeFileSync(join(folder, VARIANT, 'bundle.json'), JSON.stringify({ variant: VARIANT, version: '../../x' }));
  assert.match(await told(readBundles(folder)), /no worker bundle/);
});

bundles.run();
