import type { Post } from '../entities.ts';
import type { Store } from '../store.ts';
import { type WirePost, wirePost } from '../views.ts';

/** At most so many rows come back from `since`; which ones is not said. */
const SINCE_MOST = 1_000;

/** `posts` may hold more than `order` names: the roots of replies. */
export interface PostList {
  order: string[];
  posts: Record<string, WirePost>;
  next_post_id: string;
  prev_post_id: string;
  has_next?: boolean;
}

/** Everything changed strictly after `since`: edited, deleted and earlier versions included. Newest first. */
export function postsSince(store: Store, channelId: string, since: number): PostList {
  const changed = rows(store, channelId)
    .filter((post) => post.update_at > since)
    .slice(0, SINCE_MOST);
  return list(store, newestFirst(changed), { next: '', prev: '' });
}

/** A page of the current posts of a channel, newest first, with the ids of the neighbours of the page. */
export function postsPage(store: Store, channelId: string, page: number, perPage: number): PostList {
  return cut(store, current(store, channelId), page * perPage, perPage);
}

/** The posts next before the given one. */
export function postsBefore(store: Store, channelId: string, postId: string, page: number, perPage: number): PostList {
  const all = current(store, channelId);
  const at = all.findIndex((post) => post.id === postId);
  return cut(store, all, (at < 0 ? all.length : at + 1) + page * perPage, perPage);
}

/** The posts next after the given one. */
export function postsAfter(store: Store, channelId: string, postId: string, page: number, perPage: number): PostList {
  const all = current(store, channelId);
  const at = all.findIndex((post) => post.id === postId);
  if (at < 0) return list(store, [], { next: '', prev: '' });
  const end = at - page * perPage;
  const start = Math.max(0, end - perPage);
  return cut(store, all, start, Math.max(0, end - start));
}

export interface ThreadPage {
  perPage?: number | undefined;
  direction: 'up' | 'down';
  fromPost?: string | undefined;
  fromCreateAt?: number | undefined;
}

/**
 * A thread, asked for by any of its posts. `order` starts with the post asked for, which comes again in its place: the
 * server does the same, and readers have to cope.
 */
export function threadOf(store: Store, post: Post, page: ThreadPage): PostList {
  const rootId = post.root_id || post.id;
  const root = store.posts.get(rootId);
  const all = [...(root ? [root] : []), ...(store.replies.get(rootId) ?? [])].filter((each) => each.delete_at === 0);
  if (page.direction === 'up') all.reverse();
  const from = page.fromPost === undefined ? -1 : all.findIndex((each) => each.id === page.fromPost);
  const beyond = all
    .slice(from + 1)
    .filter((each) => page.fromPost !== undefined || isBeyond(each, page.direction, page.fromCreateAt));
  const shown = page.perPage === undefined ? beyond : beyond.slice(0, page.perPage);
  const made = list(store, shown, { next: '', prev: '' });
  made.order.unshift(post.id);
  made.posts[post.id] = wirePost(store, post);
  return { ...made, ...(page.perPage === undefined ? {} : { has_next: beyond.length > shown.length }) };
}

function isBeyond(post: Post, direction: 'up' | 'down', createAt: number | undefined): boolean {
  if (createAt === undefined) return true;
  return direction === 'down' ? post.create_at > createAt : post.create_at < createAt;
}

function rows(store: Store, channelId: string): Post[] {
  return store.channelPosts.get(channelId) ?? [];
}

function current(store: Store, channelId: string): Post[] {
  return newestFirst(rows(store, channelId).filter((post) => post.delete_at === 0));
}

function newestFirst(posts: Post[]): Post[] {
  return [...posts].reverse().sort((a, b) => b.create_at - a.create_at);
}

function cut(store: Store, all: Post[], start: number, count: number): PostList {
  const newer = all[start - 1];
  const older = all[start + count];
  return list(store, all.slice(start, start + count), { next: newer?.id ?? '', prev: older?.id ?? '' });
}

function list(store: Store, shown: Post[], around: { next: string; prev: string }): PostList {
  const posts: Record<string, WirePost> = {};
  for (const post of shown) {
    posts[post.id] = wirePost(store, post);
    const root = post.root_id === '' ? undefined : store.posts.get(post.root_id);
    if (root !== undefined && root.delete_at === 0) posts[root.id] ??= wirePost(store, root);
  }
  return { order: shown.map((post) => post.id), posts, next_post_id: around.next, prev_post_id: around.prev };
}
