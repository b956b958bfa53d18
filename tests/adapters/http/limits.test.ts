import * as assert from 'node:assert/strict';
import fc from 'fast-check';
import { suite } from 'uvu';
import { createClientAddress, limitKey } from '../../../src/adapters/http/clientAddress.ts';
import { createTokenBuckets } from '../../../src/adapters/http/tokenBucket.ts';

const test = suite('rate limits');

const limits = fc.record({ rps: fc.integer({ min: 1, max: 50 }), burst: fc.integer({ min: 1, max: 100 }) });
/** Calls of one key, as the pauses before them in ms. */
const pauses = fc.array(fc.integer({ min: 0, max: 2_000 }), { minLength: 1, maxLength: 300 });

test('no stretch of time, however chosen, lets more through than burst plus rate', () => {
  fc.assert(
    fc.property(limits, pauses, ({ rps, burst }, waits) => {
      const buckets = createTokenBuckets({ rps, burst });
      const let_through: number[] = [];
      let now = 0;
      for (const wait of waits) {
        now += wait;
        if (buckets.take('a', now).ok) let_through.push(now);
      }
      for (let from = 0; from < let_through.length; from += 1) {
        for (let to = from; to < let_through.length; to += 1) {
          const seconds = ((let_through[to] ?? 0) - (let_through[from] ?? 0)) / 1000;
          if (to - from + 1 > burst + rps * seconds + 1e-6) return false;
        }
      }
      return true;
    }),
    { numRuns: 50 },
  );
});

test('who waits as long as told gets through, and not a millisecond too long', () => {
  fc.assert(
    fc.property(limits, ({ rps, burst }) => {
      const buckets = createTokenBuckets({ rps, burst });
      for (let i = 0; i < burst; i += 1) assert.ok(buckets.take('a', 0).ok);
      const refused = buckets.take('a', 0);
      assert.ok(!refused.ok && refused.retryAfterMs > 0);
      assert.ok(buckets.take('a', refused.retryAfterMs).ok);
      const other = createTokenBuckets({ rps, burst });
      for (let i = 0; i < burst; i += 1) other.take('a', 0);
      assert.ok(!other.take('a', refused.retryAfterMs - 2).ok);
    }),
  );
});

test('keys do not touch each other, and a clock that steps back gives nothing', () => {
  const buckets = createTokenBuckets({ rps: 1, burst: 1 });
  assert.ok(buckets.take('a', 1_000).ok);
  assert.ok(buckets.take('b', 1_000).ok);
  assert.ok(!buckets.take('a', 0).ok);
  assert.ok(!buckets.take('a', 1_500).ok, 'the step back did not start the wait anew');
  assert.ok(buckets.take('a', 2_000).ok);
});

test('memory stays bounded however many addresses come, and who is being limited is not forgotten for idle ones', () => {
  const buckets = createTokenBuckets({ rps: 1, burst: 2, maxKeys: 100 });
  for (let i = 0; i < 50; i += 1) buckets.take(`idle ${i}`, i);
  buckets.take('busy', 60_000);
  buckets.take('busy', 60_000);
  for (let i = 0; i < 90; i += 1) buckets.take(`new ${i}`, 60_000);
  assert.ok(!buckets.take('busy', 60_000).ok);
  for (let i = 0; i < 10_000; i += 1) buckets.take(`flood ${i}`, 60_000);
  assert.ok(buckets.size() <= 100);
});

test('X-Forwarded-For counts only from trusted proxies, and only its last untrusted entry', () => {
  const address = createClientAddress(['10.0.0.0/8', 'fd00::/8', '192.0.2.1']);
  assert.equal(address('203.0.113.9', '1.1.1.1'), '203.0.113.9', 'a stranger cannot choose an address');
  assert.equal(address('10.1.2.3', '1.1.1.1'), '1.1.1.1');
  assert.equal(address('::ffff:10.1.2.3', '1.1.1.1'), '1.1.1.1');
  assert.equal(address('10.1.2.3', 'forged, 8.8.8.8, 1.1.1.1, 192.0.2.1'), '1.1.1.1');
  assert.equal(address('10.1.2.3', ['8.8.8.8', '1.1.1.1, 10.0.0.7']), '1.1.1.1');
  assert.equal(address('fd00::1', '2001:DB8::7'), '2001:db8::7');
  assert.equal(address('10.1.2.3', '[2001:db8::7]:4711'), '2001:db8::7');
  assert.equal(address('10.1.2.3', '1.1.1.1:4711'), '1.1.1.1');
  assert.equal(address('10.1.2.3', 'nonsense'), '10.1.2.3');
  assert.equal(address('10.1.2.3', undefined), '10.1.2.3');
  assert.equal(address('10.1.2.3', '10.9.9.9'), '10.9.9.9', 'all trusted: the farthest');
  assert.equal(address(undefined, '1.1.1.1'), 'unknown');
});

test('whatever the header says, an untrusted peer is itself', () => {
  const address = createClientAddress(['10.0.0.0/8']);
  fc.assert(
    fc.property(
      fc.string(),
      fc.ipV4(),
      (header, left) => address('203.0.113.9', `${left},${header}`) === '203.0.113.9',
    ),
  );
});

test('a proxy that is not an address is refused by name', () => {
  for (const wrong of ['proxy.local', '10.0.0.0/33', '10.0.0.0/x', '10.0.0.0/8/8', '', '::1/129']) {
    assert.throws(() => createClientAddress([wrong]), /not an address or CIDR range/);
  }
});

test('an IPv6 customer is counted by network, an IPv4 one by address', () => {
  assert.equal(limitKey('2001:db8:0:1:aaaa::1'), limitKey('2001:db8::1:ffff:0:0:2'));
  assert.notEqual(limitKey('2001:db8:0:1::1'), limitKey('2001:db8:0:2::1'));
  assert.equal(limitKey('::1'), '0:0:0:0::/64');
  assert.equal(limitKey('1.2.3.4'), '1.2.3.4');
});

test.run();
