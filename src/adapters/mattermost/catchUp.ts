import type { ChatEvent } from './events.ts';
import { type ChatPost, oldestFirst } from './posts.ts';
import { type MattermostRest, PAGE_SIZE, SINCE_LIMIT } from './rest.ts';
import type { ChatChannel } from './shapes.ts';

/** The last post of a channel that was committed, and its server time. */
export interface Cursor {
  /** Empty if only a time is known, e.g. when the bot joined. */
  readonly postId: string;
  /** The post's `createAt`: server time in ms. Never the local clock. */
  readonly at: number;
}

export interface CatchUpOptions {
  readonly rest: Pick<MattermostRest, 'getPost' | 'postsAfter' | 'postsBefore' | 'postsSince' | 'latestPosts'>;
  /** Of each its type, too: the posts that are read do not name it. */
  readonly channels: readonly Pick<ChatChannel, 'id' | 'type'>[];
  /** Channels without a cursor are left out: what was said before the bot was there is none of its business. */
  readonly cursorOf: (channelId: string) => Cursor | undefined;
  /**
   * Takes one event, of the same kinds as the socket's. Per channel: posts from old to new, then edits and deletions.
   * Must know what it has seen: posts shortly before the cursor come again, and the socket delivers at the same time.
   */
  readonly deliver: (event: ChatEvent) => Promise<void>;
  /**
   * Everything of this channel was delivered, or there was nothing to begin from.
   * @param upTo the newest post's server time; undefined if nothing was read
   */
  readonly onRead?: (channelId: string, upTo: number | undefined) => Promise<void>;
  /**
   * How far before the cursor to begin, in ms of server time. A post gets its time before it is stored, so one with an
   * earlier time may have become visible after the cursor's.
   */
  readonly overlapMs?: number;
  readonly concurrency?: number;
}

export interface CatchUpReport {
  readonly channels: number;
  /** Channels left out for want of a cursor. */
  readonly skipped: number;
  readonly posted: number;
  readonly edited: number;
  readonly deleted: number;
  /** Channels with more changes than the server tells at once; edits and deletions may be missing there, posts not. */
  readonly truncated: number;
  /** Of these, those without a usable cursor post, so that they were read back from the present. */
  readonly lostCursors: number;
  /** Channels that could not be read (left, archived, failing); the rest was. They need another run. */
  readonly failed: readonly { readonly channelId: string; readonly error: unknown }[];
}

const OVERLAP_MS = 5_000;
const CONCURRENCY = 4;

/** Reads over REST what the socket may have missed. Errors of single channels are in the report. */
export async function catchUp(options: CatchUpOptions): Promise<CatchUpReport> {
  const totals = { channels: 0, skipped: 0, posted: 0, edited: 0, deleted: 0, lostCursors: 0, truncated: 0 };
  const failed: { channelId: string; error: unknown }[] = [];
  const queue = [...new Map(options.channels.map(({ id, type }) => [id, type]))];

  async function worker(): Promise<void> {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [channelId, channelType] = next;
      const cursor = options.cursorOf(channelId);
      if (!cursor) {
        totals.skipped += 1;
        await options.onRead?.(channelId, undefined);
        continue;
      }
      totals.channels += 1;
      try {
        const upTo = await readChannel(options, { channelId, channelType }, cursor, totals);
        await options.onRead?.(channelId, upTo);
      } catch (error) {
        failed.push({ channelId, error });
      }
    }
  }

  await Promise.all(Array.from({ length: Math.min(options.concurrency ?? CONCURRENCY, queue.length) }, worker));
  return { ...totals, failed };
}

type Totals = { posted: number; edited: number; deleted: number; lostCursors: number; truncated: number };

/**
 * One request in the ordinary case: `since` tells posts, edits and deletions alike, completely as long as it stays below
 * its limit. Beyond it the choice is arbitrary, so posts are then read page by page.
 */
async function readChannel(
  options: CatchUpOptions,
  { channelId, channelType }: { readonly channelId: string; readonly channelType: string },
  cursor: Cursor,
  totals: Totals,
): Promise<number | undefined> {
  const from = cursor.at - (options.overlapMs ?? OVERLAP_MS);
  const seen = new Set<string>();
  let upTo: number | undefined;
  const deliverNew = async (posts: readonly ChatPost[]): Promise<void> => {
    for (const post of posts) {
      if (post.createAt < from || post.deleteAt > 0 || seen.has(post.id)) continue;
      seen.add(post.id);
      upTo = Math.max(upTo ?? 0, post.createAt);
      totals.posted += 1;
      await options.deliver({ type: 'posted', post, channelType, teamId: '' });
    }
  };

  const changes = await options.rest.postsSince(channelId, from);
  if (changes.listed >= SINCE_LIMIT) {
    totals.truncated += 1;
    const anchor = await anchorBefore(options, channelId, cursor, from);
    if (anchor === undefined) {
      totals.lostCursors += 1;
      await deliverNew(await readBackTo(options, channelId, from));
    } else {
      await readOnwards(options, channelId, anchor, deliverNew);
    }
  }
  await deliverNew(changes.posts);

  for (const post of changes.posts) {
    if (post.deleteAt > 0) {
      totals.deleted += 1;
      await options.deliver({ type: 'deleted', post });
    } else if (post.editAt >= from) {
      totals.edited += 1;
      await options.deliver({ type: 'edited', post });
    }
  }
  return upTo;
}

/** A post from which `after` tells everything since `from`; none if the cursor's post is gone or nothing lies before. */
async function anchorBefore(
  { rest }: CatchUpOptions,
  channelId: string,
  cursor: Cursor,
  from: number,
): Promise<string | undefined> {
  if (cursor.postId === '' || !(await rest.getPost(cursor.postId))) return undefined;
  const before = await rest.postsBefore(channelId, cursor.postId, PAGE_SIZE);
  return before.posts.findLast((post) => post.createAt < from)?.id;
}

/**
 * Page by page from old to new. The server compares times strictly, so posts of an anchor's own millisecond are in no
 * page after it; every next anchor is therefore a post one millisecond short of what is known already.
 */
async function readOnwards(
  { rest }: CatchUpOptions,
  channelId: string,
  anchor: string,
  deliverNew: (posts: readonly ChatPost[]) => Promise<void>,
): Promise<void> {
  const known = new Set<string>();
  for (let from = anchor; ; ) {
    const { posts } = await rest.postsAfter(channelId, from);
    const last = posts.at(-1);
    if (!last || posts.every((post) => known.has(post.id))) return;
    for (const post of posts) known.add(post.id);
    await deliverNew(posts);
    from = (posts.findLast((post) => post.createAt < last.createAt) ?? last).id;
  }
}

/**
 * Everything since a time, oldest first, read from the newest page back. Each page hangs on a post of the one before, not
 * on a count: posts that come or go meanwhile would shift a count.
 */
async function readBackTo({ rest }: CatchUpOptions, channelId: string, from: number): Promise<ChatPost[]> {
  const found = new Map<string, ChatPost>();
  for (let page = await rest.latestPosts(channelId, 0); ; ) {
    const { posts } = page;
    const oldest = posts[0];
    const isNew = posts.some((post) => !found.has(post.id));
    for (const post of posts) found.set(post.id, post);
    if (!oldest || !isNew || oldest.createAt < from) return oldestFirst([...found.values()]);
    const anchor = posts.find((post) => post.createAt > oldest.createAt) ?? oldest;
    page = await rest.postsBefore(channelId, anchor.id, PAGE_SIZE);
  }
}
