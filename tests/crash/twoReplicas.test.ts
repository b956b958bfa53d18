// @limit 300
/**
 * RT-5. Two gateways with one bot account. Who acts is seen from outside: each has a way to the chat of its own, and whoever
 * acts keeps a connection open there.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freePort } from '../../simulator/src/dev/gateway.ts';
import { type FaultProxy, startFaultProxy } from '../support/faultProxy.ts';
import { type Balancer, startBalancer } from './balancer.ts';
import { type Board, followBoard } from './board.ts';
import { chatUser } from './chatUser.ts';
import { podOf, untilHealthy } from './fleet.ts';
import { breachesOf, ranIn } from './judge.ts';
import type { Pod } from './pod.ts';
import { openThread, type Thread, task } from './thread.ts';
import { until, untilListening } from './waiting.ts';
import { whispersTo } from './whispers.ts';
import { type CrashWorld, linesOf, startWorld } from './world.ts';

const POSTS = 12;

interface Replica {
  readonly pod: Pod;
  readonly toChat: FaultProxy;
}

interface Context {
  world: CrashWorld;
  board: Board;
  replicas: Replica[];
  balancer: Balancer;
}

const test = suite<Context>('two replicas');

test.before(async (context) => {
  const world = await startWorld();
  context.world = world;
  context.board = followBoard(world.chat);
  context.replicas = [];
  for (const name of ['left', 'right']) {
    const toChat = await startFaultProxy({ host: '127.0.0.1', port: world.chat.port });
    const env = { SM_MATTERMOST_URL: `http://127.0.0.1:${toChat.port}` };
    context.replicas.push({ pod: podOf(world, { sabotage: '' }, { name, port: await freePort(), env }), toChat });
  }
  context.balancer = await startBalancer(world.callbackPort, () => context.replicas.map(({ pod }) => pod.port));
  for (const { pod } of context.replicas) await untilHealthy(pod);
  await untilListening(world);
});

test.after(async ({ world, replicas = [], balancer }) => {
  for (const { pod } of replicas) await pod.retire();
  for (const { toChat } of replicas) await toChat.close();
  await balancer?.close();
  await world?.stop();
});

/** Cuts everybody off from the chat for a moment and waits who comes back: one replica, and no other. */
async function acting({ replicas }: Context): Promise<Replica> {
  for (const { toChat } of replicas) toChat.reset();
  const connected = () => replicas.filter(({ toChat }) => toChat.connections() > 0);
  await until('one replica that acts', () => connected().length === 1);
  const [one] = connected();
  if (one === undefined) throw new Error('nobody acts');
  return one;
}

test('RT-5: of two replicas exactly one acts; it is killed, the other acts; no post is handled twice', async (context) => {
  const { world, board, replicas } = context;
  const first = await acting(context);
  const [second] = replicas.filter((replica) => replica !== first);
  if (second === undefined) throw new Error('there is one replica only');
  const thread: Thread = await openThread(world, board, 'shared');
  const asked = Array.from({ length: POSTS }, (_, index) => `t${index + 1}`);
  const [before, during] = [asked.slice(0, POSTS / 2), asked.slice(POSTS / 2)];
  for (const token of before) await thread.ask(task(token));
  for (const token of before) await thread.answered(token);
  assert.is(second.toChat.connections(), 0, 'all of that was the work of one');

  // In mid-answer, with more waiting, and more coming while nobody acts.
  for (const token of during.slice(0, 3)) await thread.ask(task(token, { words: 30, pace: 20 }));
  await until('words of the answer', () => linesOf(world.workerLog).some((line) => line.includes('"t7w')));
  await first.pod.kill();
  for (const token of during.slice(3)) await thread.ask(task(token));
  for (const token of during) await thread.answered(token);
  assert.is(await acting(context), second, 'the other one acts, and the one that came back does not');

  assert.equal(await breachesOf(world), []);
  assert.equal(await ranIn(world, thread.rootId), asked);
  const terms = await world.database.rows<{ term: number }>(
    `select term::int as term from evidence.worker where what = 'attached' order by seq`,
  );
  assert.is(new Set(terms.map(({ term }) => term)).size, 2, 'two terms, one for each');
});

const ROUNDS = 8;

test('two people click at once, each at a replica of their own: one decision, and who came second is told', async (context) => {
  const { world, board } = context;
  const [ann, ben] = world.people;
  if (ann === undefined || ben === undefined) throw new Error('nobody is there');
  const thread = await openThread(world, board, 'clicked');
  world.chat.addMember(thread.channelId, ben.id);
  const people = await Promise.all(
    [ann, ben].map(async (who) => ({ who, user: chatUser(world, who), whispers: await whispersTo(world, who) })),
  );
  try {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const token = `t${100 + round}`;
      await thread.ask(task(token, { ask: 'tool' }));
      const card = await thread.cardOf(token);
      const before = people.map(({ whispers }) => whispers.heard.length);
      const passed = await Promise.all(
        people.map(({ user }, index) => user.press(card, (index + round) % 2 === 0 ? 'approve' : 'deny')),
      );
      await thread.answered(token);
      const { text, buttons } = await thread.user.card(card);
      assert.equal(buttons, []);
      const winner = /(?:Approved|Denied) \((\w+)/.exec(text)?.[1];
      const [second] = people.flatMap(({ who, whispers }, index) =>
        who.username === winner ? [] : [{ whispers, index }],
      );
      if (second === undefined) throw new Error(`nobody came second: ${text}`);
      // Too late even for the chat to pass it on, or told by the gateway.
      if (passed[second.index] === true) {
        await until('words for who came second', () => second.whispers.heard.length > (before[second.index] ?? 0));
        assert.match(second.whispers.heard.at(-1) ?? '', /quicker|decided already/);
      }
    }
  } finally {
    for (const { whispers } of people) whispers.close();
  }
  assert.equal(await breachesOf(world), []);
  const told = await world.database.rows(
    "select from evidence.worker w join evidence.worker q on q.request_id = w.request_id and q.kind = 'approvalRequest' where w.what = 'decided' and q.text ~ 't10[0-9]'",
  );
  assert.is(told.length, ROUNDS);
});

test.run();
