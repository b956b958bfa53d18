import * as assert from 'node:assert/strict';
import fc from 'fast-check';
import { suite } from 'uvu';
import { type Action, signAction, verifyAction } from '../../../src/adapters/http/index.ts';

const test = suite('signed buttons');
const KEYS = { secret: 'secret', instance: 'one' };

const action: fc.Arbitrary<Action> = fc.record({
  approval: fc.string().map((key) => `approval/${key}`),
  action: fc.stringMatching(/^[A-Za-z0-9]{1,8}$/),
  generation: fc.nat(),
});

test('what was signed is verified', () => {
  fc.assert(
    fc.property(action, (each) => {
      const mac = signAction(KEYS, each);
      return /^[0-9a-f]{64}$/.test(mac) && verifyAction(KEYS, { ...each, mac });
    }),
  );
});

test('no part of a button can be changed, and no other gateway’s button is ours', () => {
  fc.assert(
    fc.property(action, (each) => {
      const mac = signAction(KEYS, each);
      const others = [
        { ...each, approval: `${each.approval}x` },
        { ...each, action: each.action === 'deny' ? 'approve' : 'deny' },
        { ...each, generation: each.generation + 1 },
      ];
      assert.ok(others.every((other) => !verifyAction(KEYS, { ...other, mac })));
      assert.ok(!verifyAction({ ...KEYS, instance: 'two' }, { ...each, mac }));
      assert.ok(!verifyAction({ ...KEYS, secret: 'Secret' }, { ...each, mac }));
    }),
  );
});

test('characters cannot wander from one part into the next', () => {
  const one = signAction(KEYS, { approval: 'approval/a', action: 'b1', generation: 1 });
  const two = signAction(KEYS, { approval: 'approval/ab', action: '1', generation: 1 });
  const quoted = signAction(KEYS, { approval: 'approval/a","b1', action: '', generation: 1 });
  assert.equal(new Set([one, two, quoted]).size, 3);
});

test('a MAC of any other shape is refused, not thrown at', () => {
  const each = { approval: 'approval/a', action: 'b', generation: 1 };
  const mac = signAction(KEYS, each);
  for (let i = 0; i < mac.length; i += 1) {
    const digit = mac[i] === '0' ? '1' : '0';
    assert.ok(!verifyAction(KEYS, { ...each, mac: mac.slice(0, i) + digit + mac.slice(i + 1) }));
  }
  fc.assert(fc.property(fc.string(), (text) => text === mac || !verifyAction(KEYS, { ...each, mac: text })));
  assert.ok(!verifyAction(KEYS, { ...each, mac: mac.toUpperCase() }));
});

test.run();
