// Workers of a local workspace: real processes, and a gateway that dies while it starts one.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ensureWorker, findWorker, stopWorker, type WorkerSpec } from '../../../src/adapters/local/worker.ts';

const MODULE = new URL('../../../src/adapters/local/worker.ts', import.meta.url).href;
const PATIENCE_MS = 30_000;

/** Whoever runs must have been written down before. */
const RECORDED = '[ -s "$0/worker.json" ] || exit 3; exec "$@"';

/** Tells its port as soon as the file `go` is there. */
const PROGRAM = `
const { existsSync, writeFileSync } = require('node:fs');
const [, , folder, ...flags] = process.argv;
const port = flags[flags.indexOf('--port-file') + 1];
setInterval(() => { if (existsSync(folder + '/go')) writeFileSync(port, '7001\\n'); }, 10);`;

const test = suite<{ folder: string; spec: WorkerSpec }>('local worker');
const signal = new AbortController().signal;

test.before.each((context) => {
  const folder = mkdtempSync(join(tmpdir(), 'csm-local-worker-'));
  writeFileSync(join(folder, 'program.cjs'), PROGRAM);
  context.folder = folder;
  context.spec = {
    folder,
    command: ['/bin/sh', '-c', RECORDED, folder, process.execPath, join(folder, 'program.cjs'), folder],
    identity: 'container/acme/it\'s "mine"@main#1',
    tokenHash: 'hash',
    env: { PATH: process.env.PATH ?? '' },
    agentIdleSeconds: 60,
  };
});
test.after.each(async ({ folder }) => {
  await stopWorker(folder);
  rmSync(folder, { recursive: true, force: true });
});

const recordFile = (folder: string) => join(folder, 'worker.json');
const pidOf = (folder: string): number => JSON.parse(readFileSync(recordFile(folder), 'utf8')).pid;

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; !holds(); await sleep(5)) {
    if (Date.now() > end) throw new Error(`${what}: not in time`);
  }
}

/** Processes that run the worker's program. */
function workersOf(folder: string): number[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && commandOf(pid).includes(`${folder}/program.cjs`))
    .map(Number);
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** Another gateway that starts the worker. */
function gateway(spec: WorkerSpec): ChildProcess {
  const program = `const { ensureWorker } = await import(${JSON.stringify(MODULE)});
    await ensureWorker(${JSON.stringify(spec)}, new AbortController().signal);`;
  const args = ['--import', 'tsx', '--input-type=module', '--eval', program];
  return spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
}

test('a worker is started once and found by its identity', async ({ folder, spec }) => {
  writeFileSync(join(folder, 'go'), '');
  assert.is(await ensureWorker(spec, signal), '127.0.0.1:7001');
  const pid = pidOf(folder);
  assert.is(await ensureWorker(spec, signal), '127.0.0.1:7001');
  assert.is(pidOf(folder), pid);
  assert.is(await findWorker(folder, 'another'), undefined);
  assert.is(statSync(recordFile(folder)).mode & 0o777, 0o600);
});

test('a worker whose gateway died while starting it is not left beside the next one', async ({ folder, spec }) => {
  const dying = gateway(spec);
  await until('the worker is on its way', () => existsSync(recordFile(folder)));
  dying.kill('SIGKILL');
  await once(dying, 'exit');
  writeFileSync(join(folder, 'go'), '');
  assert.is(await ensureWorker(spec, signal), '127.0.0.1:7001');
  await until('one worker runs', () => workersOf(folder).length === 1);
  assert.equal(workersOf(folder), [pidOf(folder)]);
});

test('a program that is not there is told in the words of the machine', async ({ spec }) => {
  const nowhere = { ...spec, command: ['/nowhere/worker'] };
  const said = await ensureWorker(nowhere, signal).then(String, (error: Error) => error.message);
  assert.match(said, /did not start: .*\/nowhere\/worker.*not found/);
});

test.run();
