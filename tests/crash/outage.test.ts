// @limit 300
/**
 * RT-2. What people write while the gateway cannot reach the chat. How long that lasts matters in two ways only: the server
 * forgets the stream of events, and the gateway tries again more rarely. Both are brought about here at once, so that
 * nobody has to wait two minutes.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FaultProxy, startFaultProxy } from '../support/faultProxy.ts';
import { type Board, followBoard } from './board.ts';
import { podOf, untilHealthy } from './fleet.ts';
import { breachesOf, ranIn } from './judge.ts';
import type { Pod } from './pod.ts';
import { openThread, type Thread, task } from './thread.ts';
import { logged, until, untilListening } from './waiting.ts';
import { type CrashWorld, startWorld } from './world.ts';

const POSTS = 20;
/** After so many the gateway no longer asks for the stream it had. */
const ATTEMPTS = 4;

interface Context {
  world: CrashWorld;
  proxy: FaultProxy;
  pod: Pod;
  board: Board;
  threads: readonly Thread[];
}

const test = suite<Context>('outage of the chat');

test.before(async (context) => {
  const world = await startWorld();
  context.world = world;
  context.proxy = await startFaultProxy({ host: '127.0.0.1', port: world.chat.port });
  context.board = followBoard(world.chat);
  const env = { SM_MATTERMOST_URL: `http://127.0.0.1:${context.proxy.port}` };
  context.pod = podOf(world, { sabotage: '' }, { name: 'gateway', port: world.callbackPort, env });
  await untilHealthy(context.pod);
  await untilListening(world);
  context.threads = [await openThread(world, context.board, 'left'), await openThread(world, context.board, 'right')];
});

test.after(async ({ pod, proxy, world }) => {
  await pod?.retire();
  await proxy?.close();
  await world?.stop();
});

let tasks = 0;

/** Everything a person writes during the outage, and what must have become of it. */
async function outage({ world, proxy, threads }: Context, lasts: () => Promise<void>): Promise<void> {
  const { chat, bot } = world;
  await proxy.refuse();
  proxy.reset();
  await lasts();
  const heard = chat.log.created({ userId: bot.id }).length;
  const asked = threads.map((): string[] => []);
  for (let post = 0; post < POSTS; post += 1) {
    tasks += 1;
    await threads[post % 2]?.ask(task(`t${tasks}`));
    asked[post % 2]?.push(`t${tasks}`);
  }
  assert.is(chat.log.created({ userId: bot.id }).length, heard, 'nothing got through');
  await proxy.heal();

  for (const [at, thread] of threads.entries()) for (const token of asked[at] ?? []) await thread.answered(token);
  assert.equal(await breachesOf(world), []);
  for (const [at, { rootId }] of threads.entries()) {
    assert.equal((await ranIn(world, rootId)).slice(-POSTS / 2), asked[at]);
  }
}

test('RT-2: 20 posts in a 2-minute outage of the chat connection are all handled, once, in order', (context) =>
  outage(context, async () => {
    context.world.chat.faults.restart();
    const before = logged(context.pod, 'chat socket: down');
    await until(
      'a gateway that has tried in vain',
      () => logged(context.pod, 'chat socket: down') >= before + ATTEMPTS,
    );
  }));

test('RT-2: 20 posts in an outage that is over before the server forgot the stream are handled just the same', (context) =>
  outage(context, () => Promise.resolve()));

test.run();
