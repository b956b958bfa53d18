/**
 * Takes the fixes of `all.ts` out, one at a time, in a copy of the tree, and runs the test that must notice. Last line:
 * `N noticed, N not noticed`.
 *
 *   npm run mutants -- [RT-n or part of a test's path]...
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ALL } from './all.ts';
import { applied, type Mutant } from './mutant.ts';

const HERE = fileURLToPath(new URL('../../', import.meta.url));
/** Not in the repository, but made from it. */
const MADE = [
  'dist',
  'agent-worker/dist',
  'simulator/dist',
  'agent-worker/src/generated',
  'src/adapters/worker/generated',
];

const wanted = process.argv.slice(2);
const mutants = ALL.filter(
  ({ of, test }) => wanted.length === 0 || wanted.some((part) => of === part || test.includes(part)),
);
const root = mkdtempSync(join(tmpdir(), 'csm-mutants-'));
const tree = join(root, 'main');
let missed = 0;
try {
  copyTree();
  for (const mutant of mutants) {
    const verdict = judge(mutant);
    if (verdict !== 'noticed') missed += 1;
    console.log(
      `${verdict === 'noticed' ? 'ok  ' : 'MISS'} ${mutant.of}: ${mutant.wrong} (${mutant.test}): ${verdict}`,
    );
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
console.log(`${mutants.length - missed} noticed, ${missed} not noticed`);
process.exitCode = missed === 0 && mutants.length > 0 ? 0 : 1;

function copyTree(): void {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: HERE });
  mkdirSync(tree);
  const made = MADE.filter((path) => existsSync(join(HERE, path))).map((path) => `${path}\0`);
  execFileSync('xargs', ['-0', 'cp', '-a', '--parents', '-t', tree], {
    cwd: HERE,
    input: Buffer.concat([listed, Buffer.from(made.join(''))]),
  });
  symlinkSync(join(HERE, 'node_modules'), join(tree, 'node_modules'));
  for (const part of ['agent-worker', 'simulator']) {
    const modules = join(HERE, part, 'node_modules');
    if (existsSync(modules)) symlinkSync(modules, join(tree, part, 'node_modules'));
  }
  if (existsSync(join(HERE, '../shared'))) symlinkSync(join(HERE, '../shared'), join(root, 'shared'));
}

function judge(mutant: Mutant): string {
  const path = join(tree, mutant.file);
  const before = readFileSync(path, 'utf8');
  writeFileSync(path, applied(mutant, before));
  // These run what was built.
  const builds = /^tests\/(cli|crash|e2e|pod)\//.test(mutant.test);
  try {
    const problem = builds ? build(mutant.file) : undefined;
    return problem ?? run(mutant);
  } finally {
    writeFileSync(path, before);
    if (builds) build(mutant.file);
  }
}

/** What is wrong with it, if it does not build. */
function build(file: string): string | undefined {
  const part = /^(agent-worker|simulator)\//.exec(file)?.[1] ?? '.';
  // Without its fix, what it needed for that is left over.
  const lenient = ['--noUnusedLocals', 'false', '--noUnusedParameters', 'false'];
  const { status, stdout } = spawnSync('npx', ['tsc', '-p', join(part, 'tsconfig.build.json'), ...lenient], {
    cwd: tree,
    encoding: 'utf8',
  });
  return status === 0 ? undefined : `does not build: ${stdout.trim()}`;
}

function run({ of, test, name }: Mutant): string {
  const { stdout } = spawnSync('node', ['scripts/run-tests.mjs', test], {
    cwd: tree,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const failed = [...stdout.matchAll(/^[ |]*FAIL {2}.*"(.*)"$/gm)].map(([, words = '']) => words);
  if (failed.some((words) => words.startsWith(`${of}:`) && words.includes(name ?? ''))) return 'noticed';
  if (/: not done within \d+ s$/m.test(stdout)) return 'not noticed: ended by its limit';
  return failed.length > 0 ? `not noticed, but by ${failed.join('; ')}` : `not noticed:\n${stdout.slice(-2000)}`;
}
