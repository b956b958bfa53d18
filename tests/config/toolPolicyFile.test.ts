// From the file with rules about tools to what a session's agent is given, and what a faulty file says.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Config, loadConfig } from '../../src/config.ts';
import { agentOptions } from '../../src/flows/agentOptions.ts';
import type { Address } from '../../src/machines/addresses.ts';
import { StartError } from '../../src/start.ts';
import { toolRulesOf } from '../../src/toolPolicyFile.ts';

const test = suite<{ folder: string }>('tool policy file');
test.before((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'csm-tools-'));
});
test.after(({ folder }) => rmSync(folder, { recursive: true }));

function configWith(toolPolicyFile: string): Config {
  const loaded = loadConfig(
    {
      SM_MATTERMOST_URL: 'http://127.0.0.1:1',
      SM_MATTERMOST_TOKEN: 'x',
      SM_MATTERMOST_TEAM_ID: 'a'.repeat(26),
      SM_CALLBACK_SECRET: '0123456789abcdef',
      SM_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
      SM_WORKSPACE: 'local',
      SM_FIREWALL: 'none',
      SM_TOOL_POLICY_FILE: toolPolicyFile,
    },
    () => '',
  );
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}

function given(config: Config, container: Address, review = false) {
  const input = {
    session: 'session/s',
    container,
    generation: 1,
    endpoint: '',
    identity: '',
    cwd: '/w',
    resumeId: '',
    model: '',
    plan: false,
    review,
  } as const;
  return agentOptions(config, toolRulesOf(config), input).toolPolicy;
}

test('rules reach the agents of the repositories they name, on every branch', ({ folder }) => {
  const file = join(folder, 'tools.yaml');
  writeFileSync(file, 'deny: [{tool: WebFetch, repos: [acme/web]}]\nallow: ["Bash(:looking)"]\n');
  const config = configWith(file);
  assert.equal(given(config, 'container/acme/web@')?.deny, ['WebFetch']);
  assert.equal(given(config, 'container/acme/web@a@b')?.deny, ['WebFetch']);
  assert.equal(given(config, 'container/acme/other@acme/web')?.deny, []);
  assert.equal(given(config, 'container/acme/other@main')?.allow, ['Bash(:looking)']);
  assert.ok(given(config, 'container/acme/web@main', true)?.deny.includes('Write'));
});

test('a file that is missing or faulty keeps the gateway from starting, and says why', ({ folder }) => {
  const faulty = join(folder, 'faulty.yaml');
  writeFileSync(faulty, 'deny: [Write, "Bash(rm"]\n');
  for (const [file, words] of [
    [faulty, /The tool policy is faulty: deny\[2\]\.tool: must be a tool/],
    [join(folder, 'none.yaml'), /SM_TOOL_POLICY_FILE names cannot be read/],
  ] as const) {
    let failure: unknown;
    try {
      toolRulesOf(configWith(file));
    } catch (error) {
      failure = error;
    }
    assert.instance(failure, StartError);
    assert.match(failure instanceof Error ? failure.message : '', words);
  }
});

test.run();
