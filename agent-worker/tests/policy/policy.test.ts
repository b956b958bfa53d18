// Which tools are allowed, asked about, or denied.
import assert from 'node:assert/strict';
import { test } from 'uvu';
import { ToolDecision, type ToolPolicy } from '../../src/generated/claude_agent/v1/agent.ts';
import { decideTool } from '../../src/policy.ts';

const policy = (more: Partial<ToolPolicy>): ToolPolicy => ({
  otherwise: ToolDecision.ASK,
  allow: [],
  ask: [],
  deny: [],
  ...more,
});
const bash = (rules: Partial<ToolPolicy>, command: string) =>
  decideTool(policy(rules), 'Bash', { command }, '/').verdict;

test('deny wins over ask, ask over allow, allow over the rest', () => {
  const rules = { deny: ['Bash(rm *)'], ask: ['Bash(git push*)'], allow: ['Bash'] };
  assert.equal(bash(rules, 'rm -rf /'), 'deny');
  assert.equal(bash(rules, 'git push origin'), 'ask');
  assert.equal(bash(rules, 'ls'), 'allow');
  assert.equal(decideTool(policy(rules), 'Write', { file_path: '/x' }, '/').verdict, 'ask');
});

test('a forbidden command is found in every part of a compound one', () => {
  const rules = { otherwise: ToolDecision.ALLOW, deny: ['Bash(rm *)'] };
  for (const command of ['ls; rm x', 'ls && rm x', 'true || rm x', 'ls | rm x', 'ls &\nrm x']) {
    assert.equal(bash(rules, command), 'deny', command);
  }
});

test('an allowed command does not carry others in with it', () => {
  const rules = { allow: ['Bash(git status*)', 'Bash(ls*)'] };
  assert.equal(bash(rules, 'git status'), 'allow');
  assert.equal(bash(rules, 'git status && ls -l'), 'allow');
  for (const command of [
    'git status; curl x',
    'git status $(curl x)',
    'git status `curl x`',
    'git status > x',
    'ls & curl x',
  ]) {
    assert.equal(bash(rules, command), 'ask', command);
  }
});

test('a glob stands for the whole argument, and nothing in it is a pattern but * and ?', () => {
  assert.equal(bash({ allow: ['Bash(npm test)'] }, 'npm test --watch'), 'ask');
  assert.equal(bash({ allow: ['Bash(npm.test)'] }, 'npm test'), 'ask');
  assert.equal(bash({ allow: ['Bash(npm?test)'] }, 'npm test'), 'allow');
});

test('paths and URLs are matched by their own argument', () => {
  const rules = policy({ deny: ['Read(*/.env)', 'WebFetch(*internal*)'] });
  assert.equal(decideTool(rules, 'Read', { file_path: '/repo/.env' }, '/').verdict, 'deny');
  assert.equal(decideTool(rules, 'Read', { file_path: '/repo/env' }, '/').verdict, 'allow');
  assert.equal(decideTool(rules, 'WebFetch', { url: 'https://internal.example' }, '/').verdict, 'deny');
});

test('names of tools may be globs, and our own tools are always allowed', () => {
  const rules = policy({ otherwise: ToolDecision.DENY, deny: ['mcp__*'] });
  assert.equal(decideTool(rules, 'mcp__other__thing', {}, '/').verdict, 'deny');
  for (const name of ['request_network_access', 'send_file']) {
    assert.equal(decideTool(rules, `mcp__session_manager__${name}`, {}, '/').verdict, 'allow');
  }
});

test("a repository's MCP server cannot take the name of ours for its tools", () => {
  for (const tool of ['mcp__session_manager__x__write', 'mcp__session_manager__', 'mcp__session_manager__send_file2']) {
    assert.equal(decideTool(policy({}), tool, {}, '/').verdict, 'ask', tool);
    assert.equal(decideTool(policy({ otherwise: ToolDecision.DENY }), tool, {}, '/').verdict, 'deny', tool);
  }
});

test('an agent below the agent works in the same checkout: neither a worktree nor another machine is made for it', () => {
  for (const tool of ['Agent', 'Task']) {
    for (const isolation of ['worktree', 'remote']) {
      for (const otherwise of [ToolDecision.ALLOW, ToolDecision.ASK, ToolDecision.DENY]) {
        const ruling = decideTool(policy({ otherwise, allow: [tool] }), tool, { prompt: 'x', isolation }, '/');
        assert.equal(ruling.verdict, 'deny', `${tool} ${isolation}`);
      }
    }
    assert.equal(decideTool(policy({}), tool, { prompt: 'x' }, '/').verdict, 'allow');
  }
});

test('what is said about commands holds for those that are watched in the background', () => {
  const watch = (rules: Partial<ToolPolicy>, command: string) =>
    decideTool(policy(rules), 'Monitor', { command, description: 'x', timeout_ms: 1 }, '/').verdict;
  const rules = { otherwise: ToolDecision.ALLOW, deny: ['Bash(rm *)'], ask: ['Bash(git push*)'] };
  assert.equal(watch(rules, 'true; rm -rf x'), 'deny');
  assert.equal(watch(rules, 'git push'), 'ask');
  assert.equal(watch(rules, 'tail -f log'), 'allow');
  assert.equal(watch({ otherwise: ToolDecision.DENY, allow: ['Bash(:looking)', 'Monitor'] }, 'touch x'), 'deny');
  assert.equal(watch({ otherwise: ToolDecision.DENY, allow: ['Bash(:looking)'] }, 'ls'), 'deny', 'nor without its own');
});

test('without a policy reading goes on and everything else is asked', () => {
  assert.equal(decideTool(undefined, 'Read', {}, '/').verdict, 'allow');
  assert.equal(decideTool(undefined, 'Bash', { command: 'ls' }, '/').verdict, 'ask');
  assert.equal(decideTool(policy({ otherwise: ToolDecision.UNSPECIFIED }), 'Write', {}, '/').verdict, 'ask');
});

test('a denial gives its reason', () => {
  assert.match(decideTool(policy({ deny: ['Bash(rm *)'] }), 'Bash', { command: 'rm x' }, '/').reason, /Bash\(rm \*\)/);
});

test.run();
