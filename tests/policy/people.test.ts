import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { mayUse } from '../../src/policy/people.ts';

const alice = { id: 'a'.repeat(26), name: 'alice' };

test('an empty list allows everybody, a list only those on it, by name or id', () => {
  assert.is(mayUse(alice, null, { users: [], repos: [] }).ok, true);
  assert.is(mayUse(alice, null, { users: ['bob'], repos: [] }).ok, false);
  assert.is(mayUse(alice, null, { users: ['bob', 'alice'], repos: [] }).ok, true);
  assert.is(mayUse(alice, null, { users: [alice.id], repos: [] }).ok, true);
});

test('a name that only begins like a listed one is not listed', () => {
  assert.is(mayUse({ id: 'x', name: 'alice2' }, null, { users: ['alice'], repos: [] }).ok, false);
});

for (const [pattern, repo, ok] of [
  ['acme/web', 'acme/web', true],
  ['acme/web', 'Acme/Web', true],
  ['acme/web', 'acme/web2', false],
  ['acme/*', 'acme/anything', true],
  ['acme/*', 'acme/any/thing', false],
  ['acme/*', 'acmex/web', false],
  ['acme/web-*', 'acme/web-app', true],
  ['acme/web.app', 'acme/webxapp', false],
  ['*', 'any/thing', true],
] as const) {
  test(`the pattern ${pattern} ${ok ? 'allows' : 'refuses'} ${repo}`, () => {
    assert.is(mayUse(alice, repo, { users: [], repos: [pattern] }).ok, ok);
  });
}

test('a refusal says what to do next', () => {
  const refused = mayUse(alice, 'acme/web', { users: [], repos: ['other/*'] });
  assert.match(refused.ok ? '' : refused.human, /Ask whoever runs this bot/);
});

test.run();
