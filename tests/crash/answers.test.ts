// @limit 400
/** What becomes of answers when the chat server, a person or a crash gets in their way. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { INTERNAL_ERROR } from '../../simulator/src/mattermost/index.ts';
import type { BoardPost } from './board.ts';
import { chatUser } from './chatUser.ts';
import { breachesOf, ranIn } from './judge.ts';
import { endOnePod, type OnePod, startOnePod } from './onePod.ts';
import { wordsOf } from './script.ts';
import { openThread, type Thread, task } from './thread.ts';
import { until } from './waiting.ts';

type Context = OnePod;

const test = suite<Context>('answers in trouble');

test.before(async (context) => {
  await startOnePod(context);
});

test.after(endOnePod);

let tokens = 0;
function newToken(): string {
  tokens += 1;
  return `t${tokens}`;
}

/** The bot's posts in the thread that hold words of answers. */
function answersIn({ board, world }: Context, { rootId }: Thread): readonly BoardPost[] {
  return board.replies(rootId).filter(({ userId, message }) => userId === world.bot.id && wordsOf(message).length > 0);
}

/** A person tries again when the server fails. */
async function insist<Result>(act: () => Promise<Result>): Promise<Result> {
  for (let left = 20; ; left -= 1) {
    try {
      return await act();
    } catch (error) {
      if (left === 0) throw error;
    }
  }
}

test('RT-8: a chat server that fails one request in ten drops no post', async (context) => {
  const { world, board } = context;
  const threads = [await openThread(world, board, 'left'), await openThread(world, board, 'right')];
  world.chat.faults.failRandomly(0.1, 8, INTERNAL_ERROR, { path: /^\/api\/v4\/posts(\/\w+\/patch)?$/ });
  try {
    for (let round = 0; round < 6; round += 1) {
      const asked = threads.map((thread) => ({ thread, token: newToken() }));
      for (const { thread, token } of asked) {
        await insist(() => thread.ask(task(token, { words: 12, pace: 20, ask: round % 3 === 2 ? 'tool' : 'nothing' })));
      }
      await Promise.all(
        asked.map(async ({ thread, token }) => {
          if (round % 3 === 2) await thread.press('approve');
          await thread.answered(token);
        }),
      );
    }
    const ask = await insist(
      () => threads[0]?.user.say(`${world.trigger} help`, { channelId: world.lobbyId }) ?? Promise.reject(),
    );
    await until('an answer in the lobby', () => board.replies(ask).length > 0);
  } finally {
    world.chat.faults.clear();
  }
  assert.equal(await breachesOf(world), []);
});

test('RT-17: the post of an answer is deleted while it grows: the turn goes on in a new one', async (context) => {
  const { world, board } = context;
  const thread = await openThread(world, board, 'deleted');
  const token = newToken();
  await thread.ask(task(token, { words: 80, pace: 60 }));
  const bot = chatUser(world, world.bot);
  const deleted: string[] = [];
  for (const word of ['w5', 'w30']) {
    let live: BoardPost | undefined;
    await until(`the word ${word}`, () => {
      live = answersIn(context, thread).find(({ message }) => wordsOf(message).includes(`${token}${word}`));
      return live !== undefined;
    });
    if (live === undefined) throw new Error('there is no answer');
    await bot.remove(live.id);
    deleted.push(live.id);
  }
  await thread.answered(token);
  assert.equal(await breachesOf(world), []);
  assert.equal(await ranIn(world, thread.rootId), [token]);
  const answers = answersIn(context, thread);
  assert.is(answers.length, 1, 'one post for what was deleted');
  assert.not.ok(deleted.includes(answers[0]?.id ?? ''));
  const made = world.chat.log.created({ userId: world.bot.id, rootId: thread.rootId });
  const count = made.filter(({ message }) => wordsOf(message).length > 0).length;
  assert.ok(count <= deleted.length + 1, `${count} posts were made`);
});

test('RT-19: each question gets its own answer, below it, also across a crash; no answer comes twice', async (context) => {
  const { world, pod, board } = context;
  const thread = await openThread(world, board, 'asked');
  const asked: { token: string; post: string }[] = [];
  const ask = async (words: number) => {
    const token = newToken();
    asked.push({ token, post: await thread.ask(task(token, { words, pace: 30 })) });
    return token;
  };
  await thread.answered(await ask(10));
  const interrupted = await ask(60);
  await until('some of the answer', () =>
    answersIn(context, thread).some(({ message }) => message.includes(`${interrupted}w3`)),
  );
  await ask(10);
  await pod.kill();
  await ask(10);
  for (const { token } of asked) await thread.answered(token);
  await thread.answered(await ask(10));

  assert.equal(await breachesOf(world), []);
  const answers = answersIn(context, thread);
  const tokensOf = ({ message }: BoardPost) => [...new Set(wordsOf(message).map((word) => /^t\d+/.exec(word)?.[0]))];
  // What an agent says after a person has written stands in a post of its own, below.
  const inOrder = answers.map(tokensOf).filter((each, index, all) => `${each}` !== `${all[index - 1]}`);
  assert.equal(
    inOrder,
    asked.map(({ token }) => [token]),
  );
  for (const { post, token } of asked) {
    const first = answers.find((answer) => tokensOf(answer)[0] === token);
    assert.ok((board.post(post)?.at ?? Number.POSITIVE_INFINITY) <= (first?.at ?? 0), 'below its question');
  }
});

test.run();
