// When a card is posted, and when it is known: nobody can decide by one that is not.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ActorView } from '../../src/actors/index.ts';
import { type CardEffectPorts, cardHandlers } from '../../src/flows/cards.ts';
import type { OncePost } from '../../src/flows/posting.ts';

const APPROVAL = 'approval/s/r' as const;
const REQUEST = {
  key: 'k',
  actor: APPROVAL,
  kind: 'chat.card',
  deadline: 0,
  attempt: 1,
  params: { approval: APPROVAL },
} as const;

function handlers(changes: Partial<CardEffectPorts>) {
  const made: OncePost[] = [];
  const context = { cardGeneration: 1, cardPostId: '', session: 'session/s', channelId: 'c', rootId: 'r' };
  const ports: Partial<CardEffectPorts> = {
    cards: { render: () => ({ message: 'The agent asks', props: {} }) },
    runtime: {
      read: async () => ({ kind: 'approval', context }) as unknown as ActorView,
      deliver: async () => [],
    },
    posting: {
      async create(post) {
        made.push(post);
        return 'p1';
      },
      call: () => Promise.reject(new Error('nothing else is asked of the chat')),
    },
    settleThread: async () => undefined,
    notices: { forCard: async () => '@alice Claude waits for you:' },
    whoIsMissing: async () => '',
    ...changes,
  };
  const { 'chat.card': card } = cardHandlers(ports as CardEffectPorts);
  return { made, card: () => card(REQUEST) };
}

test('a card that is posted is known at once, though the chat server does not say who is in the channel', async () => {
  const { made, card } = handlers({ whoIsMissing: () => new Promise(() => undefined), patienceMs: 20 });
  assert.equal(await card(), { postId: 'p1', missing: '' });
  assert.is(made[0]?.message, '@alice Claude waits for you:\nThe agent asks');
});

test('who is missing is told with the card where it is found out in time', async () => {
  const { card } = handlers({ whoIsMissing: async () => 'Nobody here may decide.', patienceMs: 60_000 });
  assert.equal(await card(), { postId: 'p1', missing: 'Nobody here may decide.' });
});

test.run();
