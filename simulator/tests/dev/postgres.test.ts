// @limit 420
import * as assert from 'node:assert/strict';
import { lstat, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { suite } from 'uvu';
import { DevError } from '../../src/dev/errors.ts';
import { startEmbeddedPostgres } from '../../src/dev/postgres.ts';
import { isAlive } from '../../src/dev/postmasterPid.ts';
import { log, query, startInChild, type TestFolder, testFolder } from './postgresSupport.ts';

const test = suite('development database');

let dataDir = '';
let made: TestFolder;
test.before.each(async () => {
  made = await testFolder();
  dataDir = made.dataDir;
});
test.after.each(() => made.remove());

async function until(what: string, done: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 20_000; Date.now() < end; await pause(20)) if (await done()) return;
  throw new Error(`not within 20 s: ${what}`);
}

test('what was committed is there after a stop and a start', async () => {
  const first = await startEmbeddedPostgres({ dataDir, log });
  assert.equal(first.adopted, false);
  await query(first.url, 'create table kept as select 42 as answer');
  await first.stop();
  assert.equal(isAlive(first.pid), false);

  const second = await startEmbeddedPostgres({ dataDir, log });
  assert.equal(second.adopted, false);
  assert.deepEqual(await query(second.url, 'select answer from kept'), [42]);
  await second.stop();
  await second.stop();
});

test('a server that runs already is used again, and a stop ends it', async () => {
  const first = await startEmbeddedPostgres({ dataDir, log });
  const again = await startEmbeddedPostgres({ dataDir, log });
  assert.deepEqual([again.adopted, again.pid, again.url], [true, first.pid, first.url]);
  await again.stop();
  assert.equal(isAlive(first.pid), false);
});

test('two starts at once end with one server', async () => {
  const [one, two] = await Promise.all([startInChild(dataDir), startInChild(dataDir)]);
  assert.equal(one.pid, two.pid);
  assert.deepEqual([one.adopted, two.adopted].sort(), [false, true]);
});

test('a killed server is recovered', async () => {
  const first = await startEmbeddedPostgres({ dataDir, log });
  await query(first.url, 'create table kept as select 1 as answer');
  process.kill(first.pid, 'SIGKILL');
  await until('the server is gone', () => !isAlive(first.pid));
  assert.ok(await lstat(path.join(dataDir, 'cluster/postmaster.pid')), 'the stale file is what this is about');

  const second = await startEmbeddedPostgres({ dataDir, log });
  assert.equal(second.adopted, false);
  assert.notEqual(second.pid, first.pid);
  assert.deepEqual(await query(second.url, 'select answer from kept'), [1]);
});

test('a process that was given the number of a killed server is not taken for it', async () => {
  const first = await startEmbeddedPostgres({ dataDir, log });
  const file = path.join(dataDir, 'cluster/postmaster.pid');
  const lines = (await readFile(file, 'utf8')).split('\n');
  await first.stop();
  await writeFile(file, [String(process.pid), ...lines.slice(1)].join('\n'));

  const second = await startEmbeddedPostgres({ dataDir, log });
  assert.equal(second.adopted, false);
  assert.notEqual(second.pid, process.pid);
});

test('it outlives the one who started it', async () => {
  const child = await startInChild(dataDir);
  assert.equal(child.adopted, false);
  assert.deepEqual(await query(child.url ?? '', 'select 1'), [1]);
  assert.equal((await startEmbeddedPostgres({ dataDir, log })).pid, child.pid);
});

test('data of another version are refused with what to do', async () => {
  await (await startEmbeddedPostgres({ dataDir, log })).stop();
  await writeFile(path.join(dataDir, 'cluster/PG_VERSION'), '15\n');
  await assert.rejects(startEmbeddedPostgres({ dataDir, log }), (error: unknown) => {
    assert.ok(error instanceof DevError);
    assert.equal(error.code, 'POSTGRES_OTHER_VERSION');
    assert.match(error.next, /^To begin with an empty database: mv '/);
    return true;
  });
});

test.run();
