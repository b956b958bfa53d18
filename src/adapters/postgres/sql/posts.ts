/** Posts the program made or is about to make, by their keys. */
import type { PostRow, PostState, StorePorts } from '../../../actors/store.ts';
import type { Address } from '../../../machines/addresses.ts';
import { type Database, run, type Statement } from '../database.ts';

interface PostRecord {
  readonly [column: string]: unknown;
  readonly key: string;
  readonly session: Address;
  readonly channel_id: string;
  readonly root_id: string;
  readonly post_id: string | null;
  readonly content_hash: string | null;
  readonly state: PostState;
  readonly attempt_at: number;
}

const COLUMNS = 'key, session, channel_id, root_id, post_id, content_hash, state, attempt_at';

function readPost(record: PostRecord): PostRow {
  return {
    key: record.key,
    session: record.session,
    channelId: record.channel_id,
    rootId: record.root_id,
    postId: record.post_id ?? undefined,
    contentHash: record.content_hash ?? undefined,
    state: record.state,
    attemptAt: record.attempt_at,
  };
}

const RESERVE_POST: Statement = {
  name: 'reserve_post',
  text: `
with before as (select ${COLUMNS} from chat_post where key = $1),
reserved as (
  insert into chat_post (key, session, channel_id, root_id, state, attempt_at)
  values ($1, $2, $3, $4, 'creating', to_timestamp($5::bigint / 1000.0))
  on conflict (key) do nothing
)
select ${COLUMNS} from before`,
};

/**
 * Notes the first attempt before it is made. Its time stays, however often it is tried: the chat server remembers a repeat
 * only for a while from then on. @returns the row as it was; undefined: nobody tried before.
 */
export async function reservePost(
  db: Database,
  post: Parameters<StorePorts['reservePost']>[0],
): Promise<PostRow | undefined> {
  const values = [post.key, post.session, post.channelId, post.rootId, post.at];
  return (await run<PostRecord>(db, RESERVE_POST, values)).map(readPost)[0];
}

const POST_CREATED: Statement = {
  name: 'post_created',
  text: `update chat_post set post_id = $2, content_hash = $3, state = 'posted' where key = $1`,
};

export async function postCreated(db: Database, key: string, postId: string, contentHash: string): Promise<void> {
  await run(db, POST_CREATED, [key, postId, contentHash]);
}

const POST_PATCHED: Statement = {
  name: 'post_patched',
  text: 'update chat_post set content_hash = $2 where key = $1',
};

export async function postPatched(db: Database, key: string, contentHash: string): Promise<void> {
  await run(db, POST_PATCHED, [key, contentHash]);
}

const POST_GONE: Statement = { name: 'post_gone', text: `update chat_post set state = 'gone' where key = $1` };

export async function postGone(db: Database, key: string): Promise<void> {
  await run(db, POST_GONE, [key]);
}

const POSTS_OF: Statement = {
  name: 'posts_of',
  text: `select ${COLUMNS} from chat_post where session = $1 order by attempt_at, key`,
};

export async function postsOf(db: Database, session: Address): Promise<PostRow[]> {
  return (await run<PostRecord>(db, POSTS_OF, [session])).map(readPost);
}

const FIND_POST: Statement = { name: 'find_post', text: `select ${COLUMNS} from chat_post where post_id = $1` };

export async function findPost(db: Database, postId: string): Promise<PostRow | undefined> {
  return (await run<PostRecord>(db, FIND_POST, [postId])).map(readPost)[0];
}
