import { createHmac } from 'node:crypto';
import { isChatError } from './errors.ts';
import { type ChatPost, KEY_PROP } from './posts.ts';
import type { MattermostRest, NewPost } from './rest.ts';
import { pause, systemClock } from './time.ts';

/** How long the server remembers a pending id (in the memory of one node). */
const PENDING_LIFE_MS = 30_000;
/** A retry counts on that memory only this long: the request still has to get there. */
const TRUSTED_MS = 25_000;
/** The first attempt's time is by our clock and posts carry the server's; they may differ by this much. */
const CLOCK_SKEW_MS = 120_000;
const PENDING_WAITS_MS = [100, 200, 400, 800, 1600];

/** An id that the server takes for the same post when it comes again, and that nobody else can guess. */
export function pendingPostId(key: string, secret: string): string {
  return createHmac('sha256', secret).update(`pending post\0${key}`).digest('hex').slice(0, 32);
}

export interface EnsurePostPorts {
  readonly rest: Pick<MattermostRest, 'createPost' | 'thread' | 'latestPosts'>;
  readonly botUserId: string;
  readonly secret: string;
  /** Our clock, in ms: the one `firstAttemptAt` was read from. */
  readonly now?: () => number;
  readonly wait?: (ms: number) => Promise<void>;
}

export interface WantedPost extends Omit<NewPost, 'pendingPostId'> {
  /** Stable over retries and unique among all posts ever made; also written into the post's props. */
  readonly key: string;
  /** When this key was first attempted; the same on every retry. */
  readonly firstAttemptAt: number;
}

/**
 * Creates a post once, however often it is called with the same key.
 *
 * A retry within some 25 s of the first attempt repeats the pending id, and the server answers with the post it has. A
 * later one first looks for a post of the bot that carries the key. What remains: a request that was lost on its way for
 * longer than the retry's look, a server that forgot its pending ids (restart, another node) within the 25 s, a post
 * that a person deleted meanwhile. In these cases a second post appears.
 *
 * @returns the post, found or made
 * @throws ChatError; retryable ones may be retried with the same arguments
 */
export async function ensurePost(ports: EnsurePostPorts, wanted: WantedPost): Promise<ChatPost> {
  const { now = systemClock.now, wait = (ms) => pause(systemClock, ms) } = ports;
  const { key, firstAttemptAt, ...fields } = wanted;
  const age = Math.max(0, now() - firstAttemptAt);
  const epoch = age < TRUSTED_MS ? 0 : 1 + Math.floor(age / PENDING_LIFE_MS);
  if (epoch > 0) {
    const found = await findByKey(ports, wanted);
    if (found) return found;
  }
  const post: NewPost = {
    ...fields,
    props: { ...wanted.props, [KEY_PROP]: key },
    pendingPostId: pendingPostId(epoch === 0 ? key : `${key}\0${epoch}`, ports.secret),
  };
  for (const ms of PENDING_WAITS_MS) {
    try {
      return await ports.rest.createPost(post);
    } catch (error) {
      // An earlier attempt is still being worked on; its post is the answer to come.
      if (!isChatError(error, 'CHAT_PENDING')) throw error;
    }
    await wait(ms);
  }
  return await ports.rest.createPost(post);
}

/** The bot's post with this key. Anyone can set props, so the author decides. */
async function findByKey(
  { rest, botUserId }: EnsurePostPorts,
  { key, rootId, channelId, firstAttemptAt }: WantedPost,
): Promise<ChatPost | undefined> {
  const ours = (post: ChatPost): boolean => post.key === key && post.userId === botUserId;
  if (rootId !== '') return (await rest.thread(rootId)).find(ours);
  const since = firstAttemptAt - CLOCK_SKEW_MS;
  for (let page = 0; ; page += 1) {
    const { posts, listed } = await rest.latestPosts(channelId, page);
    const found = posts.find(ours);
    const oldest = posts[0];
    if (found || listed === 0 || !oldest || oldest.createAt < since) return found;
  }
}
