// A test that is killed leaves no process behind, and one that fails says so.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { processesWith, until } from './sshd.ts';

const test = suite<{ folder: string }>('alone on the machine');
const ALONE = fileURLToPath(new URL('alone.ts', import.meta.url));

test.before((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'csm-alone-'));
});
test.after(({ folder }) => rmSync(folder, { recursive: true }));

/** @returns the words that run it */
function program(folder: string, text: string): string[] {
  const file = join(folder, 'program.mts');
  writeFileSync(file, `import { alone } from ${JSON.stringify(ALONE)};\nalone();\n${text}`);
  return ['--import', 'tsx', file];
}

test('killed, it ends with all that it started, in whatever session', async ({ folder }) => {
  const words = program(
    folder,
    `const { spawn } = await import('node:child_process');
     spawn('setsid', ['--fork', 'sleep', '345671'], { stdio: 'ignore' });
     setInterval(() => {}, 1000);`,
  );
  const child = spawn(process.execPath, words, { stdio: 'inherit' });
  await until('it has started something', () => processesWith('sleep 345671').length > 0);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await until('nothing of it runs', () => processesWith('345671').length === 0);
});

test('its exit code is told, and it sees no network but its own', ({ folder }) => {
  const words = program(
    folder,
    `const { networkInterfaces } = await import('node:os');
     console.log(Object.keys(networkInterfaces()).join(), process.pid < 20);
     process.exitCode = 7;`,
  );
  const { status, stdout } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  assert.equal([status, stdout.trim()], [7, 'lo true']);
});

test.run();
