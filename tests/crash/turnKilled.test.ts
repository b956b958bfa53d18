// @limit 600
/**
 * RT-34. The gateway is killed (SIGKILL) at one point of a turn after the other: each time it passes a named fault point, and
 * after one output of the agent more. A turn has a question in it that a person answers, so both halves of it count.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { FaultPoint } from '../../src/actors/index.ts';
import { type Board, followBoard } from './board.ts';
import { untilHealthy } from './fleet.ts';
import { breachesOf, ranIn, shownIn } from './judge.ts';
import { type Pod, startPod } from './pod.ts';
import { openThread, type Thread, task } from './thread.ts';
import { until, untilListening } from './waiting.ts';
import { type CrashWorld, linesOf, startWorld } from './world.ts';

const WORDS = 12;
/** Where a turn is killed: at the n-th passing of a fault point, or after the n-th output. */
const POINTS: readonly (readonly [point: FaultPoint | 'output', passings: readonly number[]])[] = [
  ['after-decide', [1, 2, 3, 4, 5, 6]],
  ['after-commit', [1, 2, 3, 4, 5, 6]],
  ['after-effect', [1, 2, 3, 4, 5]],
  ['before-ack', [1, 2, 3, 4, 5]],
  ['output', [1, 2, 3, 4, 6, 8, 10, 12]],
];
const COUNT = POINTS.flatMap(([, passings]) => passings).length;

interface Context {
  world: CrashWorld;
  pod: Pod;
  board: Board;
  thread: Thread;
  arm: string;
}

const test = suite<Context>('killed in a turn');

test.before(async (context) => {
  const world = await startWorld();
  context.world = world;
  context.arm = join(world.folder, 'arm');
  context.board = followBoard(world.chat);
  context.pod = startPod({
    program: join(dirname(world.gatewayProgram), 'armedGateway.js'),
    port: world.callbackPort,
    env: world.gatewayEnv(world.callbackPort, { CSM_CRASH_ARM: context.arm }),
    logFile: join(world.folder, 'gateway.log'),
  });
  await untilHealthy(context.pod);
  await untilListening(world);
  context.thread = await openThread(world, context.board, 'killed');
});

test.after(async ({ pod, world }) => {
  await pod?.retire();
  await world?.stop();
});

/** Outputs of agents so far, as the workers wrote them down. */
function outputs(world: CrashWorld): number {
  return linesOf(world.workerLog).filter((line) => line.includes('"what":"output"')).length;
}

test(`RT-34: killed at ${COUNT} points of a turn, its words reach the thread exactly once each time`, async (context) => {
  const { world, pod, thread, arm } = context;
  const asked: string[] = [];
  for (const [point, passings] of POINTS) {
    for (const nth of passings) {
      const token = `t${asked.length + 1}`;
      const kills = pod.kills();
      const before = outputs(world);
      if (point !== 'output') writeFileSync(arm, `${point}:${nth}`);
      await thread.ask(task(token, { words: WORDS, ask: 'tool' }));
      asked.push(token);
      const answering = thread.press('approve').then(() => thread.answered(token));
      if (point === 'output') {
        await until(`output ${nth} of the turn`, () => outputs(world) >= before + nth);
        await pod.kill();
      }
      await answering;
      assert.is(pod.kills(), kills + 1, `${point} is passed ${nth} times in a turn`);
      assert.not.ok(existsSync(arm));
    }
  }
  rmSync(arm, { force: true });

  assert.equal(await breachesOf(world), []);
  assert.equal(await ranIn(world, thread.rootId), asked);
  const shown = await shownIn(world, thread.rootId);
  const words = asked.flatMap((token) => [
    ...Array.from({ length: WORDS }, (_, index) => `${token}w${index + 1}`),
    `${token}approved`,
    `${token}end`,
  ]);
  assert.equal(Object.fromEntries(shown), Object.fromEntries(words.map((word) => [word, 1])));
  assert.is(pod.kills(), COUNT);
  assert.is(pod.deaths(), 0);
});

test.run();
