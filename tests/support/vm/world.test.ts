// @limit 200
// The world of tests is bound to the test: whatever ends it, nothing of it stays.
import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { processesWith, until } from '../sshd.ts';

const SCRIPT = [
  `const { startVm } = await import(${JSON.stringify(fileURLToPath(new URL('vm.ts', import.meta.url)))});`,
  `const { openWorld } = await import(${JSON.stringify(fileURLToPath(new URL('world.ts', import.meta.url)))});`,
  'const vm = await startVm();',
  'const world = await openWorld(vm);',
  "const page = await vm.sh('curl --silent --insecure https://pypi.org/hello');",
  'console.log(JSON.stringify({ page, folder: world.folder, processes: world.processes }));',
  'await new Promise(() => setInterval(() => {}, 1000));',
].join('\n');

test('a VM reaches it by name; when the test is killed, it is gone', async () => {
  const killed = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', SCRIPT], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((resolve) => killed.stdout.once('data', (data) => resolve(String(data))));
  const { page, folder, processes } = JSON.parse(line) as { page: string; folder: string; processes: number[] };
  assert.is(page, 'hello from pypi.org');
  assert.is(processes.length, 4);
  assert.is(processesWith(folder).length > 1, true);
  const alive = () => processes.filter((pid) => existsSync(`/proc/${pid}`));
  assert.equal(alive(), processes);
  killed.kill('SIGKILL');
  await until('its processes are gone, and its networks with them', () => alive().length === 0);
  await until('its servers are gone', () => processesWith(folder).length === 0);
  rmSync(folder, { recursive: true });
});

test.run();
