// @limit 1800
/**
 * The gateway is killed (SIGKILL) at one step after the other between an agent's request for network access and the agent
 * being told: at each passing of each fault point, until there is none left. Asked once, applied once, told once.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { FaultPoint } from '../../src/actors/index.ts';
import { verifyAudit } from '../../src/adapters/postgres/index.ts';
import { type Board, followBoard } from './board.ts';
import { type Firewalled, startFirewalled } from './firewalled.ts';
import { untilHealthy } from './fleet.ts';
import { breachesOf, shownIn } from './judge.ts';
import { type Pod, startPod } from './pod.ts';
import { hostOf } from './script.ts';
import { openThread, type Thread, task } from './thread.ts';
import { until, untilListening } from './waiting.ts';
import { type CrashWorld, startWorld } from './world.ts';

const POINTS: readonly FaultPoint[] = ['after-decide', 'after-commit', 'after-effect', 'before-ack'];
/** More than there are. */
const MOST = 60;

interface Context {
  world: CrashWorld;
  pod: Pod;
  board: Board;
  thread: Thread;
  outside: Firewalled;
  arm: string;
}

const test = suite<Context>('killed on the way to the network');

test.before(async (context) => {
  const world = await startWorld();
  context.world = world;
  context.outside = await startFirewalled();
  context.arm = join(world.folder, 'arm');
  context.board = followBoard(world.chat);
  context.pod = startPod({
    program: join(dirname(world.gatewayProgram), 'armedGateway.js'),
    port: world.callbackPort,
    env: world.gatewayEnv(world.callbackPort, { CSM_CRASH_ARM: context.arm, ...context.outside.env }),
    logFile: join(world.folder, 'gateway.log'),
  });
  await untilHealthy(context.pod);
  await untilListening(world);
  context.thread = await openThread(world, context.board, 'network');
});

test.after(async ({ pod, outside, world }) => {
  await pod?.retire();
  await outside?.close();
  await world?.stop();
});

async function approve({ user, cardOf }: Thread, token: string): Promise<void> {
  const card = await cardOf(token);
  for (; (await user.card(card)).buttons.includes('approve'); await sleep(100)) await user.press(card, 'approve');
}

test('killed at every step from the request to its answer: asked once, applied once, told once', async (context) => {
  const { world, pod, thread, outside, arm } = context;
  const asked: string[] = [];
  const steps: Record<string, number> = {};
  for (const point of POINTS) {
    for (let nth = 1; nth <= MOST; nth += 1) {
      const token = `t${asked.length + 1}`;
      writeFileSync(arm, `${point}:${nth}`);
      await thread.ask(task(token, { words: 2, ask: 'network' }));
      asked.push(token);
      await approve(thread, token);
      await thread.answered(token);
      await until('it is open', () => outside.opened().includes(hostOf(token)));
      if (existsSync(arm)) break;
      steps[point] = nth;
    }
    rmSync(arm, { force: true });
  }
  console.log(`killed at ${JSON.stringify(steps)}, ${pod.kills()} times in all, ${asked.length} requests`);

  assert.equal(await breachesOf(world), []);
  for (const point of POINTS) assert.ok((steps[point] ?? 0) >= 3, `${point} is passed ${steps[point]} times`);
  assert.is(pod.deaths(), 0);

  const { database } = world;
  const cards = await database.rows<{ card: string }>(
    `select p.card from evidence.post p join chat_post c on c.post_id = p.id where c.key like 'card/approval/%'`,
  );
  assert.is(cards.length, asked.length, 'asked once');
  assert.ok(
    cards.every(({ card }) => card.includes('A connection from the container was seen to work.')),
    'each was seen to work',
  );
  assert.equal([...outside.opened()].sort(), asked.map(hostOf).sort());
  assert.is(outside.writes(), asked.length, 'applied once');
  const grants = await database.rows<{ host: string }>('select host from network_grant where revoked_at is null');
  assert.equal(grants.map(({ host }) => host).sort(), asked.map(hostOf).sort());
  const told = await database.rows("select from evidence.worker where what = 'decided'");
  assert.is(told.length, asked.length, 'told once');
  const shown = await shownIn(world, thread.rootId);
  for (const token of asked) assert.is(shown.get(`${token}approved`), 1, token);
  const recorded = await database.rows<{ action: string; count: number }>(
    "select action, count(*)::int as count from audit_log where subject like 'approval/%' group by action",
  );
  for (const action of ['approval.requested', 'approval.approved', 'grant.opened']) {
    assert.is(recorded.find((each) => each.action === action)?.count, asked.length, `${action} is recorded once`);
  }
  assert.is((await verifyAudit(database.db)).brokenAt, undefined);
});

test.run();
