// @limit 600
/**
 * RT-11. Fifty answers stream into a chat server that takes ten requests a second. Only what is posted in which order counts
 * here, by the chat server's own log: speed is printed, never judged. The gateway runs in this process, so that the moment in
 * which something is committed has its place in that log.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Store } from '../../src/actors/index.ts';
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { type Service, serve } from '../../src/serve.ts';
import { type Board, followBoard, isCard } from './board.ts';
import { breachesOf } from './judge.ts';
import { openThread, type Thread, task } from './thread.ts';
import { untilListening } from './waiting.ts';
import { type CrashWorld, startWorld } from './world.ts';

const SESSIONS = 50;
/** One in so many asks for a decision in mid-answer. */
const ASKS = 5;
/** As a server does by default, but that it forgives half as much at once. */
const LIMIT = { perSecond: 10, burst: 60 };
/**
 * So much progress may go out between the commit of what people wait for and its post: what is on its way already, and what
 * goes while it is being read and rendered. In the order of coming it would be one from each session.
 */
const OVERTAKEN = 12;
interface Ready {
  readonly what: 'final' | 'card' | 'decision';
  readonly session: string;
  /** Entries of the chat server's log at the commit. */
  readonly from: number;
}

interface Context {
  world: CrashWorld;
  board: Board;
  service: Service;
  ready: Ready[];
  threads: readonly Thread[];
}

const test = suite<Context>('many streams');

/** Notes when something is committed that people wait for. */
function watched(store: Store, note: (what: Ready['what'], session: string) => void): Store {
  return {
    ...store,
    async appendOutputs(term, batch) {
      const held = await store.appendOutputs(term, batch);
      if (batch.rows.some(({ kind }) => kind === 'turnEnded')) note('final', batch.session);
      return held;
    },
    async commit(term, commitId, turns) {
      const outcome = await store.commit(term, commitId, turns);
      for (const { address, actor, effects } of turns) {
        if (actor === undefined || !effects.some(({ kind }) => kind === 'chat.card')) continue;
        const context = actor.envelope.snapshot.context as { cardPostId: string; session: string };
        note(context.cardPostId === '' ? 'card' : 'decision', address);
      }
      return outcome;
    },
  };
}

test.before(async (context) => {
  const world = await startWorld({ rateLimit: LIMIT });
  context.world = world;
  context.ready = [];
  context.board = followBoard(world.chat);
  const env = world.gatewayEnv(world.callbackPort);
  // The only part of its environment that a gateway looks at itself.
  process.env.CSM_CRASH_EVIDENCE = world.workerLog;
  const loaded = loadConfig(env, () => '');
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const note = (what: Ready['what'], session: string) => {
    context.ready.push({ what, session, from: world.chat.log.entries().length });
  };
  context.service = await serve(loaded.config, createLog('error'), { wrapStore: (store) => watched(store, note) });
  await untilListening(world);
  const names = Array.from({ length: SESSIONS }, (_, index) => `stream${index + 1}`);
  context.threads = await Promise.all(names.map((name) => openThread(world, context.board, name)));
});

test.after(async ({ service, world }) => {
  await service?.stop();
  await world?.stop();
});

test(`RT-11: ${SESSIONS} answers stream at once: final answers and decisions never wait behind progress, no post is lost`, async (context) => {
  const { world, threads, ready, board } = context;
  const { log } = world.chat;
  ready.length = 0;
  const begun = { entries: log.entries().length, refusals: world.chat.refusals() };
  await Promise.all(
    threads.map(async (thread, index) => {
      const token = `t${index + 1}`;
      const asks = index % ASKS === 0;
      await thread.ask(task(token, { words: 60 + 3 * index, pace: 250, ask: asks ? 'tool' : 'nothing' }));
      if (asks) await thread.press('approve');
      await thread.answered(token);
    }),
  );
  assert.equal(await breachesOf(world), [], 'nothing is lost, doubled or left undone');

  const entries = log.entries().slice(begun.entries);
  const own = entries.flatMap((entry, at) =>
    entry.kind !== 'click' && entry.userId === world.bot.id
      ? [{ ...entry, at: at + begun.entries, time: entry.at }]
      : [],
  );
  const finals = new Map(
    threads.map(({ rootId }, index) => [
      rootId,
      board.replies(rootId).find(({ message }) => new RegExp(`\\bt${index + 1}end\\b`).test(message)),
    ]),
  );
  const isFinal = (entry: (typeof own)[number]) => {
    const last = finals.get(entry.rootId);
    return entry.postId === last?.id && entry.message === last.message;
  };
  const progress = own.filter((entry) => !isCard(entry) && !isFinal(entry));
  const roots = new Map(
    (await world.database.rows<{ session: string; root: string }>('select session, root_id as root from thread')).map(
      ({ session, root }) => [session, root],
    ),
  );

  /** How much progress went out between the commit and the post. */
  const overtaken = (what: Ready['what']): number[] =>
    ready
      .filter((each) => each.what === what)
      .map(({ session, from }) => {
        const key = what === 'final' ? session : `session/${session.split('/')[1]}`;
        const shown = own.find(
          (entry) =>
            entry.at >= from && entry.rootId === roots.get(key) && (what === 'final' ? isFinal(entry) : isCard(entry)),
        );
        if (shown === undefined) throw new Error(`${what} of ${session} was never posted`);
        return progress.filter(({ at }) => at >= from && at < shown.at).length;
      })
      .sort((a, b) => a - b);

  const figures = { final: overtaken('final'), card: overtaken('card'), decision: overtaken('decision') };
  const seconds = ((own.at(-1)?.time ?? 0) - (own[0]?.time ?? 0)) / 1000;
  const edits = own.filter(({ kind }) => kind === 'post_edited').length;
  const perSecond = (count: number) => (count / seconds).toFixed(1);
  console.log(
    `${SESSIONS} sessions, ${seconds.toFixed(1)} s: ${perSecond(edits)} edits and ${perSecond(own.length - edits)} posts a second, ${perSecond(progress.length)} of both progress; ` +
      Object.entries(figures)
        .map(
          ([what, counts]) =>
            `${counts.length} ${what}: ${counts[counts.length >> 1]} (median) to ${counts.at(-1)} overtook`,
        )
        .join('; ') +
      `; ${world.chat.refusals() - begun.refusals} refused with 429`,
  );
  assert.is(figures.final.length, SESSIONS);
  assert.is(figures.card.length, SESSIONS / ASKS);
  assert.ok(figures.decision.length >= SESSIONS / ASKS);
  assert.ok(progress.length > 2 * SESSIONS, 'there is progress to be overtaken by');
  assert.ok(Math.max(...figures.final) <= OVERTAKEN, `final answers waited: ${figures.final}`);
  assert.ok(Math.max(...figures.decision) <= OVERTAKEN, `decisions waited: ${figures.decision}`);
  assert.ok(Math.max(...figures.card) <= OVERTAKEN, `questions waited: ${figures.card}`);
  assert.is(world.chat.refusals(), begun.refusals, 'nothing was asked of the server beyond its limit');
});

test.run();
