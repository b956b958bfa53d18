// @limit 600
/**
 * RT-7. A thousand messages, while the connection to the chat is cut, the server restarts and events come twice: each is run
 * by the agent once. What the agents answer is not waited for: the chat's budget would make that last for minutes.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { WorkerLine } from './evidenceLog.ts';
import { endOnePod, type OnePod, startOnePod } from './onePod.ts';
import { openThread, type Thread, task } from './thread.ts';
import { until } from './waiting.ts';
import { type CrashWorld, linesOf } from './world.ts';

const THREADS = 10;
const POSTS = 1_000;
/** Messages between two disturbances. */
const CALM = 100;

interface Context extends OnePod {
  threads: readonly Thread[];
}

const test = suite<Context>('a thousand posts');

test.before(async (context) => {
  const { world, board } = await startOnePod(context);
  const names = Array.from({ length: THREADS }, (_, index) => `many${index + 1}`);
  context.threads = await Promise.all(names.map((name) => openThread(world, board, name)));
});

test.after(endOnePod);

/** How often the agents ran the message of each post. */
function runs({ workerLog }: CrashWorld): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of linesOf(workerLog)) {
    if (!text.includes('"what":"ran"')) continue;
    const line = JSON.parse(text) as WorkerLine;
    if (line.what === 'ran') counts.set(line.inputId, (counts.get(line.inputId) ?? 0) + 1);
  }
  return counts;
}

test(`RT-7: exactly one agent turn for each of ${POSTS} posts, whatever happens to the connection`, async ({
  world,
  threads,
}) => {
  const { faults } = world.chat;
  const disturbances = [
    () => faults.cutWebSockets(),
    () => faults.repeatEvents(50, 'posted'),
    () => faults.restart(),
    () => faults.repeatEvents(200),
  ];
  const asked: string[] = [];
  for (let post = 0; post < POSTS; post += 1) {
    if (post % CALM === CALM - 1) disturbances[Math.floor(post / CALM) % disturbances.length]?.();
    // A server that has just restarted may cut this very request; then it is not known whether there is a post.
    const id = await threads[post % THREADS]?.ask(task(`t${post + 1}`, { words: 1, pace: 0 })).catch(() => undefined);
    if (id !== undefined) asked.push(id);
  }
  assert.ok(asked.length > POSTS - 5, `${asked.length} got through`);
  faults.repeatEvents(50, 'posted');
  await until('a turn for every message', () => {
    const ran = runs(world);
    return asked.every((id) => ran.has(id));
  });
  await until('nothing that is still to be taken', async () => {
    const rows = await world.database.rows<{ count: number }>(
      'select count(*)::int as count from inbox where done_at is null',
    );
    return rows[0]?.count === 0;
  });
  const ran = runs(world);
  assert.equal(
    [...ran].filter(([, count]) => count !== 1),
    [],
  );
  // Also of those that were made although their answer was lost.
  const said = world.chat.log.created().filter(({ message }) => message.startsWith('do t'));
  assert.equal([...ran.keys()].sort(), said.map(({ postId }) => postId).sort());
});

test.run();
