// The command line: what it says about itself, and what it refuses to start with.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { test } from 'uvu';
import { TOKEN_SHA256 } from '../support/workerProcess.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const env = { PATH: process.env.PATH ?? '', HOME: '/nonexistent' };
  return spawnSync(process.execPath, ['--import', TSX, MAIN, ...args], { encoding: 'utf8', env, timeout: 20_000 });
}

test('help names every option and the version is known', () => {
  const help = run('--help');
  assert.equal(help.status, 0);
  for (const option of ['--listen', '--port-file', '--state-dir', '--identity', '--token-sha256', '--run-as']) {
    assert.ok(help.stdout.includes(option), option);
  }
  assert.match(run('--version').stdout, /^\d+\.\d+\.\d+\n$/);
});

test('it does not start without the hash of a token, or with values that mean nothing', () => {
  for (const [args, complaint] of [
    [[], /token-sha256/],
    [['--token-sha256', 'abc'], /token-sha256/],
    [['--token-sha256', TOKEN_SHA256, '--agent-idle', 'soon'], /not a duration/],
    [['--token-sha256', TOKEN_SHA256, '--run-as', 'root'], /not UID:GID/],
  ] as const) {
    const refused = run(...args);
    assert.notEqual(refused.status, 0, args.join(' '));
    assert.match(refused.stderr, complaint);
  }
});

test.run();
