// @limit 300
/** RT-3. The chat server sends again what the gateway took before it was restarted: only the database can still know that. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { breachesOf, ranIn } from './judge.ts';
import { endOnePod, type OnePod, startOnePod } from './onePod.ts';
import type { Pod } from './pod.ts';
import { openThread, type Thread, task } from './thread.ts';
import { logged, until } from './waiting.ts';

const REPLAYED = 50;
const TASKS = 10;

interface Context extends OnePod {
  thread: Thread;
}

const test = suite<Context>('replayed events');

test.before(async (context) => {
  const { world, board } = await startOnePod(context);
  context.thread = await openThread(world, board, 'replayed');
});

test.after(endOnePod);

/** How often each stage of an answer was timed, as anybody can read it. */
async function stagesTimed({ port }: Pod): Promise<Record<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const counts = text.matchAll(/^csm_stage_duration_seconds_count\{stage="(\w+)"\} (\d+)$/gm);
  return Object.fromEntries([...counts].map(([, stage = '', count]) => [stage, Number(count)]));
}

test('RT-3: the last 50 events replayed after a restart: 0 runs, and nothing is answered again', async (context) => {
  const { world, pod, board, thread } = context;
  const { chat, bot, lobbyId, trigger } = world;
  const { user } = thread;
  const asked = Array.from({ length: TASKS }, (_, index) => `t${index + 1}`);
  const askLobby = async (): Promise<void> => {
    const post = await user.say(`${trigger} help`, { channelId: lobbyId });
    await until('an answer in the lobby', () => board.replies(post).length > 0);
  };
  for (const token of asked) {
    await thread.ask(task(token));
    await thread.answered(token);
  }
  await user.say(`${trigger} context`, thread);
  await askLobby();
  assert.equal(await breachesOf(world), []);
  const all = { committed: TASKS, delivered: TASKS, first_output: TASKS, first_text: TASKS };
  assert.equal(await stagesTimed(pod), all, 'every stage of every answer was timed');

  const readUp = logged(pod, 'channels read up');
  await pod.kill();
  await until('a gateway that listens again', () => logged(pod, 'channels read up') > readUp);
  const posts = chat.log.created({ userId: bot.id }).length;
  assert.is(chat.faults.repeatEvents(REPLAYED), REPLAYED);
  // Half of these are people's: all that was ever asked.
  assert.ok(chat.faults.repeatEvents(REPLAYED, 'posted') > 2 * TASKS);

  // What comes after the replay shows that all of it was looked at.
  await thread.ask(task('t100'));
  await thread.answered('t100');
  await askLobby();
  assert.equal(await breachesOf(world), []);
  assert.equal(await ranIn(world, thread.rootId), [...asked, 't100']);
  assert.is(chat.log.created({ userId: bot.id }).length, posts + 2, 'one answer in the thread, one in the lobby');
});

test.run();
