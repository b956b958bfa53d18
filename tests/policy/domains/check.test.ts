import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { checkDomain, checkHosts } from '../../../src/policy/domains/index.ts';

const LONG_LABEL = `${'a'.repeat(64)}.com`;
const LONG_NAME = `${'abc.'.repeat(63)}abc.com`;

for (const [refusal, examples] of Object.entries({
  empty: [''],
  tooLong: [LONG_LABEL, LONG_NAME, `${'a.'.repeat(600)}com`],
  control: [
    'pypi.org\n',
    'pypi.org\nevil.com',
    'py pi.org',
    'pypi\u200b.org',
    '\u202egro.ipyp',
    'pypi.org\u0000',
    ' pypi.org',
  ],
  wildcard: ['*', '*.pypi.org', 'pypi.*', 'p*pi.org'],
  url: ['https://pypi.org', 'pypi.org/simple', 'user@pypi.org', 'pypi.org?x=1', 'pypi.org#top', 'pypi.org\\x'],
  port: ['pypi.org:443', 'pypi.org:', 'pypi.org:8080'],
  address: [
    ...[
      '127.0.0.1',
      '127.1',
      '2130706433',
      '0x7f000001',
      '017700000001',
      '0x7f.0.0.1',
      '1.2.3.4.',
      '1.2.3.4:80',
      '1.2.3.4/24',
    ],
    ...[
      '::1',
      '[::1]',
      'fe80::1%eth0',
      '::ffff:10.0.0.1',
      '1.2.3',
      'pypi.org.1',
      'pypi.0x1',
      '１２７.０.０.１',
      '127。0。0。1',
    ],
  ],
  notAscii: ['münchen.de', 'ｐｙｐｉ.org', 'pypi。org', 'аpple.com'],
  malformed: [
    'pypi..org',
    '.pypi.org',
    'pypi.org.',
    '-pypi.org',
    'pypi-.org',
    'py_pi.org',
    'py%00pi.org',
    'ab--cd.com',
    'a;b.com',
    '$(id).com',
  ],
  singleLabel: ['pypi', 'llm_approved_domains'.replaceAll('_', '-'), 'com'],
  internal: [
    ...[
      'localhost',
      'db.local',
      'metadata.google.internal',
      'router.lan',
      'x.home.arpa',
      'a.test',
      'example.com',
      'x.onion',
    ],
    ...['1.0.0.127.in-addr.arpa', '10-0-0-1.nip.io', 'a.sslip.io', 'localtest.me', 'svc.cluster.local'],
  ],
  punycode: ['xn--a.com', 'xn--abc.com'],
  lookalike: ['xn--80ak6aa92e.com', 'xn--pypi-63d.org', 'xn--0ra32k.io', 'xn--pple-43d.com'],
  publicSuffix: ['co.uk', 'x.ck', 'kawasaki.jp', 'gov.au'],
  notPublic: ['a.foozle', 'pypi.orgg', 'a.b.c.zzz'],
})) {
  test(`refused before anybody is asked, as ${refusal}`, () => {
    for (const raw of examples) {
      const verdict = checkDomain(raw);
      assert.is(verdict.ok ? 'accepted' : verdict.refusal, refusal, JSON.stringify(raw));
      if (!verdict.ok) assert.ok(verdict.human.length > 20);
    }
  });
}

test('a public name is accepted, in lower case', () => {
  for (const raw of [
    'pypi.org',
    'PyPI.org',
    'files.pythonhosted.org',
    'fb.cc',
    'a.b.co.uk',
    'xn--mnchen-3ya.de',
    'xn--wgv71a119e.jp',
    '3com.com',
    'www.ck',
    'a.xn--p1ai',
  ]) {
    const verdict = checkDomain(raw);
    assert.is(verdict.ok ? verdict.host : verdict.refusal, raw.toLowerCase());
  }
});

for (const [host, warning] of [
  ['pypl.org', /looks like pypi\.org/],
  ['g00gle.com', /looks like google\.com/],
  ['rnicrosoft.com', /looks like microsoft\.com/],
  ['pypi.org.evil.com', /looks like pypi\.org/],
  ['xn--mnchen-3ya.de', /münchen\.de/],
  ['github.io', /Many owners/],
  ['files.pythonhosted.org', /^$/],
  ['evil.com', /^$/],
] as const) {
  test(`a card of ${host} warns: ${warning.source}`, () => {
    const verdict = checkDomain(host);
    assert.match(verdict.ok ? verdict.warning : 'refused', warning);
  });
}

test('a name of the operator is protected against imitation, too', () => {
  const verdict = checkDomain('acrne.dev', ['acme.dev']);
  assert.match(verdict.ok ? verdict.warning : '', /looks like acme\.dev/);
});

test('up to five hosts make one request, repeated ones count once', () => {
  const five = ['a.com', 'b.com', 'c.com', 'd.com', 'e.com'];
  const verdict = checkHosts([...five, 'A.com']);
  assert.equal(verdict.ok ? verdict.hosts.map(({ host }) => host) : verdict.human, five);
  const six = checkHosts([...five, 'f.com']);
  assert.match(six.ok ? '' : six.human, /at most 5/);
  assert.is(checkHosts([]).ok, false);
});

test('one bad host refuses the request, and every bad one is named with its reason', () => {
  const verdict = checkHosts(['pypi.org', '*.com', 'https://x.com/\n# Approved']);
  assert.is(verdict.ok, false);
  const human = verdict.ok ? '' : verdict.human;
  assert.match(human, /Nobody was asked\..*Host 2: Wildcards.*Host 3: .*no spaces/);
  assert.not.match(human, /Approved/);
});

test.run();
