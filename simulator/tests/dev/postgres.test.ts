// @limit 120
import * as assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, chown, lstat, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { suite } from 'uvu';
import { DevError } from '../../src/dev/errors.ts';
import { removeEmbeddedPostgres, startEmbeddedPostgres } from '../../src/dev/postgres.ts';
import { findPrograms, runProgram } from '../../src/dev/postgresPrograms.ts';
import { copyPrograms, firstWall } from '../../src/dev/postgresUser.ts';
import { isAlive } from '../../src/dev/postmasterPid.ts';

const test = suite('development database');
const isRoot = process.getuid?.() === 0;
const NOBODY = { uid: 65_534, gid: 65_534 };
const log = (): void => {};

let folder = '';
test.before.each(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'csm-postgres-'));
  await chmod(folder, 0o755);
});
test.after.each(async () => {
  await removeEmbeddedPostgres(path.join(folder, 'postgres'));
  await rm(folder, { recursive: true, force: true });
});

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows.flatMap((row) => Object.values(row));
  } finally {
    await client.end();
  }
}

async function until(what: string, done: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 20_000; Date.now() < end; await pause(20)) if (await done()) return;
  throw new Error(`not within 20 s: ${what}`);
}

test('what was committed is there after a stop and a start', async () => {
  const dataDir = path.join(folder, 'postgres');
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

test('only the loopback interface and only with the password', async () => {
  const { url, port } = await startEmbeddedPostgres({ dataDir: path.join(folder, 'postgres'), log });
  assert.deepEqual(await query(url, 'show listen_addresses'), ['127.0.0.1']);
  assert.deepEqual(await query(url, 'show unix_socket_directories'), ['']);
  assert.deepEqual(await query(url, 'show password_encryption'), ['scram-sha-256']);
  const without = `postgres://csm:wrong@127.0.0.1:${port}/csm`;
  await assert.rejects(query(without, 'select 1'), /password authentication failed/);
  const password = path.join(folder, 'postgres/cluster/csm.password');
  assert.equal((await stat(password)).mode & 0o777, 0o600);
  assert.ok(url.includes(await readFile(password, 'utf8')));
});

test('a server that runs already is used again, and a stop ends it', async () => {
  const dataDir = path.join(folder, 'postgres');
  const first = await startEmbeddedPostgres({ dataDir, log });
  const again = await startEmbeddedPostgres({ dataDir, log });
  assert.deepEqual([again.adopted, again.pid, again.url], [true, first.pid, first.url]);
  await again.stop();
  assert.equal(isAlive(first.pid), false);
});

test('two starts at once end with one server', async () => {
  const dataDir = path.join(folder, 'postgres');
  const [one, two] = await Promise.all([startInChild(dataDir), startInChild(dataDir)]);
  assert.equal(one.pid, two.pid);
  assert.deepEqual([one.adopted, two.adopted].sort(), [false, true]);
});

test('a killed server is recovered', async () => {
  const dataDir = path.join(folder, 'postgres');
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
  const dataDir = path.join(folder, 'postgres');
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
  const dataDir = path.join(folder, 'postgres');
  const child = await startInChild(dataDir);
  assert.equal(child.adopted, false);
  assert.deepEqual(await query(child.url ?? '', 'select 1'), [1]);
  assert.equal((await startEmbeddedPostgres({ dataDir, log })).pid, child.pid);
});

test('data of another version are refused with what to do', async () => {
  const dataDir = path.join(folder, 'postgres');
  await (await startEmbeddedPostgres({ dataDir, log })).stop();
  await writeFile(path.join(dataDir, 'cluster/PG_VERSION'), '15\n');
  await assert.rejects(startEmbeddedPostgres({ dataDir, log }), (error: unknown) => {
    assert.ok(error instanceof DevError);
    assert.equal(error.code, 'POSTGRES_OTHER_VERSION');
    assert.match(error.next, /^To begin with an empty database: mv '/);
    return true;
  });
});

test('a start that fails leaves nothing half-made behind', async () => {
  const dataDir = path.join(folder, 'postgres');
  await writeFile(dataDir, 'a file where the folder should be');
  await assert.rejects(startEmbeddedPostgres({ dataDir, log }), DevError);
  await rm(dataDir);
  await (await startEmbeddedPostgres({ dataDir, log })).stop();
  assert.deepEqual((await readdir(dataDir)).sort(), ['cluster', 'server.log']);
});

test('an ordinary user runs it directly', async () => {
  const dataDir = path.join(folder, 'postgres');
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
  const { pid } = await startEmbeddedPostgres({ dataDir: path.join(folder, 'postgres'), log });
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const uid = Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]);
  const groups = /^Groups:\s*(.*)$/m.exec(status)?.[1]?.trim().split(/\s+/) ?? [];
  if (isRoot) assert.notEqual(uid, 0);
  else assert.equal(uid, process.getuid?.());
  if (isRoot) assert.ok(!groups.includes('0'), 'not even a group of it');
});

test('behind a folder that only its owner may enter it still starts', async () => {
  const dataDir = path.join(folder, 'postgres');
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

interface Started {
  readonly url?: string;
  readonly pid?: number;
  readonly adopted?: boolean;
  readonly code?: string;
}

function startInChild(dataDir: string, as: { uid?: number; gid?: number } = {}): Promise<Started> {
  const script = fileURLToPath(new URL('./startPostgres.ts', import.meta.url));
  const env = { PATH: process.env.PATH ?? '', HOME: folder };
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      ['--import', import.meta.resolve('tsx'), script, dataDir],
      { ...as, env, timeout: 60_000 },
      (error, stdout, stderr) =>
        error ? reject(new Error(`${error.message}\n${stderr}`)) : resolve(JSON.parse(stdout)),
    );
  });
}

test.run();
