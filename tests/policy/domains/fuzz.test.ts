/** The short profile; CONTRIBUTING.md has the command for a million. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fuzzDomains } from './fuzz.ts';
import { mayBeOpened } from './oracle.ts';

test('of 40,000 fuzzed domains none is accepted that an independent judge would not open', () => {
  const { accepted, wronglyAccepted, wronglyRefused } = fuzzDomains(40_000, 20);
  assert.equal(wronglyAccepted, []);
  assert.equal(wronglyRefused, []);
  assert.ok(accepted > 3_000, `only ${accepted} accepted: the fuzz proves little`);
});

test('the judge itself tells good from bad', () => {
  const good = ['pypi.org', 'FILES.pythonhosted.org', 'xn--mnchen-3ya.de', 'a.b.co.uk', 'www.ck', 'fb.cc'];
  const bad = [
    'co.uk',
    'x.ck',
    'pypi.org.',
    'pypi',
    '0x7f.1',
    'a.1',
    'xn--80ak6aa92e.com',
    'a.foozle',
    'pypi.org\n',
    'a_b.com',
  ];
  assert.equal(
    good.filter((host) => !mayBeOpened(host)),
    [],
  );
  assert.equal(bad.filter(mayBeOpened), []);
});

test.run();
