// @limit 120
// Two workers never share a state directory.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { lockState, StateTaken } from '../../src/worker/stateLock.ts';
import { makePlace, startWorkerProcess } from '../support/workerProcess.ts';

const locks = suite<{ folder: string }>('the lock on the state');

locks.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'state-lock-'));
});
locks.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));

const HOLD = fileURLToPath(new URL('../support/holdState.ts', import.meta.url));
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

/** A process that takes the lock when `go` appears, says how that went, and keeps it. */
function holder(folder: string, go: string): { child: ChildProcess; said: Promise<string> } {
  const child = spawn(process.execPath, ['--import', TSX, HOLD, folder, go], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = new Promise<string>((resolve) => child.stdout?.setEncoding('utf8').once('data', resolve));
  return { child, said };
}

locks('a state directory that is taken is refused, and free again when it is given back', ({ folder }) => {
  const unlock = lockState(folder);
  assert.throws(
    () => lockState(folder),
    (error: Error) => error instanceof StateTaken && error.message.includes(String(process.pid)),
  );
  assert.is(readdirSync(folder).length, 1);
  unlock();
  lockState(folder)();
  assert.equal(readdirSync(folder), []);
});

locks('of many that find a dead holder’s lock at once, one gets it', async ({ folder }) => {
  writeFileSync(join(folder, 'lock.7'), `${process.pid} 1 another-boot pid:[1]\n`);
  const go = join(folder, 'go');
  const holders = Array.from({ length: 6 }, () => holder(folder, go));
  try {
    writeFileSync(go, '');
    const said = await Promise.all(holders.map((each) => each.said));
    assert.equal(said.sort(), ['locked', ...Array.from({ length: 5 }, () => 'taken')]);
    assert.equal(readdirSync(folder).sort(), ['go', 'lock.8']);
  } finally {
    for (const { child } of holders) child.kill('SIGKILL');
  }
});

locks('what a killed holder has left is no obstacle', async ({ folder }) => {
  const go = join(folder, 'go');
  writeFileSync(go, '');
  const { child, said } = holder(folder, go);
  assert.is(await said, 'locked');
  assert.throws(() => lockState(folder), /another worker/);
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
  lockState(folder)();
});

locks('a second worker on the same state ends with code 75 and leaves the first alone', async () => {
  const place = makePlace();
  const first = await startWorkerProcess({ place });
  try {
    const second = await startWorkerProcess({ place }).then(
      () => 'it started',
      (error: Error) => error.message,
    );
    assert.match(second, /ended with 75: .*another worker/s);
    assert.ok(existsSync(`/proc/${first.pid}`));
    const [lock = ''] = readdirSync(place.state).filter((name) => name.startsWith('lock.'));
    assert.match(readFileSync(join(place.state, lock), 'utf8'), new RegExp(`^${first.pid} `));
  } finally {
    await first.stop();
    place.remove();
  }
});

locks.run();
