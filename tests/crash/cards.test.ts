// @limit 400
/** Cards that wait while the gateway is killed, and many of them at once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { breachesOf } from './judge.ts';
import { endOnePod, type OnePod, startOnePod } from './onePod.ts';
import { openThread, type Thread, task } from './thread.ts';
import { until } from './waiting.ts';

interface Context extends OnePod {
  thread: Thread;
}

const test = suite<Context>('cards that wait');

test.before(async (context) => {
  const { world, board } = await startOnePod(context);
  context.thread = await openThread(world, board, 'cards');
});

test.after(endOnePod);

const isOpen = async ({ user }: Thread, card: string) => (await user.card(card)).buttons.length > 0;

test('RT-20: a card that waited through a restart works: the first click that reaches a gateway counts', async (context) => {
  const { world, pod, thread } = context;
  for (const token of ['t1', 't2', 't3']) {
    await thread.ask(task(token, { ask: 'tool' }));
    const card = await thread.cardOf(token);
    await pod.kill();
    // The chat itself tells who clicks into the void. The first click that is passed on is the only one.
    for (; !(await thread.user.press(card, 'approve')); await sleep(20)) assert.ok(await isOpen(thread, card));
    await until(`the click on the card of ${token}`, async () => !(await isOpen(thread, card)));
    assert.match((await thread.user.card(card)).text, /Approved \(ann/);
    await thread.answered(token);
    assert.not.ok(await thread.user.press(card, 'deny'), 'no button is left to press');
  }
  assert.equal(await breachesOf(world), []);
});

test('RT-22: of five requests at once each is answered by its own card, in any order', async (context) => {
  const { world, board, pod, thread } = context;
  const orders = [
    [5, 3, 1, 2, 4],
    [2, 5, 4, 1, 3],
  ];
  for (const [round, order] of orders.entries()) {
    const token = `t${10 + round}`;
    await thread.ask(task(token, { ask: 'five' }));
    const cards = new Map<number, string>();
    for (const number of order) cards.set(number, await thread.cardOf(`${token}n${number}`));
    assert.is(new Set(cards.values()).size, 5, 'one card each');
    const isDenied = (number: number) => (number + round) % 2 === 0;
    for (const [index, number] of order.entries()) {
      if (index === 2) await pod.kill();
      const card = cards.get(number) ?? '';
      for (; await isOpen(thread, card); await sleep(50)) {
        await thread.user.press(card, isDenied(number) ? 'deny' : 'approve');
      }
    }
    await thread.answered(token);
    const said = board.replies(thread.rootId).map(({ message }) => message);
    for (const number of order) {
      const word = `${token}n${number}${isDenied(number) ? 'denied' : 'approved'}`;
      assert.ok(
        said.some((message) => message.includes(word)),
        word,
      );
    }
  }
  assert.equal(await breachesOf(world), []);
});

test.run();
