// How threads are brought up to date when something is in the way. Stores and chat are stand-ins that can be held up.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type PostRow, RetryableError, type StoredOutput, silentLog, TerminalError } from '../../src/actors/index.ts';
import type { ChatPost } from '../../src/adapters/mattermost/index.ts';
import { createMask } from '../../src/chat/masking.ts';
import type { OncePost } from '../../src/flows/posting.ts';
import type { Priority } from '../../src/flows/rateGovernor.ts';
import { createThreadView, type ThreadView, type ThreadViewPorts } from '../../src/flows/threadView.ts';
import type { JsonObject } from '../../src/machines/json.ts';
import { until } from '../actors/support.ts';

const S = 'session/s' as const;

const test = suite<{ views: ThreadView[] }>('thread view');
test.before.each((context) => {
  context.views = [];
});
test.after.each(async ({ views }) => {
  for (const view of views) await view.stop();
});

function note(id: number, text = `note ${id}`): StoredOutput {
  const body = { note: `n${id}`, tone: 'info', text };
  return { id, logId: 'notes', seq: id, firstSeq: id, at: id, kind: 'note', body };
}

interface World {
  readonly rows: StoredOutput[];
  readonly posts: PostRow[];
  readonly made: string[];
  readonly warnings: object[];
  /** What the agent is told of: the post's key and why it is not there. */
  readonly undelivered: (readonly [string, string])[];
  /** The row up to which the thread stands for good. */
  settled: number;
  /** Called at the beginning of every round. */
  begin(): Promise<void>;
  create(post: OncePost): Promise<void>;
  patch(id: string, message: string): Promise<ChatPost>;
  now(): number;
  /** Every round that got through to its end. */
  clean(): void;
}

function worldOf(changes: Partial<World> = {}): World {
  return {
    rows: [note(1), note(2)],
    posts: [],
    made: [],
    warnings: [],
    undelivered: [],
    settled: 0,
    begin: async () => undefined,
    create: async () => undefined,
    patch: () => Promise.reject(new Error('nothing is to be edited')),
    now: Date.now,
    clean: () => undefined,
    ...changes,
  };
}

/** @param turn until a call may go */
function viewOn(
  views: ThreadView[],
  world: World,
  turn: (priority: Priority, signal?: AbortSignal) => Promise<void> = async () => undefined,
): ThreadView {
  const store: Partial<ThreadViewPorts['store']> = {
    async threadOf() {
      await world.begin();
      return { session: S, channelId: 'c', rootId: 'r', settled: world.settled };
    },
    dirtyMark: async () => 1,
    readTranscript: async (_session, after = 0) => world.rows.filter(({ id }) => id > after),
    postsOf: async () => world.posts,
    cleanThread: async (_session, _mark, settled) => {
      world.settled = Math.max(world.settled, settled);
      world.clean();
    },
    postPatched: async () => undefined,
    async postGone(key) {
      const at = world.posts.findIndex((row) => row.key === key);
      const row = world.posts[at];
      if (row) world.posts[at] = { ...row, state: 'gone' };
    },
  };
  const rest: Partial<ThreadViewPorts['rest']> = {
    patchPost: (id, { message = '' }) => world.patch(id, message),
    deletePost: async () => undefined,
  };
  const view = createThreadView({
    store: store as ThreadViewPorts['store'],
    rest: rest as ThreadViewPorts['rest'],
    posting: {
      async create(post) {
        world.made.push(post.message);
        await world.create(post);
        return post.key;
      },
      async call(priority, work, signal) {
        await turn(priority, signal);
        return work();
      },
    },
    attach: () => Promise.reject(new Error('there are no files')),
    log: { ...silentLog, warn: (fields: object) => world.warnings.push(fields) },
    undelivered: async ({ key, why }) => {
      world.undelivered.push([key, why]);
    },
    verbosityOf: async () => 'normal',
    mask: createMask(),
    notices: { ended: async () => undefined },
    folderOf: async () => '',
    trigger: '@claude',
    pauseMs: 1,
    lookMs: 1,
    now: () => world.now(),
  });
  views.push(view);
  return view;
}

function gate() {
  let open: () => void = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

const timersRun = () => new Promise((resolve) => setTimeout(resolve, 20));

test('no two rounds of a thread run at once, whoever asks for them', async ({ views }) => {
  const gates = [gate(), gate(), gate()];
  let begun = 0;
  let ended = 0;
  const view = viewOn(
    views,
    worldOf({
      rows: [],
      async begin() {
        begun += 1;
        await gates[begun - 1]?.passed;
      },
      clean: () => {
        ended += 1;
      },
    }),
  );
  view.touch(S);
  await until('the first round begins', () => begun === 1);
  const settled = view.settle(S);
  gates[0]?.open();
  await until('the second round begins', () => begun === 2);
  view.touch(S);
  await timersRun();
  const atOnce = begun - ended;
  for (const { open } of gates) open();
  await settled;
  assert.is(atOnce, 1);
});

test('a round ends between two posts when the view is stopped, and the thread stays dirty', async ({ views }) => {
  const creating = gate();
  let cleaned = 0;
  const world = worldOf({
    create: () => creating.passed,
    clean: () => {
      cleaned += 1;
    },
  });
  const view = viewOn(views, world);
  view.touch(S);
  await until('it is being made', () => world.made.length === 1);
  const stopped = view.stop();
  creating.open();
  await stopped;
  assert.is(world.made.length, 1);
  assert.is(cleaned, 0);
});

/** Runs at once what would run later, and notes how much later. */
async function waitsOf(rounds: number, error: Error, views: ThreadView[]): Promise<number[]> {
  const real = globalThis.setTimeout;
  const waits: number[] = [];
  const world = worldOf({ create: () => Promise.reject(error) });
  const quick = (call: () => void, ms = 0) => {
    if (ms >= 1_000) waits.push(ms);
    return real(call, waits.length > rounds ? 60_000 : 0);
  };
  globalThis.setTimeout = Object.assign(quick, { __promisify__: real.__promisify__ }) as typeof setTimeout;
  try {
    viewOn(views, world).touch(S);
    while (waits.length <= rounds) await new Promise((resolve) => setImmediate(resolve));
  } finally {
    globalThis.setTimeout = real;
  }
  assert.is(world.warnings.length, rounds + 1);
  return waits;
}

test('a thread that cannot be shown is tried more and more seldom while the chat is away', async ({ views }) => {
  const waits = await waitsOf(5, new RetryableError('CHAT_UNREACHABLE', 'away'), views);
  assert.equal(waits, [2_000, 4_000, 8_000, 16_000, 20_000, 20_000]);
});

test('a thread that the chat refuses for good costs next to nothing', async ({ views }) => {
  const waits = await waitsOf(1, new TerminalError('CHAT_FORBIDDEN', 'archived'), views);
  assert.equal(waits, [300_000, 300_000]);
});

function output(id: number, kind: string, body: JsonObject): StoredOutput {
  return { id, logId: 'l', seq: id, firstSeq: id, at: 0, kind, body: { turnId: 't', ...body } };
}

function posted(key: string): PostRow {
  const fields = { session: S, channelId: 'c', rootId: 'r', attemptAt: 1 };
  return { ...fields, key: `${S}|${key}`, postId: 'p1', contentHash: 'old words', state: 'posted' };
}

test('a turn that nothing is heard of says for how long it has been busy, and is left alone once it ended', async ({
  views,
}) => {
  const said: string[] = [];
  let clock = 0;
  let rounds = 0;
  const world = worldOf({
    rows: [output(1, 'turnStarted', { inputIds: [] })],
    posts: [posted('t/0/0')],
    now: () => clock,
    async patch(_id, message) {
      said.push(message);
      return {} as ChatPost;
    },
    clean: () => {
      rounds += 1;
    },
  });
  const view = viewOn(views, world);
  view.touch(S);
  await until('it is shown', () => said.length > 0);
  clock = 3 * 60_000;
  await until('time has passed', () => said.some((words) => words.includes('(3 min)')));
  world.rows.push(output(2, 'turnEnded', { outcome: 'TURN_OUTCOME_COMPLETED' }));
  await until('it has ended', () => said.some((words) => words.includes('Done')));
  const before = rounds;
  await timersRun();
  assert.ok(rounds <= before + 1, 'it is looked at on and on');
});

test('what stood for good is neither read nor edited again, by this process or the next, however it would be rendered today', async ({
  views,
}) => {
  const ended = { outcome: 'TURN_OUTCOME_COMPLETED' };
  const world = worldOf({
    rows: [
      output(1, 'turnStarted', {}),
      output(2, 'textBlock', { blockId: 'b', text: 'old' }),
      output(3, 'turnEnded', ended),
    ],
  });
  await viewOn(views, world).settle(S);
  assert.is(world.made.length, 1);
  assert.is(world.settled, 3);
  // As an earlier version of this program had rendered it; an edit would fail the test.
  world.posts.push(posted('t/0/0'));
  const next = { turnId: 'u' };
  world.rows.push(output(4, 'turnStarted', next), output(5, 'textBlock', { ...next, blockId: 'c', text: 'new' }));
  const view = viewOn(views, world);
  await view.settle(S);
  assert.is(world.settled, 3, 'a turn that runs is rendered from its beginning');
  world.rows.push(output(6, 'turnEnded', { ...next, ...ended }));
  world.posts.push({ ...posted('u/0/0'), postId: 'p2' });
  const said: string[] = [];
  await viewOn(views, {
    ...world,
    async patch(id, message) {
      said.push(`${id} ${message}`);
      return {} as ChatPost;
    },
  }).settle(S);
  assert.is(said.length, 1);
  assert.match(said[0] ?? '', /^p2 new/);
});

test('a row that names a turn which stands for good takes none of its posts away', async ({ views }) => {
  const world = worldOf({
    rows: [output(4, 'turnEnded', { outcome: 'TURN_OUTCOME_LOST' }), output(5, 'turnFollowed', { following: false })],
    posts: [posted('t/0/0')],
    settled: 3,
  });
  await viewOn(views, world).settle(S);
  assert.is(world.posts[0]?.state, 'posted');
});

test('a card does not wait for a post to be taken away, as long as that waits for its turn', async ({ views }) => {
  const world = worldOf({ rows: [note(1, 'soon gone')], posts: [posted('note/n1')] });
  world.rows.push({ ...note(2, ''), body: { note: 'n1', tone: 'info', text: '' } });
  const asked: string[] = [];
  const view = viewOn(views, world, (priority, signal) => {
    asked.push(priority);
    if (priority !== 'progress') return Promise.resolve();
    return new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
  });
  view.touch(S);
  await until('it is to be taken away', () => asked.length > 0);
  await view.settle(S);
  assert.equal(asked, ['progress', 'question']);
  assert.is(world.posts[0]?.state, 'gone');
});

test('RT-17: a live post that a person deletes in the middle of a turn stays deleted; the turn goes on in a new one', async ({
  views,
}) => {
  const world = worldOf({
    rows: [output(1, 'turnStarted', {}), output(2, 'textDelta', { blockId: 'b', text: 'first words' })],
    posts: [posted('t/0/0')],
    patch: () => Promise.reject(new TerminalError('CHAT_POST_GONE', 'deleted')),
  });
  const view = viewOn(views, world);
  await view.settle(S);
  assert.is(world.made.length, 1);
  assert.match(world.made[0] ?? '', /first words/);
  assert.is(world.posts[0]?.state, 'gone');
});

test('a post that is too old to be edited keeps its words; the new ones get a post of their own', async ({ views }) => {
  const world = worldOf({
    rows: [note(1, 'new words'), note(2)],
    patch: () => Promise.reject(new TerminalError('CHAT_EDIT_WINDOW', 'too old')),
  });
  const fields = { session: S, channelId: 'c', rootId: 'r', attemptAt: 1 };
  world.posts.push({ ...fields, key: `${S}|note/n1`, postId: 'p1', contentHash: 'old words', state: 'posted' });
  const view = viewOn(views, world);
  await view.settle(S);
  assert.equal(world.made, ['new words', 'note 2']);
  assert.is(world.posts[0]?.state, 'gone');
});

test('RT-16: words of the agent that the chat refuses for good are told to the agent, too; notes of the session are not', async ({
  views,
}) => {
  const turn = { turnId: 't1' };
  const outputs = [
    ['turnStarted', turn],
    ['textBlock', { ...turn, blockId: 'b', text: 'bad words' }],
    ['turnEnded', { ...turn, outcome: 'TURN_OUTCOME_COMPLETED' }],
  ].map(([kind, body], index) => ({ ...note(10 + index), kind, body }) as ReturnType<typeof note>);
  const world = worldOf({
    rows: [note(1, 'bad'), ...outputs],
    create: ({ message }) =>
      message.startsWith('bad')
        ? Promise.reject(new TerminalError('CHAT_REFUSED', 'no', { human: 'Mattermost does not take this.' }))
        : Promise.resolve(),
  });
  await viewOn(views, world).settle(S);
  assert.equal(world.undelivered, [['t1/0/0', 'Mattermost does not take this.']]);
});

test('RT-16: what the chat refuses to post is said to be missing, and does not hold up what comes after it', async ({
  views,
}) => {
  let cleaned = 0;
  const world = worldOf({
    rows: [note(1), note(2, 'bad'), note(3)],
    create: ({ message }) =>
      message === 'bad'
        ? Promise.reject(new TerminalError('CHAT_REFUSED', 'no', { human: 'Mattermost does not take this.' }))
        : Promise.resolve(),
    clean: () => {
      cleaned += 1;
    },
  });
  await viewOn(views, world).settle(S);
  assert.is(cleaned, 1, 'nothing is left to be shown');
  const [first, refused, instead, last] = world.made;
  assert.equal([first, refused, last], ['note 1', 'bad', 'note 3']);
  assert.match(instead ?? '', /could not be posted: Mattermost does not take this\.[\s\S]*another form/);
  assert.is(world.warnings.length, 1);
});

test.run();
