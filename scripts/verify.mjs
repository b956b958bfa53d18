#!/usr/bin/env node
// Every check that needs no running system, one after the other; all of them are run, whichever fails.
// Last line: `N passed, N failed`.
import { spawnSync } from 'node:child_process';

const CHECKS = [
  ['contract lint and breaking changes', 'check:proto'],
  ['format and lint', 'check:format'],
  ['build', 'build'],
  ['types', 'check:types'],
  ['import boundaries', 'check:boundaries'],
  ['dead code', 'check:dead'],
  ['migrations match the schema', 'check:migrations'],
];

let failed = 0;
for (const [name, script] of CHECKS) {
  const started = Date.now();
  const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', script], { encoding: 'utf8' });
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`);
  if (status === 0) continue;
  failed += 1;
  console.log(`${stdout}${stderr}`.replace(/^/gm, '     | '));
}
console.log(`${CHECKS.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
