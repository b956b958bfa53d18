// @limit 300
// The benchmark measures what it says. How fast anything is depends on the machine and is never checked here.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RuntimeReport } from '../../bench/runtime/report.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

async function bench(...args: readonly string[]): Promise<string> {
  const { stdout } = await run('npm', ['run', '--silent', 'bench', '--', ...args], { cwd: ROOT, maxBuffer: 1 << 24 });
  return stdout;
}

let report: RuntimeReport;
test.before(async () => {
  report = JSON.parse(await bench('runtime', '--quick', '--json')) as RuntimeReport;
});

test('the report names the machine, the server and its settings, and how it ran', () => {
  assert.is(report.benchmark, 'runtime');
  assert.is(report.profile.name, 'quick');
  assert.is(report.postgres.settings.fsync, 'on', 'a commit that is not on disk is not worth measuring');
  assert.is(report.postgres.settings.synchronous_commit, 'on');
  assert.match(report.postgres.version, /^\d+/);
  assert.match(report.how, /tsx/);
  assert.match(report.note, /ratios/);
});

test('every figure is there and is a number', () => {
  let figures = 0;
  const visit = (value: unknown, path: string): void => {
    if (typeof value === 'number') {
      figures += 1;
      assert.ok(Number.isFinite(value), path);
    } else if (typeof value === 'object') {
      assert.ok(value !== null, `${path} is null: JSON has no other word for NaN`);
      for (const [name, inner] of Object.entries(value)) visit(inner, `${path}.${name}`);
    }
  };
  visit(report, 'report');
  assert.ok(figures > 100, `${figures} figures`);
  const { one1, one50, one500 } = report.variants;
  for (const variant of Object.values(report.variants)) {
    for (const ratio of Object.values(variant.ratios)) {
      assert.ok(ratio.low > 0 && ratio.low <= ratio.median && ratio.median <= ratio.high, JSON.stringify(ratio));
    }
  }
  assert.equal(
    [one1, one50, one500].map(({ actors }) => actors),
    [1, 50, 500],
  );
});

test('a commit is one statement, however many turns go into it; a plain transaction takes six or more', () => {
  const variants = Object.values(report.variants);
  const ours = variants.filter(({ commit }) => commit === 'one statement');
  const others = variants.filter(({ commit }) => commit === 'round trips');
  assert.equal([ours.length, others.length], [6, 4]);
  for (const { statementsPerCommit } of ours) assert.is(statementsPerCommit, 1);
  for (const { statementsPerCommit } of others) assert.ok(statementsPerCommit >= 6, `${statementsPerCommit}`);
});

test('turns share commits when many are in flight, and only if they may', () => {
  const { one1, one50, one500, alone50 } = report.variants;
  // The result of an effect may meet the next event of its session in one commit.
  for (const { turnsPerCommit } of [one1, alone50]) assert.ok(turnsPerCommit >= 1 && turnsPerCommit < 2);
  assert.ok(one50.turnsPerCommit > 2, `${one50.turnsPerCommit}`);
  assert.ok(one500.turnsPerCommit > 10, `${one500.turnsPerCommit}`);
  assert.ok(one500.statementsPerTurn < alone50.statementsPerTurn);
});

test('stopped actors are not read at start; live ones have their tasks', () => {
  const { empty, cold, live } = report.boot;
  assert.is(cold.actors, report.profile.coldActors);
  // The root is there because it was asked to boot.
  assert.is(empty.cachedActors, 1);
  assert.is(cold.cachedActors, 1);
  assert.is(cold.statements, empty.statements);
  assert.is(cold.runningTasks, 0);
  assert.is(live.runningTasks, report.profile.liveActors);
});

test('an actor in memory costs something, and a stopped runtime gives it back', () => {
  const { hotBytes, loadedBytes, afterStopBytes, storedBytes } = report.memory;
  assert.ok(storedBytes > 1000, 'the session has a past');
  assert.ok(loadedBytes > 0 && hotBytes > loadedBytes, `${loadedBytes} loaded, ${hotBytes} hot`);
  assert.ok(afterStopBytes < hotBytes / 2, `${afterStopBytes} of ${hotBytes} are left`);
});

test('without --json it prints a table; --help says what there is', async () => {
  assert.match(await bench('--help'), /runtime/);
  assert.match(await bench('runtime', '--help'), /--json[\s\S]*--quick/);
});

test.run();
