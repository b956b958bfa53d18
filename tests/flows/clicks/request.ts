/** A request of the agent with its card, brought into a state. Of a card that was put up anew, people press the deleted one. */
import type { ActorView } from '../../../src/actors/index.ts';
import type { JsonObject } from '../../../src/machines/json.ts';
import { request as asked } from '../../machines/sessionEvents.ts';
import { type Driven, drive } from '../../machines/support.ts';
import type { Made } from './oracle.ts';

export const ADDRESS = 'approval/p0/r1';
export const CARD = 'the-card';
export const CHANNEL = 'the-channel';

export function request(state: Made['request']): Driven {
  const event = { type: 'REQUESTED', session: 'session/p0', repo: 'acme/web', askedFor: { id: 'u', name: 'alice' } };
  const input = { inputJson: JSON.stringify({ hosts: ['pypi.org'], reason: 'x' }) };
  const actor = drive('approval', ADDRESS, {
    ...event,
    ...asked('r1'),
    kind: 'network',
    ...input,
    channelId: CHANNEL,
    rootId: 'r',
  });
  actor.done('firewall.check', { standing: 'ask', hosts: ['pypi.org'], warnings: [], words: '' });
  actor.send('CARD.POSTED', { postId: CARD });
  switch (state) {
    case 'open':
      break;
    case 'decided': {
      const by = { id: 'first', name: 'first' };
      actor.send('DECIDE', { verdict: { outcome: 'denied', by, at: 0, words: '', answers: {} } });
      break;
    }
    case 'opened': {
      const by = { id: 'first', name: 'first' };
      actor.send('DECIDE', { verdict: { outcome: 'approved', by, at: 0, words: '', answers: {}, scope: 'session' } });
      actor.done('firewall.allow', { enforced: true, late: [] });
      actor.done('worker.probe', { reachable: true, error: '' });
      actor.done('worker.decide');
      break;
    }
    case 'withdrawn':
      actor.send('WITHDRAW', { reason: 'The turn ended.' });
      break;
    case 'reposted':
      actor.send('CARD.DELETED');
      actor.send('CARD.POSTED', { postId: 'the-second-card' });
      break;
  }
  return actor;
}

/** As the runtime reads it. */
export function viewOf(actor: Driven): ActorView {
  return {
    address: ADDRESS,
    kind: 'approval',
    status: 'active',
    version: 1,
    rev: 1,
    value: actor.value(),
    context: actor.context() as JsonObject,
    tags: [],
    parent: undefined,
    wakeAt: undefined,
  };
}
