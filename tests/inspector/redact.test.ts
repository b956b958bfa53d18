// What leaves the inspector holds no secret that is known, shaped like one, or under a name that says so.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRedact } from '../../src/inspector/redact.ts';

const test = suite('redaction');

const redact = createRedact(['correct horse battery', 'short', 'p@ss/word1']);

test('known values go wherever they stand, in names and encoded, too', () => {
  assert.equal(redact({ text: 'it is correct horse battery!' }), { text: 'it is [redacted]!' });
  assert.equal(redact(['a', { b: ['correct horse battery'] }]), ['a', { b: ['[redacted]'] }]);
  assert.equal(redact({ 'correct horse battery': 1 }), { '[redacted]': 1 });
  assert.equal(redact(`https://x/?q=${encodeURIComponent('p@ss/word1')}`), 'https://x/?q=[redacted]');
});

test('a value too short to be a secret does not eat words', () => {
  assert.is(redact('a short word'), 'a short word');
});

test('texts under telling names go, numbers and other names stay', () => {
  for (const name of ['token', 'accessToken', 'API_KEY', 'x-api-key', 'Authorization', 'ssh_key', 'mac', 'passwd']) {
    assert.equal(redact({ [name]: 'value' }), { [name]: '[redacted]' }, name);
  }
  const plain = {
    key: 'session/a',
    dedupKey: 'post/1',
    contextTokens: 1234,
    keyboard: 'de',
    machine: 'vm',
    tokenized: 'yes',
    empty: { token: '' },
  };
  assert.equal(redact(plain), plain);
  assert.equal(redact({ secrets: { a: ['x', { b: 'y' }], n: 1 } }), {
    secrets: { a: ['[redacted]', { b: '[redacted]' }], n: 1 },
  });
});

test('what is shaped like a credential goes out of running text', () => {
  const samples = [
    `sk-ant-api03-${'a'.repeat(20)}`,
    `ghp_${'a1'.repeat(18)}`,
    `github_pat_${'a1'.repeat(20)}`,
    `xoxb-${'1'.repeat(12)}`,
    `AKIA${'A1'.repeat(8)}`,
    `eyJ${'a'.repeat(12)}.eyJ${'b'.repeat(12)}.${'c'.repeat(12)}`,
    '-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----',
  ];
  for (const sample of samples) assert.is(redact(`run ${sample} now`), 'run [redacted] now', sample);
  assert.is(redact('Authorization: Bearer abcdefgh1234'), 'Authorization: Bearer [redacted]');
  assert.is(redact('postgres://user:hunter22@db:5432/x'), 'postgres://user:[redacted]@db:5432/x');
});

test('everything else comes through as it is', () => {
  const value = { a: null, b: true, c: 1.5, d: 'https://example.org:8080/a@b', e: [] };
  assert.equal(redact(value), value);
});

test.run();
