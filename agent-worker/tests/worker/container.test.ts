// What a worker in a container is started with: its agents' environment and user, and a log with a bound.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAgentEnv } from '../../src/worker/agentEnv.ts';
import { parseRunAs } from '../../src/worker/config.ts';
import { openLogFile } from '../../src/worker/logFile.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

test('the agents’ environment is read line by line, and later lines win', () => {
  const text = [base64('A=1\0B=two\nlines=\0EMPTY=\0'), '', base64('A=grüße 日本\0'), ''].join('\n');
  assert.equal(parseAgentEnv(text), { A: 'grüße 日本', B: 'two\nlines=', EMPTY: '' });
  assert.equal(parseAgentEnv(''), {});
});

test('an environment that is none is refused', () => {
  assert.throws(() => parseAgentEnv('A=1'), /not base64/);
  assert.throws(() => parseAgentEnv(base64('=x\0')), /without a name/);
  assert.throws(() => parseAgentEnv(base64('novalue\0')), /without a name/);
});

test('a user is given as numbers, with groups if it has some', () => {
  assert.equal(parseRunAs('1000:1001'), { uid: 1000, gid: 1001, groups: [] });
  assert.equal(parseRunAs('1000:1001:44,998'), { uid: 1000, gid: 1001, groups: [44, 998] });
  for (const wrong of ['', '1000', 'vscode:vscode', '1000:1000:', '1000:1000:a', '1000:1000:1,']) {
    assert.throws(() => parseRunAs(wrong), /not UID:GID/);
  }
});

test('a log file has a bound, and what was said last is in it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'log-file-'));
  try {
    const path = join(folder, 'worker.log');
    const log = openLogFile(path, 1000);
    for (let number = 0; number < 500; number += 1) log(`line ${number}`);
    assert.equal(readdirSync(folder).sort(), ['worker.log', 'worker.log.1']);
    for (const name of readdirSync(folder)) assert.ok(statSync(join(folder, name)).size <= 1000);
    const kept = `${readFileSync(`${path}.1`, 'utf8')}${readFileSync(path, 'utf8')}`.trim().split('\n');
    assert.is(kept.at(-1), 'line 499');
    assert.ok(kept.length > 80);
    openLogFile(path, 1000)('after a restart');
    assert.match(readFileSync(path, 'utf8'), /line 499\nafter a restart\n$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();
