import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Effect } from '../../src/machines/effects.ts';
import { type Driven, drive, kindsIn, told } from './support.ts';

const BY = { postId: 'p1', channelId: 'c', rootId: '', userId: 'u', userName: 'alice' };
const START = {
  ...BY,
  repo: { repo: 'acme/web', source: '/web', branch: '' },
  worktree: null,
  plan: false,
  review: false,
  model: '',
};

function boot(): Driven {
  return drive('gateway', 'gateway/root', { type: 'BOOT' });
}

function live(): Driven {
  const gateway = boot();
  gateway.send('RECOVERED');
  return gateway;
}

const toOperators = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => (effect.kind === 'chat.tellOperator' ? [effect.params.message] : []));
const replies = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => (effect.kind === 'chat.reply' ? [effect.params.message] : []));
const trouble = (name: string, reason = 'the chart is broken') => ({
  address: `session/${name}`,
  status: 'parked',
  reason,
});

test('it recovers, serves, drains, stops, and a new start leads back from each of these', () => {
  const gateway = boot();
  const path = [gateway.value()];
  for (const type of ['RECOVERED', 'DRAIN', 'DRAINED', 'BOOT', 'DRAIN', 'BOOT', 'RECOVERED', 'BOOT']) {
    gateway.send(type);
    path.push(gateway.value());
  }
  assert.equal(path, [
    'recovering',
    'live',
    'draining',
    'stopped',
    'recovering',
    'draining',
    'recovering',
    'live',
    'recovering',
  ]);
  assert.equal(gateway.unhandled, []);
});

test('it is degraded as long as a system does not answer, and knows which, since when and why', () => {
  const gateway = live();
  gateway.send('SYSTEM.DOWN', { system: 'vm', reason: 'no route' });
  const since = gateway.now();
  assert.equal(gateway.value(), { degraded: { chat: 'up', vm: 'down', firewall: 'up' } });
  gateway.send('SYSTEM.DOWN', { system: 'chat', reason: 'closed' });
  gateway.send('SYSTEM.DOWN', { system: 'vm', reason: 'refused' });
  gateway.send('SYSTEM.UP', { system: 'chat' });
  assert.equal(gateway.context().down, [{ system: 'vm', since, reason: 'refused' }]);
  gateway.send('SYSTEM.UP', { system: 'vm' });
  assert.is(gateway.value(), 'live');
});

test('what goes down while the process comes up is down when it serves', () => {
  const gateway = boot();
  gateway.send('SYSTEM.DOWN', { system: 'firewall', reason: 'x' });
  gateway.send('RECOVERED');
  assert.equal(gateway.value(), { degraded: { chat: 'up', vm: 'up', firewall: 'down' } });
});

test('a session is begun in every state but draining, where the refusal says so in words', () => {
  const gateway = live();
  assert.equal(told(gateway.send('COMMAND.START', START), 'START'), ['session/p1']);
  gateway.send('SYSTEM.DOWN', { system: 'vm', reason: 'x' });
  assert.equal(told(gateway.send('COMMAND.START', START), 'START'), ['session/p1']);
  gateway.send('DRAIN');
  const refused = gateway.send('COMMAND.START', START);
  assert.equal(told(refused, 'START'), []);
  assert.match(replies(refused).join(), /restarted[\s\S]*again/);
  assert.equal(kindsIn(gateway.send('COMMAND.HELP', { ...BY, place: 'top' })), ['chat.help']);
  gateway.send('DRAINED');
  // Nobody runs now: the process that comes next reads this.
  assert.equal(told(gateway.send('COMMAND.START', START), 'START'), ['session/p1']);
});

test('an operator hears of an actor that cannot go on, in whatever state the root is', () => {
  const gateway = boot();
  for (const type of ['RECOVERED', 'DRAIN', 'DRAINED']) {
    assert.match(toOperators(gateway.send('CHILD.TROUBLED', trouble('a'))).join(), /session\/a/);
    gateway.wait(60_000);
    gateway.send(type);
  }
  assert.match(toOperators(gateway.send('CHILD.TROUBLED', trouble('a'))).join(), /set aside: the chart is broken/);
  assert.equal(gateway.unhandled, []);
});

test('a storm of failures is told in few messages of bounded length, and none is forgotten', () => {
  const gateway = live();
  const messages: string[] = [];
  for (let i = 0; i < 100; i += 1) {
    messages.push(...toOperators(gateway.send('CHILD.TROUBLED', trouble(`s${i}`, 'x\n'.repeat(1000)))));
  }
  assert.is(messages.length, 1, 'the first at once');
  messages.push(...toOperators(gateway.wait(30_000)));
  assert.is(messages.length, 2, 'the rest together');
  assert.match(messages[1] ?? '', /`session\/s1`[\s\S]*and 89 more/);
  assert.ok(messages.every((message) => message.length < 4_000));
  assert.equal(toOperators(gateway.wait(3_600_000)), []);
  assert.equal(gateway.timers(), [], 'and then it waits for nothing');
  assert.is(toOperators(gateway.send('CHILD.TROUBLED', trouble('late'))).length, 1, 'at once again');
});

test.run();
