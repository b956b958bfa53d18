// @limit 400
// RT-11. Fifty threads stream at once at a chat server with a default server's limits, on the real store. Who waits behind whom
// is read from the server's own record.
import { setTimeout as pause } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Store, silentLog } from '../../src/actors/index.ts';
import { isChatError, type MattermostRest } from '../../src/adapters/mattermost/index.ts';
import { createPosting, type Posting } from '../../src/flows/posting.ts';
import { CHAT_BUDGET, createRateGovernor } from '../../src/flows/rateGovernor.ts';
import { createThreadView, type ThreadView } from '../../src/flows/threadView.ts';
import type { Address } from '../../src/machines/addresses.ts';
import type { JsonObject } from '../../src/machines/json.ts';
import { type Chat, startChat, until } from '../adapters/mattermost/support.ts';
import { COMMIT_ID, fresh, turn } from '../adapters/postgres/support.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';

const SESSIONS = 50;
const PATIENCE_MS = 60_000;
/** Between two words of whichever thread: models do not write faster than this either. */
const WORD_MS = 5;

interface Context {
  postgres: TestPostgres;
  store: Store;
  chat: Chat;
  posting: Posting;
  view: ThreadView;
  /** Requests that the server refused because there were too many. */
  refused: () => number;
}

const test = suite<Context>('fifty threads');
test.before(async (context) => {
  context.postgres = await startPostgres();
  context.store = (await fresh(context.postgres)).store;
  context.chat = await startChat({ rateLimit: { perSecond: 10, burst: 100 } });
  const { rest, refused } = counting(context.chat.bot.rest);
  context.refused = refused;
  const governor = createRateGovernor(CHAT_BUDGET);
  const { store } = context;
  const ports = { rest, store, governor, botUserId: context.chat.bot.id, secret: 's', now: Date.now };
  context.posting = createPosting({ ...ports, leads: () => true });
  const { posting } = context;
  const attach = () => Promise.reject(new Error('there are no files'));
  context.view = createThreadView({
    store,
    rest,
    posting,
    attach,
    log: silentLog,
    verbosity: 'normal',
    trigger: '@claude',
  });
});
test.after(async ({ postgres, chat, view }) => {
  await view.stop();
  await chat.sim.close();
  await postgres.stop();
});

function counting(rest: MattermostRest) {
  let refused = 0;
  const note = (error: unknown): never => {
    if (isChatError(error) && error.retryAfterMs !== undefined) refused += 1;
    throw error;
  };
  const counted: MattermostRest = {
    ...rest,
    createPost: (post) => rest.createPost(post).catch(note),
    patchPost: (id, changes) => rest.patchPost(id, changes).catch(note),
  };
  return { rest: counted, refused: () => refused };
}

interface Stream {
  readonly session: Address;
  readonly words: string[];
  /** Done when its last word is committed: nothing is written into a turn that has ended. */
  writing: Promise<void>;
  append(kind: string, body: JsonObject): Promise<void>;
}

async function streamOf({ store, view, chat }: Context, index: number): Promise<Stream> {
  const session: Address = `session/s${index}`;
  const rootId = await chat.say(`root ${index}`);
  await store.commit(1, COMMIT_ID, [
    turn({ address: session, threads: [{ session, rootId, channelId: chat.channelId }] }),
  ]);
  let seq = 0;
  return {
    session,
    words: [],
    writing: Promise.resolve(),
    async append(kind, body) {
      seq += 1;
      const row = { seq, firstSeq: seq, at: Date.now(), kind, body: { turnId: `t${index}`, ...body } };
      await store.appendOutputs(1, { session, logId: 'log', rows: [row], events: [] });
      view.touch(session, [kind]);
    },
  };
}

/** What the server has got from the bot, in its order. */
function record({ chat }: Context) {
  return chat.sim.log.entries().flatMap((entry) => ('message' in entry && entry.userId === chat.bot.id ? [entry] : []));
}

const isProgress = ({ message }: { message: string }): boolean => message.includes('Writing …');

/** @returns how many times progress was shown before the server heard this */
async function overtaken(context: Context, what: string, from: number): Promise<number> {
  const found = () =>
    record(context).findIndex((entry, index) => index >= from && entry.message.includes(what) && !isProgress(entry));
  await until(`the server hears ${what}`, () => found() >= 0, PATIENCE_MS);
  return record(context).slice(from, found()).filter(isProgress).length;
}

async function measure(context: Context, streams: readonly Stream[], running: Set<Stream>): Promise<void> {
  const { view, posting, chat } = context;
  // Everybody is shown, and the burst that the budget allows is spent: from here on there is always somebody waiting.
  await until('all are shown', () => record(context).filter(isProgress).length > SESSIONS + 60, PATIENCE_MS);
  const from = { count: record(context).length, at: Date.now() };

  const end = async (stream: Stream, index: number): Promise<void> => {
    running.delete(stream);
    await stream.writing;
    await stream.append('textBlock', { blockId: 'b', text: `${stream.words.join('')}END-OF-${index}.` });
    await stream.append('turnEnded', { outcome: 'TURN_OUTCOME_COMPLETED' });
  };
  const finals: number[] = [];
  const decisions: number[] = [];
  const cards: number[] = [];
  for (const [index, stream] of streams.slice(0, 24).entries()) {
    const mark = record(context).length;
    if (index % 3 === 0) {
      const post = { key: `d${index}`, owner: stream.session, channelId: chat.channelId, rootId: '' };
      const made = posting.create({ ...post, message: `DECISION-${index}.` }, 'decision');
      decisions.push(await overtaken(context, `DECISION-${index}.`, mark));
      await made;
    } else if (index % 3 === 1) {
      // What a card does: the thread is brought up to date above it, whatever waits there.
      const other = streams[index + 24] ?? stream;
      const shown = view.settle(other.session);
      const done = shown.then(() => record(context).slice(mark).filter(isProgress).length);
      cards.push(await done);
    }
    const begin = record(context).length;
    await end(stream, index);
    finals.push(await overtaken(context, `END-OF-${index}.`, begin));
  }
  const took = (Date.now() - from.at) / 1_000;
  const edits = record(context).length - from.count;
  const late = record(context).length;
  await Promise.all(streams.slice(24).map((stream, index) => end(stream, index + 24)));
  for (let index = 24; index < SESSIONS; index += 1) await overtaken(context, `END-OF-${index}.`, late);

  const worst = (numbers: readonly number[]) => `${Math.max(...numbers)} (of ${numbers.length})`;
  console.log(
    `RT-11: ${(edits / took).toFixed(1)} posts and edits per second over ${took.toFixed(0)} s; most progress shown before ` +
      `a decision: ${worst(decisions)}, a final answer: ${worst(finals)}, a card's thread: ${worst(cards)}; ` +
      `refused by the server: ${context.refused()}`,
  );
  // Of what is on its way already, a few: not the dozens that wait.
  assert.ok(Math.max(...decisions) <= 3, `decisions: ${decisions}`);
  assert.ok(Math.max(...finals) <= 8, `finals: ${finals}`);
  assert.ok(Math.max(...cards) <= 8, `cards: ${cards}`);
  assert.is(context.refused(), 0);
}

test('RT-11: of 50 threads that stream at once, decisions and answers wait behind no progress, and nothing is lost', async (context) => {
  const { view } = context;
  const streams: Stream[] = [];
  for (let index = 0; index < SESSIONS; index += 1) streams.push(await streamOf(context, index));
  const running = new Set(streams);
  for (const stream of streams) await stream.append('turnStarted', { inputIds: [] });

  let isOver = false;
  const write = async (stream: Stream): Promise<void> => {
    const word = `w${stream.words.length} `;
    stream.words.push(word);
    await stream.append('textDelta', { blockId: 'b', text: word });
  };
  const streaming = (async () => {
    while (!isOver && running.size > 0) {
      for (const stream of running) {
        if (isOver) return;
        stream.writing = write(stream);
        await stream.writing;
        await pause(WORD_MS);
      }
    }
  })();
  const finish = () => {
    isOver = true;
    return streaming;
  };
  await measure(context, streams, running).finally(finish);
  for (const { session } of streams) await view.settle(session);
  for (const [index, { words }] of streams.entries()) {
    const said = record(context).findLast(({ message }) => message.includes(`END-OF-${index}.`));
    assert.ok(said?.message.includes(`${words.join('')}END-OF-${index}.`), `thread ${index}`);
  }
});

test.run();
