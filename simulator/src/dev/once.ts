/** One whole conversation without a browser: a session is started, a message said, the turn's end awaited. */
import pg from 'pg';
import type { Environment } from './environment.ts';

export interface OnceReport {
  readonly answered: boolean;
  readonly posts: readonly { readonly author: string; readonly message: string }[];
  /** The session's states in the order it passed through them. */
  readonly states: readonly string[];
  /** Milliseconds. */
  readonly stages: Readonly<Record<string, number | null>>;
  readonly gatewayRssBytes: number;
}

interface JournalRow {
  readonly at: number;
  readonly type: string;
  readonly outcome: string | null;
  readonly value: unknown;
}

const POLL_MS = 25;

export async function converse(environment: Environment, message: string, timeoutMs: number): Promise<OnceReport> {
  const end = Date.now() + timeoutMs;
  const database = new pg.Client({ connectionString: environment.databaseUrl });
  // A connection that breaks shows in the query that is under way.
  database.on('error', () => {});
  await database.connect();
  try {
    const ask = await post(environment, { channel_id: environment.lobbyId, message: '@claude start demo --worktree' });
    const session = `session/${ask.id}`;
    const settled = await until(end, async () =>
      (await journal(database, session)).find((row) => isOpen(row.value) || row.value === 'failed'),
    );
    const thread = await until(end, async () => threadOf(database, session));
    const ready = settled !== undefined && settled.value !== 'failed' && thread !== undefined;
    const say = ready
      ? await post(environment, { channel_id: thread.channelId, root_id: thread.rootId, message })
      : undefined;
    if (say) await until(end, () => isAnswered(database, session));
    return await report(environment, database, session, { ask, say });
  } finally {
    await database.end();
  }
}

interface Post {
  readonly id: string;
  readonly create_at: number;
}

async function post({ chat, you }: Environment, body: object): Promise<Post> {
  const answer = await fetch(`${chat.url}/api/v4/posts`, {
    method: 'POST',
    headers: { authorization: `Bearer ${you.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`The chat server refused the post: ${await answer.text()}`);
  return (await answer.json()) as Post;
}

async function until<Result>(end: number, look: () => Promise<Result | undefined>): Promise<Result | undefined> {
  while (Date.now() < end) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return undefined;
}

async function journal(database: pg.Client, session: string): Promise<JournalRow[]> {
  const { rows } = await database.query<JournalRow>(
    `select (extract(epoch from at) * 1000)::float8 as at, event->>'type' as type, event->>'outcome' as outcome, value
     from journal where actor_id = $1 order by rev`,
    [session],
  );
  return rows;
}

function isOpen(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'active' in value && typeof value.active === 'object';
}

async function threadOf(
  database: pg.Client,
  session: string,
): Promise<{ channelId: string; rootId: string } | undefined> {
  const { rows } = await database.query<{ channelId: string; rootId: string }>(
    `select channel_id as "channelId", root_id as "rootId" from thread where session = $1`,
    [session],
  );
  return rows[0];
}

/** A turn ended, and the thread shows all there is. */
async function isAnswered(database: pg.Client, session: string): Promise<true | undefined> {
  const ended = (await journal(database, session)).some((row) => row.type === 'TURN.ENDED');
  if (!ended) return undefined;
  const { rows } = await database.query(`select 1 from thread where session = $1 and dirty > clean`, [session]);
  return rows.length === 0 ? true : undefined;
}

async function report(
  environment: Environment,
  database: pg.Client,
  session: string,
  { ask, say }: { ask: Post; say: Post | undefined },
): Promise<OnceReport> {
  const rows = await journal(database, session);
  const thread = await threadOf(database, session);
  const posts = thread ? await threadPosts(environment, thread.rootId) : [];
  const completed = rows.some((row) => row.type === 'TURN.ENDED' && row.outcome === 'completed');
  const answers = posts.filter((each) => say && each.author === environment.bot.username && each.at >= say.create_at);
  return {
    answered: completed && answers.length > 0,
    posts: posts.map(({ author, message }) => ({ author, message })),
    states: statesOf(rows),
    stages: await stagesOf(environment, database, session, rows, ask, say),
    gatewayRssBytes: await environment.gateway().memory(),
  };
}

/** Each stage from the server's, the journal's and the transcript's own times; null where it was not reached. */
async function stagesOf(
  { chat, bot }: Environment,
  database: pg.Client,
  session: string,
  rows: readonly JournalRow[],
  ask: Post,
  say: Post | undefined,
): Promise<OnceReport['stages']> {
  const open = rows.find((row) => isOpen(row.value))?.at;
  const { rows: outputs } = await database.query<{ kind: string; at: number }>(
    `select kind, (extract(epoch from at) * 1000)::float8 as at from transcript where session = $1 order by id`,
    [session],
  );
  const first = (kind: string) => outputs.find((row) => row.kind === kind)?.at;
  const firstByte = first('textDelta') ?? first('toolUse') ?? first('textBlock');
  const visible = chat.log
    .entries()
    .find(
      (entry) => entry.kind !== 'click' && entry.userId === bot.id && firstByte !== undefined && entry.at >= firstByte,
    )?.at;
  const ended = rows.find((row) => row.type === 'TURN.ENDED')?.at;
  const between = (from: number | undefined, to: number | undefined): number | null =>
    from === undefined || to === undefined ? null : Math.round(to - from);
  return {
    'command posted -> session open': between(ask.create_at, open),
    'post accepted -> prompt at the worker': between(say?.create_at, first('turnStarted')),
    'prompt at the worker -> first agent byte': between(first('turnStarted'), firstByte),
    'first agent byte -> first visible text': between(firstByte, visible),
    'post accepted -> turn ended': between(say?.create_at, ended),
  };
}

async function threadPosts({ chat, you }: Environment, rootId: string) {
  const answer = await fetch(`${chat.url}/api/v4/posts/${rootId}/thread`, {
    headers: { authorization: `Bearer ${you.token}` },
  });
  const { posts } = (await answer.json()) as {
    posts: Record<string, { message: string; user_id: string; create_at: number; type: string; delete_at: number }>;
  };
  const names = new Map<string, string>();
  const found = Object.values(posts)
    .filter((each) => each.type === '' && each.delete_at === 0)
    .sort((a, b) => a.create_at - b.create_at);
  for (const each of found) {
    if (names.has(each.user_id)) continue;
    const user = await fetch(`${chat.url}/api/v4/users/${each.user_id}`, {
      headers: { authorization: `Bearer ${you.token}` },
    });
    names.set(each.user_id, ((await user.json()) as { username: string }).username);
  }
  return found.map((each) => ({
    author: names.get(each.user_id) ?? each.user_id,
    message: each.message,
    at: each.create_at,
  }));
}

/** Without repetitions: `active.open.conversation.thinking.working`, ... */
function statesOf(rows: readonly JournalRow[]): string[] {
  const states: string[] = [];
  for (const row of rows) {
    const state = conversationOf(row.value);
    if (states.at(-1) !== state) states.push(state);
  }
  return states;
}

/** A parallel state is named by its conversation: the other regions say how it is, not where it is. */
function conversationOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return '';
  const entries = Object.entries(value);
  const [name, inner] = entries.find(([key]) => key === 'conversation') ?? entries[0] ?? ['', ''];
  const rest = conversationOf(inner);
  return rest === '' ? name : `${name}.${rest}`;
}
