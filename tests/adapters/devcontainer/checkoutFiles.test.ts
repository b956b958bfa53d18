// What of a checkout is read on the VM, and that nothing else is.
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { failureOf } from '../../../src/actors/index.ts';
import { parseYaml, readInside } from '../../../src/adapters/devcontainer/checkoutFiles.ts';
import { findConfig, readDockerfiles, type Shell } from '../../../src/adapters/devcontainer/index.ts';
import { localShell } from './localShell.ts';

const test = suite<{ root: string; checkout: string; shell: Shell }>('files of a checkout');
test.before.each((context) => {
  context.root = mkdtempSync(join(tmpdir(), 'csm-files-'));
  context.checkout = join(context.root, 'checkout');
  mkdirSync(join(context.checkout, '.devcontainer'), { recursive: true });
  mkdirSync(join(context.root, 'secrets'));
  writeFileSync(join(context.root, 'secrets', 'devcontainer.json'), '{ "image": "secret" }');
  context.shell = localShell({ PATH: process.env.PATH ?? '' });
});
test.after.each(({ root }) => rmSync(root, { recursive: true, force: true }));

test('a file is read, one that is not there, not a file or not inside is none, and a large one is refused', async ({
  checkout,
  root,
  shell,
}) => {
  const file = join(checkout, 'it is a "file".yml');
  writeFileSync(file, 'text\n');
  assert.is(await readInside(shell, checkout, file), 'text\n');
  symlinkSync(file, join(checkout, 'inner'));
  assert.is(await readInside(shell, checkout, join(checkout, 'inner')), 'text\n');
  symlinkSync(join(root, 'secrets'), join(checkout, 'outer'));
  for (const name of ['none', '.devcontainer', 'outer/devcontainer.json', '../secrets/devcontainer.json']) {
    assert.is(await readInside(shell, checkout, join(checkout, name)), undefined, name);
  }
  writeFileSync(file, 'x'.repeat(1024 * 1024 + 1));
  const refusal = await readInside(shell, checkout, file).catch((error: unknown) => failureOf(error));
  assert.match(JSON.stringify(refusal), /larger than 1 MiB/);
});

test('a file that becomes a link between two looks is not followed', async ({ checkout, root, shell }) => {
  const folder = join(checkout, '.devcontainer');
  writeFileSync(join(folder, 'devcontainer.json'), '{ "image": "own" }');
  const swap = (): void => {
    renameSync(folder, join(root, `was-${Math.random()}`));
    symlinkSync(join(root, 'secrets'), folder);
  };
  const swapping: Shell = {
    ...shell,
    exec: async (command, options) => {
      const result = await shell.exec(command, options);
      swap();
      return result;
    },
  };
  assert.is(await readInside(swapping, checkout, join(folder, 'devcontainer.json')), '{ "image": "own" }');
  rmSync(folder);
  mkdirSync(folder);
  writeFileSync(join(folder, 'devcontainer.json'), '{ "image": "own" }');
  const found = await findConfig(swapping, { checkout, choice: '', fallback: {} }).catch((error: unknown) => error);
  assert.is(failureOf(found).code, 'DEVCONTAINER_OUTSIDE');
});

test('the Dockerfiles of compose services are read too, wherever their paths may begin', async ({
  checkout,
  shell,
}) => {
  mkdirSync(join(checkout, 'db'));
  writeFileSync(join(checkout, 'Dockerfile'), 'FROM own');
  writeFileSync(join(checkout, 'db', 'Db.Dockerfile'), 'FROM db');
  const services =
    '{app: {build: ..}, db: {build: {context: ../db, dockerfile: Db.Dockerfile}}, no: {build: {}}, x: null}';
  const compose = [
    { file: join(checkout, '.devcontainer/c.yml'), document: parseYaml(`services: ${services}`) },
    { file: join(checkout, 'other/d.yml'), document: undefined },
  ];
  const place = { checkout, configFile: join(checkout, '.devcontainer/devcontainer.json'), config: {}, compose };
  assert.equal(await readDockerfiles(shell, place), [
    { file: 'Dockerfile', text: 'FROM own' },
    { file: 'db/Db.Dockerfile', text: 'FROM db' },
  ]);
  const single = { ...place, config: { build: { dockerfile: '../Dockerfile' } }, compose: [] };
  assert.equal(await readDockerfiles(shell, single), [{ file: 'Dockerfile', text: 'FROM own' }]);
});

test.run();
