/**
 * The simulators' own logs as tables of the schema `evidence`, in the database that the gateway wrote to, so that both can
 * be compared by SQL. Nothing in here was told by the gateway.
 *
 * | table | one row per |
 * |---|---|
 * | `chat` | thing that happened at the chat server, in order |
 * | `post` | post as it stands in the chat in the end |
 * | `worker` | line that a simulated worker wrote down, in order |
 * | `word` | word of an answer that a worker said |
 * | `shown` | word of an answer in a post of the bot, as often as it stands there |
 */
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WORD_PATTERN } from './script.ts';
import { type CrashWorld, linesOf } from './world.ts';

const SCHEMA = `
drop schema if exists evidence cascade;
create schema evidence;
create table evidence.chat (seq serial, kind text, at timestamptz, user_id text, post_id text, channel_id text, root_id text,
  type text, message text, action_id text, callback_status int, status int);
create table evidence.post (id text primary key, channel_id text, root_id text, user_id text, at timestamptz, edit_at timestamptz,
  message text, card text, key text);
create table evidence.worker (seq serial, at timestamptz, what text, session text, input_id text, text text, request_id text,
  outcome text, answer text, code text, log_id text, output_seq bigint, kind text, words text[], term bigint);
create table evidence.about (bot_id text, lobby_id text, trigger text);`;

const CHUNK = 2_000;

export async function loadEvidence(world: CrashWorld): Promise<void> {
  const { database, chat, bot, lobbyId, trigger } = world;
  await database.db.pool.query(SCHEMA);
  await database.rows('insert into evidence.about values ($1, $2, $3)', [bot.id, lobbyId, trigger]);
  await insert(
    world,
    `insert into evidence.chat (kind, at, user_id, post_id, channel_id, root_id, type, message, action_id, callback_status, status)
     select x.kind, to_timestamp(x.at / 1000.0), x."userId", x."postId", x."channelId", x."rootId", x.type, x.message,
            x."actionId", x."callbackStatus", x.status
     from jsonb_to_recordset($1::jsonb) as x(kind text, at bigint, "userId" text, "postId" text, "channelId" text,
       "rootId" text, type text, message text, "actionId" text, "callbackStatus" int, status int)`,
    chat.log.entries(),
  );
  await insert(
    world,
    `insert into evidence.worker (at, what, session, input_id, text, request_id, outcome, answer, code, log_id, output_seq,
       kind, words, term)
     select to_timestamp(x.at / 1000.0), x.what, 'session/' || x.session, x."inputId", x.text, x."requestId", x.outcome,
            x.answer, x.code, x."logId", x.seq, x.kind, x.words, x.term
     from jsonb_to_recordset($1::jsonb) as x(at bigint, what text, session text, "inputId" text, text text,
       "requestId" text, outcome text, answer text, code text, "logId" text, seq bigint, kind text, words text[], term bigint)`,
    linesOf(world.workerLog).map((line) => JSON.parse(line)),
  );
  const channels = await database.rows<{ id: string }>(
    'select distinct channel_id as id from evidence.chat where channel_id is not null',
  );
  for (const { id } of channels) await loadPosts(world, id);
  await database.db.pool.query(`
    create table evidence.word as
      select session, input_id, word, seq from evidence.worker, unnest(words) as word where what = 'output';
    create table evidence.shown as
      select p.root_id, p.id as post_id, m[1] as word
      from evidence.post p, evidence.about a, regexp_matches(p.message, '\\m(${WORD_PATTERN})\\M', 'g') as m
      where p.user_id = a.bot_id;
    create index on evidence.chat (post_id);
    create index on evidence.post (root_id);
    create index on evidence.post (key);
    create index on evidence.worker (session, what, input_id);
    create index on evidence.word (session, word);
    create index on evidence.shown (root_id, word);
    analyze evidence.chat, evidence.post, evidence.worker, evidence.word, evidence.shown`);
}

async function insert({ database }: CrashWorld, statement: string, rows: readonly object[]): Promise<void> {
  for (let at = 0; at < rows.length; at += CHUNK) {
    await database.rows(statement, [JSON.stringify(rows.slice(at, at + CHUNK))]);
  }
}

interface WirePost {
  readonly id: string;
  readonly channel_id: string;
  readonly root_id: string;
  readonly user_id: string;
  readonly create_at: number;
  readonly edit_at: number;
  readonly delete_at: number;
  readonly type: string;
  readonly message: string;
  readonly props: { readonly csm_key?: string; readonly attachments?: readonly { readonly text?: string }[] };
}

/** Every post of a channel as an administrator sees it now. */
async function loadPosts(world: CrashWorld, channelId: string): Promise<void> {
  const { chat } = world;
  for (let page = 0; ; page += 1) {
    const answer = await fetch(`${chat.url}/api/v4/channels/${channelId}/posts?page=${page}&per_page=200`, {
      headers: { authorization: `Bearer ${chat.adminToken}` },
    });
    if (!answer.ok)
      throw new Error(`the posts of ${channelId} cannot be read: ${answer.status} ${await answer.text()}`);
    const { order, posts } = (await answer.json()) as { order: string[]; posts: Record<string, WirePost> };
    const rows = order.flatMap((id) => {
      const post = posts[id];
      if (post?.type !== '' || post.delete_at > 0) return [];
      const card = post.props.attachments?.map(({ text = '' }) => text).join('\n') ?? '';
      return [{ ...post, card, key: post.props.csm_key ?? null }];
    });
    await insert(
      world,
      `insert into evidence.post select x.id, x.channel_id, x.root_id, x.user_id, to_timestamp(x.create_at / 1000.0),
         to_timestamp(x.edit_at / 1000.0), x.message, x.card, x.key
       from jsonb_to_recordset($1::jsonb) as x(id text, channel_id text, root_id text, user_id text, create_at bigint,
         edit_at bigint, message text, card text, key text) on conflict do nothing`,
      rows,
    );
    if (order.length < 200) return;
  }
}

const TABLES = [
  'actor',
  'inbox',
  'effect',
  'journal',
  'dead_letter',
  'chat_post',
  'chat_cursor',
  'thread',
  'transcript',
];

/** The logs of all processes, and both sides' tables as lines of JSON. */
export async function keepRecords({ database, folder }: CrashWorld, target: string): Promise<void> {
  mkdirSync(target, { recursive: true });
  for (const name of readdirSync(folder).filter((each) => /\.(log|ndjson)$/.test(each))) {
    copyFileSync(join(folder, name), join(target, name));
  }
  for (const table of [...TABLES, 'evidence.chat', 'evidence.post', 'evidence.worker']) {
    const rows = await database.rows<{ row: object }>(`select to_jsonb(t) as row from ${table} t`);
    writeFileSync(join(target, `${table}.json`), rows.map(({ row }) => JSON.stringify(row)).join('\n'));
  }
}
