import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NO_POLICY, readPolicyFile, standingOf } from '../../../src/policy/domains/index.ts';

const TEXT = `
allow:
  - pypi.org
  - host: "*.mirror.acme.dev"
    repos: [acme/*]
    why: the company's mirror
never:
  - pastebin.com
  - host: bad.mirror.acme.dev
    why: it is retired
`;

function policyOf(text: string) {
  const read = readPolicyFile(text);
  if (!read.ok) throw new Error(read.problems.join('\n'));
  return read.policy;
}

test('a host on the list is opened at once, or never, for the repositories it names', () => {
  const policy = policyOf(TEXT);
  const kindOf = (host: string, repo = 'acme/web') => standingOf(host, repo, policy).kind;
  assert.is(kindOf('pypi.org'), 'always');
  assert.is(kindOf('a.mirror.acme.dev'), 'always');
  assert.is(kindOf('a.mirror.acme.dev', 'other/web'), 'ask');
  assert.is(kindOf('mirror.acme.dev'), 'ask');
  assert.is(kindOf('xmirror.acme.dev'), 'ask');
  assert.is(kindOf('pastebin.com', 'any/thing'), 'never');
  assert.is(kindOf('a.pypi.org'), 'ask');
});

test('never wins over always, and says why', () => {
  assert.equal(standingOf('bad.mirror.acme.dev', 'acme/web', policyOf(TEXT)), { kind: 'never', why: 'it is retired' });
});

test('an empty file says nothing about any host', () => {
  assert.equal(policyOf(''), NO_POLICY);
  assert.equal(policyOf('allow:\nnever:\n'), NO_POLICY);
  assert.is(standingOf('pypi.org', 'a/b', NO_POLICY).kind, 'ask');
});

for (const [text, problem] of [
  ['allow: pypi.org', /^allow: must be a list/],
  ['allow: [pypi.org, "10.0.0.1"]', /^allow\[2\]\.host: Addresses cannot be opened/],
  ['allow: ["*"]', /^allow\[1\]\.host: Wildcards/],
  ['never: [{host: pypi.org, repo: [a/b]}]', /^never\[1\]: .*repo/],
  ['never: [{host: pypi.org, repos: [nonsense]}]', /^never\[1\]\.repos\[1\]: must be `org\/repo`/],
  ['never: [5]', /^never\[1\]: /],
  ['deny: [pypi.org]', /deny/],
  ['- pypi.org', /must have `allow:` or `never:`/],
  ['allow: [', /./],
  ['a: &a [x]\nallow: *a', /./],
] as const) {
  test(`a faulty file is refused with its place: ${JSON.stringify(text)}`, () => {
    const read = readPolicyFile(text);
    assert.is(read.ok, false);
    assert.match(read.ok ? '' : read.problems.join(' | '), problem);
  });
}

test('every problem of a file is named at once', () => {
  const read = readPolicyFile('allow: ["co.uk", "a.local"]\nnever: [""]');
  assert.is(read.ok ? 0 : read.problems.length, 3);
});

test.run();
