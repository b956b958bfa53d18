// Clicks on cards, at the moments in which the stored state and what people see differ.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../src/actors/index.ts';
import type { CallbackBody } from '../../src/adapters/http/index.ts';
import { createCards } from '../../src/flows/cards.ts';
import { type DecisionPorts, decide, type RefusedDecision } from '../../src/flows/decisions.ts';
import { request } from '../machines/sessionEvents.ts';
import { type Driven, drive } from '../machines/support.ts';
import { ADDRESS, viewOf } from './clicks/request.ts';

const CARD = 'the-card';
const cards = createCards({ callbackUrl: 'http://gateway/callback', reach: '', sign: (action) => ({ ...action }) });

function approval(): Driven {
  const asked = { type: 'REQUESTED', session: 'session/p0', repo: 'acme/web', askedFor: { id: 'u', name: 'alice' } };
  return drive('approval', ADDRESS, { ...asked, ...request('r1'), channelId: 'c', rootId: 'r' });
}

function click(changes: Partial<CallbackBody> = {}): CallbackBody {
  const context = { approval: ADDRESS, action: 'approve', generation: 1, mac: '0'.repeat(64) } as const;
  const person = { userId: 'bob-id', userName: 'bob', teamId: '', type: '' };
  return { ...person, channelId: 'c', postId: CARD, triggerId: 't', context, ...changes };
}

/** @param onRead what happens while the click looks, by the number of looks so far */
function portsFor(actor: Driven, onRead: (looks: number) => void = () => undefined): DecisionPorts {
  let looks = 0;
  return {
    runtime: {
      async read() {
        onRead(looks);
        looks += 1;
        return viewOf(actor);
      },
      async deliverAndWait({ event }) {
        const { type, ...fields } = event;
        actor.send(type, fields);
        return 'done';
      },
    },
    cards,
    verify: () => true,
    mayClose: ({ id }) => id !== 'eve-id',
    mayOpenForGood: () => false,
    whyNot: async () => undefined,
    onRefused: async () => undefined,
    log: silentLog,
    now: () => looks * 1_000,
  };
}

test('a click on a card that is not known yet is kept until it is, and then counts', async () => {
  const actor = approval();
  const ports = portsFor(actor, (looks) => {
    if (looks === 3) actor.send('CARD.POSTED', { postId: CARD });
  });
  const answer = await decide(ports, click());
  assert.is(answer.ephemeralText, undefined);
  assert.match(JSON.stringify(answer.update), /bob/);
  assert.is((actor.context() as { verdict: { by: { id: string } } }).verdict.by.id, 'bob-id');
});

test('a click on a card that never becomes known is asked for again, and decides nothing', async () => {
  const actor = approval();
  const answer = await decide(portsFor(actor), click());
  assert.match(answer.ephemeralText ?? '', /click again/);
  assert.is((actor.context() as { verdict: unknown }).verdict, null);
});

test('a click on another post, or on an older card, waits for nothing and decides nothing', async () => {
  for (const wrong of [click({ postId: 'another' }), click({ channelId: 'elsewhere' })]) {
    const actor = approval();
    actor.send('CARD.POSTED', { postId: CARD });
    assert.match((await decide(portsFor(actor), wrong)).ephemeralText ?? '', /not valid/);
    assert.is((actor.context() as { verdict: unknown }).verdict, null);
  }
  const again = approval();
  again.send('CARD.POSTED', { postId: CARD });
  again.send('CARD.DELETED');
  assert.match((await decide(portsFor(again), click())).ephemeralText ?? '', /not valid/);
});

test('two clicks at once are one decision; who came second is told, and sees what was decided', async () => {
  const actor = approval();
  actor.send('CARD.POSTED', { postId: CARD });
  const ports = portsFor(actor);
  const deny = { ...click().context, action: 'deny' };
  const answers = await Promise.all([
    decide(ports, click()),
    decide(ports, click({ userId: 'carol-id', userName: 'carol', triggerId: 't2', context: deny })),
  ]);
  const [first, second] = answers;
  assert.is(first?.ephemeralText, undefined);
  assert.match(second?.ephemeralText ?? '', /quicker|decided already/);
  assert.equal(first?.update, second?.update);
  assert.is(actor.asked.filter((effect) => effect.kind === 'worker.decide').length, 1);
});

test('two people: the same one twice is told to wait for another, the second one decides, both are on the card', async () => {
  const asked = { type: 'REQUESTED', session: 'session/p0', repo: 'acme/web', askedFor: { id: 'u', name: 'alice' } };
  const birth = { ...asked, ...request('r1'), channelId: 'c', rootId: 'r' };
  const actor = drive('approval', ADDRESS, birth, { SM_TWO_APPROVERS: 'true' });
  actor.send('CARD.POSTED', { postId: CARD });
  const ports = portsFor(actor);
  const decided = () => (actor.context() as { verdict: unknown }).verdict !== null;
  for (const triggerId of ['t1', 't2']) {
    const answer = await decide(ports, click({ triggerId }));
    assert.match(answer.ephemeralText ?? '', /Another person has to agree/);
    assert.match(JSON.stringify(answer.update), /bob: agreed/);
    assert.not.ok(decided());
  }
  // Another name does not make another person.
  await decide(ports, click({ userName: 'robert', triggerId: 't3' }));
  assert.not.ok(decided());
  const last = await decide(ports, click({ userId: 'carol-id', userName: 'carol', triggerId: 't4' }));
  assert.is(last.ephemeralText, undefined);
  assert.ok(decided());
  assert.match(JSON.stringify(last.update), /Approved \(.*carol/);
  const recorded = actor.asked.find(
    (effect) => effect.kind === 'audit.record' && effect.params.action === 'approval.approved',
  );
  assert.match(JSON.stringify(recorded), /bob-id.*carol|carol.*bob-id/);
  assert.is(actor.asked.filter((effect) => effect.kind === 'worker.decide').length, 1);
});

function opened(): Driven {
  const asked = { type: 'REQUESTED', session: 'session/p0', repo: 'acme/web', askedFor: { id: 'u', name: 'alice' } };
  const network = { ...request('r1'), kind: 'network', inputJson: '{"hosts":["pypi.org"],"reason":"pip"}' };
  const actor = drive('approval', ADDRESS, { ...asked, ...network, channelId: 'c', rootId: 'r' });
  actor.done('firewall.check', { standing: 'ask', hosts: ['pypi.org'], warnings: [], words: '' });
  actor.send('CARD.POSTED', { postId: CARD });
  const by = { id: 'bob-id', name: 'bob' };
  actor.send('DECIDE', { verdict: { outcome: 'approved', by, at: 1, words: '', answers: {}, scope: 'session' } });
  actor.done('firewall.allow', { enforced: true, late: [] });
  actor.done('worker.probe', { reachable: true, error: '' });
  actor.done('worker.decide');
  return actor;
}

const toClose = (changes: Partial<CallbackBody> = {}) =>
  click({ context: { ...click().context, action: 'close' }, ...changes });

test('what is open can be closed from its card, by whoever may use the bot, and only once', async () => {
  const actor = opened();
  const ports = { ...portsFor(actor), whyNot: async () => 'You may not approve.' };
  const answer = await decide(ports, toClose({ userId: 'carol-id', userName: 'carol' }));
  assert.is(answer.ephemeralText, undefined);
  assert.match(JSON.stringify(answer.update), /Being closed\. Closed by carol/);
  assert.not.match(JSON.stringify(answer.update), /"actions":\[\{/);
  assert.is(actor.value(), 'closing');
  const again = await decide(ports, toClose({ triggerId: 't2' }));
  assert.match(again.ephemeralText ?? '', /nothing open/);
  actor.done('firewall.revoke');
  assert.is(actor.asked.filter(({ kind }) => kind === 'firewall.revoke').length, 1);
});

test('each button of each card is a click of its own, also where the server names no trigger', async () => {
  const keys: string[] = [];
  const actor = approval();
  actor.send('CARD.POSTED', { postId: CARD });
  const plain = portsFor(actor);
  const ports: DecisionPorts = {
    ...plain,
    runtime: {
      read: plain.runtime.read,
      deliverAndWait: async (item) => {
        keys.push(item.dedupKey);
        return 'timeout';
      },
    },
  };
  for (const action of ['approve', 'deny', 'approve']) {
    await decide(ports, click({ triggerId: '', context: { ...click().context, action } }));
  }
  assert.is(new Set(keys).size, 2);
  assert.is(keys[0], keys[2]);
});

test('nobody closes by another post, as a stranger, or what is not open; it is recorded', async () => {
  const refused: RefusedDecision[] = [];
  for (const [actor, wrong] of [
    [opened(), toClose({ postId: 'another' })],
    [opened(), toClose({ channelId: 'elsewhere' })],
    [opened(), toClose({ userId: 'eve-id', userName: 'carol' })],
  ] as const) {
    const ports = { ...portsFor(actor), onRefused: async (each: RefusedDecision) => void refused.push(each) };
    const answer = await decide(ports, wrong);
    assert.match(answer.ephemeralText ?? '', /not valid|not one of the people/);
    assert.is(actor.value(), 'active');
  }
  assert.is(refused.length, 3);
  const waiting = approval();
  waiting.send('CARD.POSTED', { postId: CARD });
  assert.match((await decide(portsFor(waiting), toClose())).ephemeralText ?? '', /nothing open/);
  assert.is(waiting.value(), 'pending');
});

test('RT-26: who may not decide gets words, the card stays as it is, and the click is recorded', async () => {
  const actor = approval();
  actor.send('CARD.POSTED', { postId: CARD });
  const refused: RefusedDecision[] = [];
  const ports = {
    ...portsFor(actor),
    whyNot: async () => 'You are not one of the people who may decide this.',
    onRefused: async (each: RefusedDecision) => void refused.push(each),
  };
  const answer = await decide(ports, click());
  assert.match(answer.ephemeralText ?? '', /not one of the people/);
  assert.is(answer.update, undefined);
  assert.equal(
    refused.map(({ by, approval, action }) => [by.id, approval, action]),
    [['bob-id', ADDRESS, 'approve']],
  );
  assert.is((actor.context() as { verdict: unknown }).verdict, null);
});

test.run();
