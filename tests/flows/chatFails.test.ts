// @limit 240
// RT-8. The chat server fails now and then, as it does when many posts of a thread are made at once; on the real store.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { INTERNAL_ERROR } from '../../simulator/src/mattermost/index.ts';
import { silentLog } from '../../src/actors/index.ts';
import { createMask } from '../../src/chat/masking.ts';
import { createPosting } from '../../src/flows/posting.ts';
import { createRateGovernor } from '../../src/flows/rateGovernor.ts';
import { createThreadView } from '../../src/flows/threadView.ts';
import type { Address } from '../../src/machines/addresses.ts';
import { type Chat, startChat, until } from '../adapters/mattermost/support.ts';
import { COMMIT_ID, fresh, turn } from '../adapters/postgres/support.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';

const test = suite<{ postgres: TestPostgres; chat: Chat }>('a chat that fails');
test.before(async (context) => {
  context.postgres = await startPostgres();
  context.chat = await startChat();
});
test.after(async ({ postgres, chat }) => {
  await chat.sim.close();
  await postgres.stop();
});

test('RT-8: one of ten requests fails, and no post is dropped, doubled or out of its place', async ({
  postgres,
  chat,
}) => {
  const { store } = await fresh(postgres);
  const { id: botUserId } = chat.bot;
  const posts = { method: 'POST', path: '/api/v4/posts' };
  let asked = 0;
  const rest: typeof chat.bot.rest = {
    ...chat.bot.rest,
    createPost(post) {
      asked += 1;
      // Of some that fail the post is there all the same.
      if (asked % 20 === 0) chat.sim.faults.loseAnswers(1, posts, 'cut');
      return chat.bot.rest.createPost(post);
    },
  };
  const governor = createRateGovernor({ perSecond: 1_000, burst: 1_000 });
  const posting = createPosting({ rest, store, governor, botUserId, secret: 's', now: Date.now, leads: () => true });
  const warnings: object[] = [];
  const log = { ...silentLog, warn: (fields: object) => warnings.push(fields) };
  const attach = () => Promise.reject(new Error('there are no files'));
  const view = createThreadView({
    store,
    rest,
    posting,
    attach,
    log,
    undelivered: async () => undefined,
    verbosityOf: async () => 'normal',
    trigger: '@claude',
    mask: createMask(),
    notices: { ended: async () => undefined },
    folderOf: async () => '',
  });
  const roots: string[] = [];
  for (let index = 0; index < 40; index += 1) {
    const session: Address = `session/s${index}`;
    const rootId = await chat.say(`root ${index}`);
    roots.push(rootId);
    const threads = [{ session, rootId, channelId: chat.channelId }];
    await store.commit(1, COMMIT_ID, [turn({ address: session, threads })]);
    const rows = [1, 2, 3].map((seq) => {
      const body = { note: `n${seq}`, tone: 'info', text: `${index}: note ${seq}` };
      return { seq, firstSeq: seq, at: seq, kind: 'note', body };
    });
    await store.appendOutputs(1, { session, logId: 'log', rows, events: [] });
  }
  chat.sim.faults.failRandomly(0.1, 7, INTERNAL_ERROR, { path: /^\/api\/v4\/posts/ });
  try {
    for (const index of roots.keys()) view.touch(`session/s${index}`);
    await until('every thread is shown', async () => (await store.dirtyThreads()).length === 0, 120_000);
  } finally {
    await view.stop();
  }
  assert.ok(warnings.length > 3, `only ${warnings.length} requests failed`);
  for (const [index, rootId] of roots.entries()) {
    const said = chat.sim.log.created({ userId: botUserId, rootId }).map(({ message }) => message);
    assert.equal(
      said,
      [1, 2, 3].map((seq) => `${index}: note ${seq}`),
    );
  }
});

test.run();
