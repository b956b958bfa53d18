// Cold starts: no more at once than there may be, whoever asks in whichever order.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type EffectRequest, silentLog } from '../../../src/actors/index.ts';
import { admissionHandlers } from '../../../src/flows/vmWorkspace/admission.ts';
import type { Address } from '../../../src/machines/addresses.ts';
import type { Json } from '../../../src/machines/json.ts';
import { until } from '../../support/sshd.ts';

const live = { signal: new AbortController().signal, log: silentLog };

function world(most: number) {
  const states = new Map<Address, Json>();
  const parked = new Set<Address>();
  const told: string[] = [];
  const handlers = admissionHandlers({
    most,
    states: async () =>
      [...states].map(([address, value]) => ({ address, value, status: parked.has(address) ? 'parked' : 'active' })),
    vmState: () => ({ up: true, since: 0, reason: '' }),
    now: Date.now,
    runtime: {
      read: async () => undefined,
      deliver: async (items) => {
        for (const { event } of items) told.push(String(event.text));
        return items.map(() => 'accepted' as const);
      },
    },
  });
  const ask = (name: string, signal = live.signal) => {
    const container: Address = `container/acme/${name}@`;
    if (!states.has(container)) states.set(container, { starting: 'queued' });
    const params = { repo: { repo: `acme/${name}`, source: '', branch: '' }, container, generation: 1 };
    const request: EffectRequest<'workspace.admit'> = {
      ...{ key: `${container}/1/0`, actor: container, kind: 'workspace.admit', params },
      ...{ attempt: 1, deadline: Date.now() + 60_000 },
    };
    let done = false;
    const answer = handlers['workspace.admit'](request, { ...live, signal }).then(() => {
      done = true;
    });
    return { container, answer, isDone: () => done };
  };
  return { states, parked, told, ask };
}

test('who is let in counts from that moment on, also before it is seen on its way', async () => {
  const { states, told, ask } = world(2);
  await ask('a').answer;
  await ask('b').answer;
  const third = ask('c');
  await until('it is told that it has to wait', () => told.some((text) => /Waiting until fewer/.test(text)));
  assert.not(third.isDone());
  states.set('container/acme/a@', { starting: 'building' });
  states.set('container/acme/b@', 'failed');
  await third.answer;
});

test('after a restart of the machine those that come up again wait and count like others', async () => {
  const { states, ask } = world(1);
  states.set('container/acme/a@', { recovering: 'queued' });
  states.set('container/acme/b@', { recovering: 'queued' });
  await ask('a').answer;
  states.set('container/acme/a@', { recovering: 'startingContainer' });
  const second = ask('b');
  const third = ask('c');
  states.set('container/acme/a@', { running: { guests: 'occupied', health: 'healthy' } });
  await Promise.race([second.answer, third.answer]);
  assert.is([second, third].filter((each) => each.isDone()).length, 1);
  states.set('container/acme/b@', 'failed');
  states.set('container/acme/c@', 'failed');
  await Promise.all([second.answer, third.answer]);
});

test('containers that run or are asked for again do not count', async () => {
  const { states, ask } = world(1);
  states.set('container/acme/x@', { running: { guests: 'occupied', health: 'healthy' } });
  states.set('container/acme/y@', { starting: 'queued' });
  await ask('a').answer;
  await ask('a').answer;
});

test('a container that was set aside in the middle of its way up holds no place', async () => {
  const { states, parked, ask } = world(1);
  states.set('container/acme/x@', { starting: 'building' });
  parked.add('container/acme/x@');
  await ask('a').answer;
});

test('who waits gives up when the process ends', async () => {
  const { states, ask } = world(1);
  states.set('container/acme/x@', { starting: 'cloning' });
  const giveUp = new AbortController();
  const waiting = ask('a', giveUp.signal);
  giveUp.abort(new Error('stopping'));
  assert.is(
    await waiting.answer.then(
      () => 'let in',
      () => 'gave up',
    ),
    'gave up',
  );
});

test.run();
