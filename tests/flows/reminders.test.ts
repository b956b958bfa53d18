// People are reminded of a card that waits, where it waits, as they want to be called, once for each time.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type CardEffectPorts, cardHandlers } from '../../src/flows/cards.ts';
import type { ApprovalContext } from '../../src/machines/approval/context.ts';
import { CARD, CHANNEL, request, viewOf } from './clicks/request.ts';

interface Said {
  readonly key: string;
  readonly channelId: string;
  readonly rootId: string;
  readonly message: string;
}

/** @returns what was posted, and whom cards would call at that time */
async function remind(state: Parameters<typeof request>[0], time: number) {
  const actor = request(state);
  const said: Said[] = [];
  const called: ApprovalContext[] = [];
  const handlers = cardHandlers({
    runtime: { read: async () => viewOf(actor), deliver: async () => [] },
    posting: {
      create: async (post: Said) => {
        said.push(post);
        return 'reminder';
      },
    },
    notices: {
      forCard: async (context: ApprovalContext) => {
        called.push(context);
        return '@alice';
      },
    },
    permalink: (postId: string) => `http://chat/team/pl/${postId}`,
    now: () => actor.now(),
  } as unknown as CardEffectPorts);
  const remindHandler = handlers['chat.remind'] as (request: { params: object }) => Promise<unknown>;
  await remindHandler({ params: { approval: 'approval/p0/r1', time } });
  return { said, called, now: actor.now() };
}

test('a reminder stands in the thread of the card, leads to it, and calls whom the card would call now', async () => {
  const { said, called, now } = await remind('open', 2);
  const [first, ...more] = said;
  assert.equal(more, []);
  assert.equal([first?.channelId, first?.rootId], [CHANNEL, 'r']);
  assert.match(first?.message ?? '', /^@alice\n⏰ This still waits/);
  assert.ok(first?.message.includes(`http://chat/team/pl/${CARD}`));
  assert.is(first?.key, 'session/p0|reminder/r1/2', 'one for each time');
  assert.is(called[0]?.askedAt, now, 'although it was asked long ago');
});

test('nobody is reminded of what was answered while the reminder was on its way', async () => {
  for (const state of ['decided', 'withdrawn', 'opened'] as const) assert.equal((await remind(state, 1)).said, []);
});

test.run();
