import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EFFECT_POLICIES } from '../../src/actors/effectPolicy.ts';
import { describeConfig } from '../../src/config/describe.ts';
import type { Setting } from '../../src/config/setting.ts';
import * as table from '../../src/config/table.ts';
import { configMarkdown, loadConfig } from '../../src/config.ts';

const GOOD = {
  SM_MATTERMOST_URL: 'https://chat.example.com',
  SM_MATTERMOST_TOKEN: 'bot-token-value',
  SM_MATTERMOST_TEAM_ID: 'a'.repeat(26),
  SM_CALLBACK_SECRET: '0123456789abcdef0123456789abcdef',
  SM_DATABASE_URL: 'postgres://u:p@db/csm',
  SM_WORKSPACE: 'local',
  SM_FIREWALL: 'none',
};
const load = (env: Record<string, string>, files: Record<string, string> = {}) =>
  loadConfig(env, (path) => {
    const text = files[path];
    if (text === undefined) throw new Error('ENOENT');
    return text;
  });

test('all problems are told at once', () => {
  const loaded = load({ SM_RATE_LIMIT_RPS: 'fast', SM_LISTEN_ADDR: 'nowhere' });
  assert.is(loaded.ok, false);
  const names = loaded.ok ? [] : loaded.problems.map(({ variable }) => variable);
  for (const name of ['SM_MATTERMOST_URL', 'SM_VM_HOST', 'SM_OPNSENSE_KEY', 'SM_RATE_LIMIT_RPS', 'SM_LISTEN_ADDR']) {
    assert.ok(names.includes(name), name);
  }
});

test('a list of approvers loads, as a comma list and as JSON', () => {
  for (const value of ['alice,bob', '["alice","bob"]']) {
    const loaded = load({ ...GOOD, SM_ALLOWED_APPROVERS: value });
    assert.equal(loaded.ok && loaded.config.access.allowedApprovers, ['alice', 'bob']);
  }
});

test('a secret may come from a file, without its newline, and from one place only', () => {
  const { SM_MATTERMOST_TOKEN: _token, ...rest } = GOOD;
  const loaded = load({ ...rest, SM_MATTERMOST_TOKEN_FILE: '/run/token' }, { '/run/token': 'from-file\n' });
  assert.is(loaded.ok && loaded.config.mattermost.token.reveal(), 'from-file');
  assert.is(load({ ...GOOD, SM_MATTERMOST_TOKEN_FILE: '/run/token' }, { '/run/token': 'x' }).ok, false);
  assert.is(load({ ...rest, SM_MATTERMOST_TOKEN_FILE: '/none' }).ok, false);
});

test('secrets print as nothing', () => {
  const loaded = load(GOOD);
  assert.ok(loaded.ok);
  assert.not.match(
    `${JSON.stringify(loaded)} ${loaded.ok ? String(loaded.config.mattermost.token) : ''}`,
    /bot-token-value|0123456789abcdef/,
  );
});

test('a secret part of the path cannot be guessed and needs no quoting, or the start fails and does not repeat it', () => {
  const problems = (value: string) => {
    const loaded = load({ ...GOOD, SM_CALLBACK_PATH_SECRET: value });
    return loaded.ok ? '' : JSON.stringify(loaded.problems);
  };
  for (const good of ['7f3a9c0e5b1d2846a7f3a9c0e5b1d284', 'Zk3-_q8Wn2Lx7Yp0Tb5R']) assert.is(problems(good), '');
  for (const bad of [
    'short',
    'a/b/c/d/e/f/0123456789',
    '0123456789 0123456789',
    '0123456789abcdef%2e%2e',
    'é'.repeat(30),
  ]) {
    assert.match(problems(bad), /SM_CALLBACK_PATH_SECRET.*must/);
    assert.not.ok(problems(bad).includes(bad));
  }
  assert.match(problems('abababababababababababab'), /random/);
});

test('the inspector is on loopback by default, can be off, and needs a token anywhere else', () => {
  const inspector = (env: Record<string, string>) => {
    const loaded = load({ ...GOOD, ...env });
    return loaded.ok ? loaded.config.inspector : loaded.problems.map(({ variable }) => variable);
  };
  assert.equal(inspector({}), { addr: { host: '127.0.0.1', port: 8001 }, token: null, allowSend: false });
  assert.equal(inspector({ SM_INSPECTOR_ADDR: 'off' }), { addr: null, token: null, allowSend: false });
  for (const addr of ['localhost:1', '[::1]:1', '127.9.9.9:1']) {
    assert.not.ok(Array.isArray(inspector({ SM_INSPECTOR_ADDR: addr })), addr);
  }
  for (const addr of ['0.0.0.0:8001', '[::]:8001', '10.0.0.1:8001', 'inspector.example:8001', '127.0.0.1.example:1']) {
    assert.equal(inspector({ SM_INSPECTOR_ADDR: addr }), ['SM_INSPECTOR_TOKEN'], addr);
    const withToken = inspector({ SM_INSPECTOR_ADDR: addr, SM_INSPECTOR_TOKEN: 'x'.repeat(16) });
    assert.not.ok(Array.isArray(withToken), addr);
  }
  assert.equal(inspector({ SM_INSPECTOR_ADDR: '0.0.0.0:1', SM_INSPECTOR_TOKEN: 'short' }), ['SM_INSPECTOR_TOKEN']);
});

test('a misspelt variable is pointed out', () => {
  const loaded = load({ ...GOOD, SM_MATERMOST_URL: 'x' });
  assert.match(JSON.stringify(loaded.warnings), /did you mean SM_MATTERMOST_URL/);
});

test('limits of containers are read as people write them', () => {
  const loaded = load({ ...GOOD, SM_CONTAINER_MEMORY: '512m', SM_CONTAINER_CPUS: '1.5', SM_CONTAINER_PIDS: '0' });
  const { memory, cpus, pids } = loaded.ok ? loaded.config.container : { memory: 0, cpus: 0, pids: 1 };
  assert.equal([memory, cpus, pids], [536_870_912, 1.5, 0]);
  const byDefault = load(GOOD);
  assert.is(byDefault.ok && byDefault.config.container.memory, 8 * 1024 ** 3);
  for (const wrong of [{ SM_CONTAINER_MEMORY: 'lots' }, { SM_CONTAINER_CPUS: '-1' }, { SM_ALLOWED_MOUNTS: '/' }]) {
    assert.is(load({ ...GOOD, ...wrong }).ok, false, JSON.stringify(wrong));
  }
});

test('what may take up to an hour by its setting is ended by the setting, not by a bound behind it', () => {
  for (const variable of ['SM_GIT_TIMEOUT_SECS', 'SM_DEVCONTAINER_TIMEOUT_SECS']) {
    assert.ok(load({ ...GOOD, [variable]: '3600' }).ok);
    assert.not.ok(load({ ...GOOD, [variable]: '3601' }).ok, variable);
  }
  for (const kind of ['mirror', 'checkout', 'vet', 'up'] as const) {
    const { timeoutMs, deadlineMs } = EFFECT_POLICIES[`workspace.${kind}`];
    assert.ok(timeoutMs > 3_600_000 + 5 * 60_000 && deadlineMs > timeoutMs, kind);
  }
});

test('host keys of the VM load as fingerprints and as lines of known_hosts; anything else is a problem', () => {
  const { SM_WORKSPACE: _local, ...rest } = GOOD;
  const vm = { ...rest, SM_VM_HOST: 'vm.example.com' };
  const fingerprint = `SHA256:${'A'.repeat(43)}`;
  const line = 'vm.example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
  for (const text of [fingerprint, line, `${fingerprint},${fingerprint}`, `${fingerprint}\n${line}`]) {
    assert.ok(load({ ...vm, SM_VM_HOST_KEY: text }).ok, text);
  }
  const wrong = load({ ...vm, SM_VM_HOST_KEY: 'hunter2' });
  assert.equal(wrong.ok ? [] : wrong.problems.map(({ variable }) => variable), ['SM_VM_HOST_KEY']);
  assert.not.match(JSON.stringify(wrong), /hunter2/);
});

test('every setting there is stands in the documentation', () => {
  const described = describeConfig().map(({ variable }) => variable);
  const all = Object.values(table).flatMap((area) => Object.values<Setting<unknown>>(area));
  assert.equal([...described].sort(), all.map(({ variable }) => variable).sort());
});

test('bridges are named whole, or by their beginning with a star', () => {
  const walled = { ...GOOD, SM_WORKSPACE: 'vm', SM_FIREWALL: 'nftables', SM_NFT_RESOLVERS: '10.89.0.1' };
  const problems = (bridges: string) => {
    const loaded = loadConfig({ ...walled, SM_NFT_BRIDGES: bridges }, () => '');
    return (loaded.ok ? [] : loaded.problems).filter(({ variable }) => variable === 'SM_NFT_BRIDGES');
  };
  for (const good of ['podman1', 'podman*', 'br-0123456789ab,docker0', 'br-*']) assert.equal(problems(good), [], good);
  for (const bad of ['*', 'pod*man', 'podman**', 'a'.repeat(16), '"x"', 'a b', ''])
    assert.is(problems(bad).length, 1, bad);
});

test('docs/configuration.md is what `csm config` prints', () => {
  assert.is(
    readFileSync('docs/configuration.md', 'utf8').trim(),
    configMarkdown().trim(),
    'refresh it: node dist/main.js config > docs/configuration.md',
  );
});

test.run();
