// @limit 900
// The gateway is killed without warning in the middle of a streaming answer, twenty times at moments drawn by a seed, and
// started again. The judge is the chat server's own log, not what the gateway believes.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import { type Person, person, until } from '../support/person.ts';

const KILLS = Number(process.env.CSM_KILLS ?? 20);
const SEED = Number(process.env.CSM_SEED ?? 7);
const WORDS = 60;

const test = suite<{ environment: TestEnvironment; you: Person }>('gateway killed');

test.before(async (context) => {
  context.environment = await startTestEnvironment({ slowDelayMs: 25 });
  context.you = person(context.environment);
});

test.after(async (context) => {
  await context.environment?.stop();
});

/** A small generator (mulberry32), so that a run can be repeated. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

async function workerPids(environment: TestEnvironment): Promise<string[]> {
  const { readdir } = await import('node:fs/promises');
  const workers = join(environment.workspaceDir, 'workers');
  const folders = await readdir(workers);
  const records = await Promise.all(folders.map((folder) => readFile(join(workers, folder, 'worker.json'), 'utf8')));
  return records.map((text) => (JSON.parse(text) as { pid: number }).pid.toString()).sort();
}

test(`after ${KILLS} kills in mid-answer every thread has the whole answer, each post once, and the worker never stopped`, async ({
  environment,
  you,
}) => {
  const next = random(SEED);
  const { channelId, rootId } = await you.start();
  const pids = await workerPids(environment);

  for (let round = 0; round < KILLS; round += 1) {
    const mark = `round${round}x`;
    await you.say(`slow ${WORDS}, then say ${mark}`, { channelId, rootId });
    const wait = Math.floor(next() * 2_000);
    await new Promise((resolve) => setTimeout(resolve, wait));
    environment.gateway().kill('SIGKILL');
    await environment.gateway().ended;
    await environment.restartGateway();
    const whole = await until(90_000, async () => {
      const texts = (await you.answersIn(rootId)).map((post) => post.message);
      return texts.some((text) => text.includes(mark) && /\$\d|tokens|s ·/.test(text)) ? true : undefined;
    });
    if (!whole) {
      const said = (await you.read(rootId)).map((post) => post.message).join('\n---\n');
      assert.unreachable(`round ${round} (killed after ${wait} ms) has no finished answer:\n${said}`);
    }
  }

  const posts = await you.answersIn(rootId);
  const text = posts.map((post) => post.message).join('\n');
  for (let round = 0; round < KILLS; round += 1) {
    const mark = new RegExp(`round${round}x`, 'g');
    assert.ok(mark.test(text), `round ${round} is missing`);
  }
  for (let word = 1; word <= WORDS; word += 1) {
    const count = text.match(new RegExp(`\\bw${word}\\b`, 'g'))?.length ?? 0;
    assert.is(count, KILLS, `word w${word} appears ${count} times in ${KILLS} answers`);
  }
  const created = environment.chat.log.created({ rootId, userId: environment.bot.id });
  const texts = new Map<string, number>();
  for (const post of await you.answersIn(rootId)) texts.set(post.message, (texts.get(post.message) ?? 0) + 1);
  assert.equal(
    [...texts].filter(([, count]) => count > 1),
    [],
    'a post was made twice',
  );
  assert.is(created.length, posts.length, 'posts were made and taken back');
  assert.equal(await workerPids(environment), pids, 'the worker was started again');
});

test.run();
