import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ToolDecision } from '../../agent-worker/src/generated/claude_agent/v1/agent.ts';
import { decideTool } from '../../agent-worker/src/policy.ts';
import { NO_RULES, readToolRules } from '../../src/policy/toolRules.ts';
import { type ToolPolicyWish, toolPolicy } from '../../src/policy/tools.ts';

const TEXT = `
allow:
  - Bash(:looking)
  - Bash(npm test*)
ask:
  - tool: Bash(git push*)
    repos: [acme/*]
    why: pushes go through a person
  - mcp__tracker__*
deny:
  - WebFetch
  - tool: Read(*/.env)
    repos: [acme/secret, "acme/web-*"]
`;

function rulesOf(text: string) {
  const read = readToolRules(text);
  if (!read.ok) throw new Error(read.problems.join('\n'));
  return read.rules;
}

const DECISIONS = { allow: ToolDecision.ALLOW, ask: ToolDecision.ASK, deny: ToolDecision.DENY } as const;

/** As the worker judges it. */
function verdict(wish: Partial<ToolPolicyWish>, tool: string, input: Record<string, unknown> = {}) {
  const all = { mode: 'ask', review: false, repo: 'acme/web', rules: rulesOf(TEXT), ...wish } as const;
  const { otherwise, allow, ask, deny } = toolPolicy(all);
  const policy = { otherwise: DECISIONS[otherwise], allow: [...allow], ask: [...ask], deny: [...deny] };
  return decideTool(policy, tool, input, '/').verdict;
}
const bash = (command: string, wish: Partial<ToolPolicyWish> = {}) => verdict(wish, 'Bash', { command });

test('rules allow, ask and deny by tool and argument; what they do not name is decided by the mode', () => {
  assert.is(bash('npm test -- --watch'), 'allow');
  assert.is(bash('git log --oneline | head'), 'allow');
  assert.is(bash('npm test; rm -rf /'), 'ask');
  assert.is(bash('rm x'), 'ask');
  assert.is(bash('rm x', { mode: 'allow' }), 'allow');
  assert.is(bash('git push origin', { mode: 'allow' }), 'ask');
  assert.is(verdict({ mode: 'allow' }, 'mcp__tracker__close', { id: 1 }), 'ask');
  assert.is(verdict({ mode: 'allow' }, 'WebFetch', { url: 'https://example.org' }), 'deny');
});

test('a rule holds for the repositories it names, and for no other', () => {
  const env = { file_path: '/w/.env' };
  assert.is(bash('git push', { mode: 'allow', repo: 'other/web' }), 'allow');
  assert.is(verdict({ mode: 'allow', repo: 'acme/secret' }, 'Read', env), 'deny');
  assert.is(verdict({ mode: 'allow', repo: 'ACME/web-shop' }, 'Read', env), 'deny');
  assert.is(verdict({ mode: 'allow', repo: 'acme/web' }, 'Read', env), 'allow');
});

test('a reviewer writes nothing, whatever the mode and the rules allow and whoever would agree', () => {
  const loose = rulesOf(
    'allow: [Write, "Edit(*)", Bash, "Bash(*)", "mcp__*"]\nask: ["Bash(git push*)", "NotebookEdit", "Bash(rm*)"]',
  );
  for (const rules of [NO_RULES, loose, rulesOf(TEXT)]) {
    for (const mode of ['ask', 'allow'] as const) {
      const reviewer = { mode, review: true, rules };
      for (const tool of ['Write', 'Edit', 'MultiEdit', 'NotebookEdit', 'mcp__files__write', 'Skill', 'BashOutputX']) {
        assert.is(verdict(reviewer, tool, { file_path: '/w/x' }), 'deny', tool);
      }
      for (const command of [
        'touch x',
        'echo a > b',
        'git push',
        'rm x',
        'npm test',
        'git log --output=x',
        'find . -delete',
      ]) {
        assert.is(bash(command, reviewer), 'deny', command);
      }
      assert.is(bash('git diff main...HEAD', reviewer), 'allow');
      assert.is(verdict(reviewer, 'Read', { file_path: '/w/x' }), 'allow');
      assert.is(verdict(reviewer, 'Grep', { pattern: 'x' }), 'allow');
    }
  }
});

test('what people are asked about elsewhere, a reviewer is denied', () => {
  const rules = rulesOf('ask: ["Read(*/secrets/*)"]');
  assert.is(verdict({ review: true, rules }, 'Read', { file_path: '/w/secrets/a' }), 'deny');
});

for (const [text, problem] of [
  ['allow: Bash', /allow: must be a list of rules/],
  ['alow: [Bash]', /alow/],
  ['deny: ["Bash(rm *"]', /deny\[1\]\.tool: must be a tool/],
  ['deny: ["Bash()"]', /deny\[1\]\.tool: must be a tool/],
  ['deny: [{tool: "rm -rf"}]', /must be a tool/],
  ['allow: [Write, "Bash(:reading)"]', /allow\[2\]\.tool: there is no `:reading`/],
  ['allow: [AskUserQuestion]', /always answered by a person/],
  ['deny: [mcp__session_manager__request_network_access]', /always allowed/],
  ['deny: [{tool: Bash, repo: [acme/web]}]', /repo/],
  ['deny: [{tool: Bash, repos: [acme]}]', /deny\[1\]\.repos\[1\]: must be `org\/repo`/],
  ['- Bash', /must have `allow:`/],
  ['allow: [', /./],
] as const) {
  test(`a faulty file is refused with its place: ${text}`, () => {
    const read = readToolRules(text);
    assert.not.ok(read.ok);
    assert.match(read.ok ? '' : read.problems.join('\n'), problem);
  });
}

test('an empty file has no rules', () => {
  assert.equal(rulesOf(''), NO_RULES);
});

test.run();
