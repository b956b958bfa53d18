// Plan mode as our own hook holds it.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import { planModeRuling } from '../../src/planMode.ts';

const test = suite<{ root: string; plans: string }>('plan mode');
test.before.each((context) => {
  context.root = mkdtempSync(join(tmpdir(), 'plan-mode-'));
  context.plans = join(context.root, 'plans');
  mkdirSync(context.plans);
});
test.after.each((context) => rmSync(context.root, { recursive: true, force: true }));

test('everything that changes something is denied, with a way on', ({ root, plans }) => {
  for (const [tool, input] of [
    ['Write', { file_path: join(root, 'a.txt') }],
    ['Edit', { file_path: join(root, 'plans.md') }],
    ['Bash', { command: 'ls' }],
    ['WebFetch', { url: 'https://example.com' }],
    ['NotebookEdit', { notebook_path: join(plans, 'x.md') }],
    ['mcp__other__thing', {}],
  ] as const) {
    const ruling = planModeRuling(plans, root, tool, input);
    assert.equal(ruling?.verdict, 'deny', tool);
    assert.match(ruling?.reason ?? '', /ExitPlanMode/);
  }
});

test('reading and our own tools are left to the policy', ({ root, plans }) => {
  for (const tool of ['Read', 'Glob', 'Grep', 'ToolSearch', 'Agent', 'mcp__session_manager__request_network_access']) {
    assert.equal(planModeRuling(plans, root, tool, {}), undefined, tool);
  }
});

test('only a plan file can be written, and only where plan files are', ({ root, plans }) => {
  const write = (path: string) => planModeRuling(plans, root, 'Write', { file_path: path })?.verdict;
  assert.equal(write(join(plans, 'a.md')), 'allow');
  assert.equal(write(join(plans, '..', 'a.md')), 'deny');
  assert.equal(write(join(plans, 'a.txt')), 'deny');
  assert.equal(write(join(plans, 'deeper', 'a.md')), 'deny');
});

test('a symbolic link in the plans folder leads nowhere', ({ root, plans }) => {
  writeFileSync(join(root, 'target.md'), '');
  symlinkSync(join(root, 'target.md'), join(plans, 'link.md'));
  symlinkSync(root, join(plans, 'folder'));
  const write = (path: string) => planModeRuling(plans, root, 'Write', { file_path: path })?.verdict;
  assert.equal(write(join(plans, 'link.md')), 'deny');
  assert.equal(write(join(plans, 'folder', 'target.md')), 'deny');
});

test.run();
