// @limit 420
import * as assert from 'node:assert/strict';
import { chmod, chown, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import { DevError } from '../../src/dev/errors.ts';
import { removeEmbeddedPostgres, startEmbeddedPostgres } from '../../src/dev/postgres.ts';
import { findPrograms, runProgram } from '../../src/dev/postgresPrograms.ts';
import { copyPrograms, firstWall } from '../../src/dev/postgresUser.ts';
import { isRoot, log, NOBODY, query, startInChild, type TestFolder, testFolder } from './postgresSupport.ts';

const test = suite('development database and its user');

let folder = '';
let dataDir = '';
let made: TestFolder;
test.before.each(async () => {
  made = await testFolder();
  ({ folder, dataDir } = made);
});
test.after.each(() => made.remove());

test('only the loopback interface and only with the password', async () => {
  const { url, port } = await startEmbeddedPostgres({ dataDir, log });
  assert.deepEqual(await query(url, 'show listen_addresses'), ['127.0.0.1']);
  assert.deepEqual(await query(url, 'show unix_socket_directories'), ['']);
  assert.deepEqual(await query(url, 'show password_encryption'), ['scram-sha-256']);
  const without = `postgres://csm:wrong@127.0.0.1:${port}/csm`;
  await assert.rejects(query(without, 'select 1'), /password authentication failed/);
  const password = path.join(dataDir, 'cluster/csm.password');
  assert.equal((await stat(password)).mode & 0o777, 0o600);
  assert.ok(url.includes(await readFile(password, 'utf8')));
});

test('a start that fails leaves nothing half-made behind', async () => {
  await writeFile(dataDir, 'a file where the folder should be');
  await assert.rejects(startEmbeddedPostgres({ dataDir, log }), DevError);
  await rm(dataDir);
  await (await startEmbeddedPostgres({ dataDir, log })).stop();
  assert.deepEqual((await readdir(dataDir)).sort(), ['cluster', 'server.log']);
});

test('an ordinary user runs it directly', async () => {
  if (isRoot) {
    const wall = await firstWall(fileURLToPath(import.meta.url), { ...NOBODY, name: 'nobody' });
    assert.equal(wall, undefined, 'this test needs a checkout that other users can read');
    await chown(folder, NOBODY.uid, NOBODY.gid);
  }
  const child = await startInChild(dataDir, isRoot ? NOBODY : {});
  assert.equal(child.code, undefined);
  assert.equal((await stat(path.join(dataDir, 'cluster'))).uid, isRoot ? NOBODY.uid : process.getuid?.());
  assert.deepEqual(await query(child.url ?? '', 'select 1'), [1]);
});

test('started by root, nothing of it runs as root', async () => {
  const { pid } = await startEmbeddedPostgres({ dataDir, log });
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const uid = Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]);
  const groups = /^Groups:\s*(.*)$/m.exec(status)?.[1]?.trim().split(/\s+/) ?? [];
  if (isRoot) assert.notEqual(uid, 0);
  else assert.equal(uid, process.getuid?.());
  if (isRoot) assert.ok(!groups.includes('0'), 'not even a group of it');
});

test('behind a folder that only its owner may enter it still starts', async () => {
  await chmod(folder, 0o700);
  const told: string[] = [];
  const { url, dataDir: real } = await startEmbeddedPostgres({ dataDir, log: (line) => told.push(line) });
  assert.deepEqual(await query(url, 'select 1'), [1]);
  if (isRoot) {
    assert.notEqual(real, dataDir);
    assert.ok(told.some((line) => line.startsWith('Only root may enter') && line.includes(real)));
    await removeEmbeddedPostgres(dataDir);
    await assert.rejects(stat(real), /ENOENT/);
  } else {
    assert.equal(real, dataDir);
  }
});

test('programs that the other user cannot reach are copied to where he can run them', async () => {
  const other = isRoot ? { ...NOBODY, name: 'nobody' } : undefined;
  const { postgres } = await findPrograms(other, folder);
  const copy = await copyPrograms(path.dirname(path.dirname(postgres)), 'test', folder);
  assert.equal(await copyPrograms('/nowhere', 'test', folder), copy, 'made once');
  assert.equal(await firstWall(copy, other), undefined);
  const { code, output } = await runProgram(path.join(copy, 'bin/postgres'), ['--version'], other);
  assert.equal(code, 0);
  assert.match(output, /^postgres \(PostgreSQL\) 18/);
});

test.run();
