// @limit 300
// An agent reaches its model and nothing else by itself: no telemetry, no updates, no look-ups of names.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { test } from 'uvu';

const SCRIPT = fileURLToPath(new URL('../support/offlineConversation.ts', import.meta.url));
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

test('the tools this needs are there', () => {
  for (const [tool, flag] of [
    ['strace', '-V'],
    ['unshare', '--version'],
    ['ip', '-V'],
  ] as const) {
    const found = spawnSync(tool, [flag]);
    assert.equal(found.status, 0, `${tool} is missing: install strace, util-linux and iproute2`);
  }
});

test('a conversation without any network opens connections to the model on loopback only', () => {
  const namespace = process.getuid?.() === 0 ? ['-n'] : ['-r', '-n'];
  const run = spawnSync(
    'unshare',
    [...namespace, 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', process.execPath, '--import', TSX, SCRIPT],
    { encoding: 'utf8', timeout: 80_000 },
  );
  assert.equal(run.status, 0, run.stderr);
  const seen: { outcome: string; output: string; api: number; worker: number; connects: string[] } = JSON.parse(
    run.stdout,
  );
  assert.equal(seen.outcome, 'TURN_OUTCOME_COMPLETED');
  assert.equal(seen.output, 'alone');
  const internet = seen.connects.filter((line) => /AF_INET6?/.test(line));
  const foreign = internet.filter(
    (line) => !(line.includes('inet_addr("127.0.0.1")') && line.includes(`sin_port=htons(${seen.api})`)),
  );
  assert.ok(internet.length > 0, 'the trace shows no connection at all, so it proves nothing');
  assert.deepEqual(foreign, []);
});

test.run();
