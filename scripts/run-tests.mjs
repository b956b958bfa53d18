#!/usr/bin/env node
// Runs test files, each in a process of its own, and counts what they did.
//
// A file fails if a test fails, if it runs no test, if it skips one, if it exits non-zero, or if it is not done within
// its limit (150 s, or what its first lines say with `@limit SECONDS`). The whole process group of a file is ended with it.
// What a passing file prints is not shown, but for lines that begin with `figure: `.
//
//   node scripts/run-tests.mjs [--jobs N] [path or part of a path]...
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';

const DEFAULT_LIMIT_SECONDS = 150;
const ROOTS = ['tests', 'agent-worker/tests', 'simulator/tests'];
const tsx = createRequire(import.meta.url).resolve('tsx');

const args = process.argv.slice(2);
const jobsAt = args.indexOf('--jobs');
const jobs = jobsAt >= 0 ? Number(args.splice(jobsAt, 2)[1]) : Math.min(2, availableParallelism());
const wanted = args;

const files = findTests().filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)));
if (files.length === 0) {
  console.error('No test file matches.');
  console.log('0 passed, 1 failed');
  process.exit(1);
}

const layers = new Map();
let failedFiles = 0;
const queue = [...files];
await Promise.all(Array.from({ length: jobs }, worker));

console.log('');
let passed = 0;
let failed = 0;
for (const [layer, count] of [...layers].sort()) {
  console.log(
    `${layer.padEnd(28)} ${String(count.passed).padStart(5)} passed ${String(count.failed).padStart(4)} failed`,
  );
  passed += count.passed;
  failed += count.failed;
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && failedFiles === 0 ? 0 : 1;

async function worker() {
  for (let file = queue.shift(); file; file = queue.shift()) {
    const result = await runFile(file);
    const layer = layerOf(file);
    const count = layers.get(layer) ?? { passed: 0, failed: 0 };
    count.passed += result.passed;
    count.failed += result.failed;
    layers.set(layer, count);
    if (result.problem) failedFiles += 1;
    console.log(
      `${result.problem ? 'FAIL' : 'ok  '} ${file} (${result.passed} passed, ${(result.ms / 1000).toFixed(1)} s)${result.problem ? `: ${result.problem}` : ''}`,
    );
    if (result.problem) console.log(indent(result.output));
    else for (const [, figure] of result.output.matchAll(/^figure: (.*)$/gm)) console.log(`     ${figure}`);
  }
}

function runFile(file) {
  const limit = limitOf(file);
  const started = Date.now();
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', tsx, file], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, FORCE_COLOR: '0', NO_COLOR: '1' },
    });
    let output = '';
    let timedOut = false;
    child.stdout.on('data', (data) => {
      output += data;
    });
    child.stderr.on('data', (data) => {
      output += data;
    });
    const timer = setTimeout(() => {
      timedOut = true;
      endGroup(child.pid);
    }, limit * 1000);
    const finish = (code, signal) => {
      clearTimeout(timer);
      endGroup(child.pid);
      resolve({ ...judge({ output, code, signal, timedOut, limit }), output, ms: Date.now() - started });
    };
    child.on('error', (error) => {
      output += String(error);
      finish(1, null);
    });
    child.on('close', finish);
  });
}

function judge({ output, code, signal, timedOut, limit }) {
  const totals = sum(output, /^\s*Total:\s+(\d+)/gm);
  const passed = sum(output, /^\s*Passed:\s+(\d+)/gm);
  const skipped = sum(output, /^\s*Skipped:\s+(\d+)/gm);
  const failed = Math.max(0, totals - passed);
  let problem;
  if (timedOut) problem = `not done within ${limit} s`;
  else if (failed > 0) problem = `${failed} of ${totals} failed`;
  else if (code !== 0) problem = signal ? `ended by ${signal}` : `exit code ${code}`;
  else if (totals === 0) problem = 'ran no test';
  else if (skipped > 0) problem = `${skipped} skipped`;
  return { passed, failed: problem ? Math.max(1, failed) : 0, problem };
}

function sum(text, pattern) {
  let total = 0;
  for (const match of text.matchAll(pattern)) total += Number(match[1]);
  return total;
}

function endGroup(pid) {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Already gone.
  }
}

function limitOf(file) {
  const head = readFileSync(file, 'utf8').slice(0, 600);
  const match = /@limit (\d+)/.exec(head);
  return match ? Number(match[1]) : DEFAULT_LIMIT_SECONDS;
}

function layerOf(file) {
  const parts = file.split('/');
  return parts[0] === 'tests' ? `tests/${parts[1]}` : parts[0];
}

function findTests() {
  return ROOTS.filter((root) => existsSync(root))
    .flatMap((root) => readdirSync(root, { recursive: true }).map((file) => `${root}/${file}`))
    .filter((file) => file.endsWith('.test.ts'))
    .sort();
}

function indent(text) {
  return text.replace(/^/gm, '     | ');
}
