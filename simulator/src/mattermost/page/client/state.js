import { call } from './api.js';

/** What the page knows. Changed only here and by main.js; whoever changes it calls `changed`. */
export const state = {
  /** @type {any} */
  me: undefined,
  /** @type {any} */
  team: undefined,
  /** @type {Map<string, any>} */
  users: new Map(),
  /** @type {Map<string, any>} */
  channels: new Map(),
  /** @type {Map<string, any>} all posts that were seen, of all channels */
  posts: new Map(),
  /** @type {Map<string, number>} new posts by channel */
  unread: new Map(),
  /** @type {Map<string, { channelId: string, parentId: string, userId: string, until: number }>} */
  typing: new Map(),
  /** @type {Map<string, boolean>} by channel: there are older posts than those seen */
  older: new Map(),
  channelId: '',
  rootId: '',
};

/** @type {Set<() => void>} */
const watchers = new Set();
let planned = false;

/** @param {() => void} watcher called after changes, once a frame at most */
export function onChange(watcher) {
  watchers.add(watcher);
}

export function changed() {
  if (planned) return;
  planned = true;
  // A hidden page gets no frames; a timer makes sure that it is up to date when it is looked at.
  const run = () => {
    if (!planned) return;
    planned = false;
    for (const watcher of watchers) watcher();
  };
  requestAnimationFrame(run);
  setTimeout(run, 200);
}

/**
 * Takes posts in and asks for their authors. An older version never replaces a newer one.
 * @param {any[]} posts
 */
export function takePosts(posts) {
  for (const post of posts) {
    if (post.delete_at > 0 || post.original_id) continue;
    const known = state.posts.get(post.id);
    if (!known || known.update_at <= post.update_at) state.posts.set(post.id, post);
  }
  needUsers(posts.map((post) => post.user_id));
  changed();
}

/**
 * The answer to a post that was sent from here. The stream may have told of the post before, and of reactions to it since.
 * @param {any} post
 */
export function takeSent(post) {
  if (!state.posts.has(post.id)) takePosts([post]);
}

/** @param {any} post a deleted one; its replies go with it */
export function dropPost(post) {
  for (const [id, each] of state.posts) if (id === post.id || each.root_id === post.id) state.posts.delete(id);
  if (state.rootId === post.id) state.rootId = '';
  changed();
}

/** Posts at the top level of the open channel, oldest first, and what is shown to this user only. */
export function topLevel() {
  return [...state.posts.values()]
    .filter((post) => post.channel_id === state.channelId && (!post.root_id || post.type === 'system_ephemeral'))
    .sort(byTime);
}

/** The open thread, its root first. */
export function threadPosts() {
  return [...state.posts.values()]
    .filter((post) => post.id === state.rootId || post.root_id === state.rootId)
    .sort(byTime);
}

function byTime(a, b) {
  return a.create_at - b.create_at || (a.id < b.id ? -1 : 1);
}

/** @param {string} rootId */
export function repliesOf(rootId) {
  let seen = 0;
  for (const post of state.posts.values()) if (post.root_id === rootId && post.type !== 'system_ephemeral') seen += 1;
  return Math.max(seen, state.posts.get(rootId)?.reply_count ?? 0);
}

/** @param {string} userId */
export function nameOf(userId) {
  return state.users.get(userId)?.username ?? '…';
}

/** Those who type in a channel (parentId '') or thread right now. */
export function typists(channelId, parentId) {
  const now = Date.now();
  return [...state.typing.values()].filter(
    (each) => each.channelId === channelId && each.parentId === parentId && each.until > now,
  );
}

const asked = new Set();

function needUsers(ids) {
  const missing = [...new Set(ids)].filter((id) => id && !state.users.has(id) && !asked.has(id));
  if (missing.length === 0) return;
  for (const id of missing) asked.add(id);
  call('POST', '/users/ids', missing).then(
    (users) => {
      for (const user of users) state.users.set(user.id, user);
      changed();
    },
    () => {
      for (const id of missing) asked.delete(id);
    },
  );
}
