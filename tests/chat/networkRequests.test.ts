import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { writtenRequests } from '../../src/chat/networkRequests.ts';

const hosts = (text: string) => writtenRequests(text).map((request) => request.hosts);

test('a request in words stands at the start of a line and may give its reason behind it', () => {
  assert.equal(writtenRequests('I need this:\n[NETWORK_REQUEST: pypi.org] to install requests\nThen I go on.'), [
    { hosts: ['pypi.org'], reason: 'to install requests' },
  ]);
  assert.equal(hosts('[NETWORK_REQUEST: pypi.org]'), [['pypi.org']]);
  assert.equal(hosts('[NETWORK_REQUEST:pypi.org]\r\nx'), [['pypi.org']]);
});

test('elsewhere it is talk about requests: in a sentence, in quotes, in lists, in code', () => {
  for (const text of [
    'Write [NETWORK_REQUEST: pypi.org] to ask.',
    ' [NETWORK_REQUEST: pypi.org]',
    '> [NETWORK_REQUEST: pypi.org]',
    '- [NETWORK_REQUEST: pypi.org]',
    '`[NETWORK_REQUEST: pypi.org]`',
    '    [NETWORK_REQUEST: pypi.org]',
    '```\n[NETWORK_REQUEST: pypi.org]\n```',
    '~~~sh\n[NETWORK_REQUEST: pypi.org]\n~~~',
    '```\nunfinished\n[NETWORK_REQUEST: pypi.org]',
    '[NETWORK_REQUEST pypi.org]',
    '[NETWORK_REQUEST: ]',
    '[NETWORK_APPROVED: pypi.org]',
    '[NETWORK_REQUEST:\npypi.org]',
  ]) {
    assert.equal(hosts(text), [], text);
  }
  assert.equal(hosts('```\ncode\n```\n[NETWORK_REQUEST: pypi.org]'), [['pypi.org']]);
});

test('each host is asked for once, several on one card, and a long list is cut', () => {
  const line = (host: string) => `[NETWORK_REQUEST: ${host}]`;
  assert.equal(hosts([line('pypi.org'), line('PyPI.org'), line('crates.io, npmjs.org')].join('\n')), [
    ['PyPI.org', 'crates.io', 'npmjs.org'],
  ]);
  const many = Array.from({ length: 40 }, (_, index) => line(`h${index}.example.org`)).join('\n');
  assert.equal(
    hosts(many).map((some) => some.length),
    [5, 5, 5],
  );
});

test.run();
