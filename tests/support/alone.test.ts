// A test that is killed leaves no process behind, and one that fails says so.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { processesWith, until } from './sshd.ts';

const test = suite<{ folder: string }>('alone on the machine');
const SPACES = ['/proc/self/ns/pid', '/proc/self/ns/mnt', '/proc/self/ns/ipc', '/proc/self/ns/net'];
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

test('its exit code is told, and its processes, mounts and network are its own', ({ folder }) => {
  const words = program(
    folder,
    `const { networkInterfaces } = await import('node:os');
     const { readlinkSync } = await import('node:fs');
     const spaces = ${JSON.stringify(SPACES)}.map((space) => readlinkSync(space));
     console.log(JSON.stringify({ networks: Object.keys(networkInterfaces()), spaces }));
     process.exitCode = 7;`,
  );
  const { status, stdout } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  const { networks, spaces } = JSON.parse(stdout) as { networks: string[]; spaces: string[] };
  assert.is(status, 7);
  assert.equal(networks, ['lo']);
  assert.is(spaces.length, SPACES.length);
  for (const [index, space] of SPACES.entries()) assert.is.not(spaces[index], readlinkSync(space), space);
});

test.run();
