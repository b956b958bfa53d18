import type { Dispatcher } from 'undici';
import { z } from 'zod';
import type { Json } from '../../machines/json.ts';
import { type CategoryOfOwn, putInCategory } from './categories.ts';
import { ChatError, isChatError } from './errors.ts';
import {
  type ChatPost,
  MAX_POST_LENGTH,
  oldestFirst,
  type PostPage,
  postLength,
  wirePost,
  wirePostList,
} from './posts.ts';
import { type Call, download, exchange, fileForm, path, type RequestOptions } from './request.ts';
import {
  type ChannelMember,
  type ChatChannel,
  type ChatFile,
  type ChatReaction,
  type ChatTeam,
  type ChatUser,
  type TeamMember,
  wireAnything,
  wireChannel,
  wireChannelMember,
  wireFile,
  wireReaction,
  wireStatusOk,
  wireTeam,
  wireTeamMember,
  wireUpload,
  wireUser,
} from './shapes.ts';
import { type Clock, systemClock } from './time.ts';

/** Most entries of one page that the server gives. */
export const PAGE_SIZE = 200;
/** Most rows of an answer to `since`; which ones is not defined when there are more. */
export const SINCE_LIMIT = 1000;

export type Props = { readonly [name: string]: Json };

export interface NewPost {
  readonly channelId: string;
  /** Root of the thread; empty for top level. Must itself be a root. */
  readonly rootId: string;
  readonly message: string;
  readonly props?: Props;
  readonly pendingPostId?: string;
  readonly fileIds?: readonly string[];
}

export interface NewChannel {
  readonly teamId: string;
  readonly name: string;
  readonly displayName: string;
  readonly type: 'O' | 'P';
  readonly purpose?: string;
  readonly header?: string;
}

/**
 * The server's REST interface, as far as it is used. Every call throws {@link ChatError} and nothing else; "not there"
 * is `undefined` where the return type says so. Nothing is retried here.
 */
export interface MattermostRest {
  /** The same client, bound to a signal: its calls end with `CHAT_ABORTED` once that fires. */
  within(signal: AbortSignal): MattermostRest;

  me(): Promise<ChatUser>;
  userByUsername(username: string): Promise<ChatUser | undefined>;
  usersByIds(ids: readonly string[]): Promise<ChatUser[]>;
  team(id: string): Promise<ChatTeam>;
  /** `undefined` for people who never were in the team or left it. */
  teamMember(teamId: string, userId: string): Promise<TeamMember | undefined>;

  /** `CHAT_CHANNEL_EXISTS` also when the name belongs to an archived channel or a private one we are not in. */
  createChannel(channel: NewChannel): Promise<ChatChannel>;
  channelByName(teamId: string, name: string, options?: { includeDeleted?: boolean }): Promise<ChatChannel | undefined>;
  channel(id: string): Promise<ChatChannel | undefined>;
  /** Channels of the team that the bot is a member of; only these produce events. */
  myChannels(teamId: string): Promise<ChatChannel[]>;
  channelMember(channelId: string, userId: string): Promise<ChannelMember | undefined>;
  /** Bots and people, {@link PAGE_SIZE} a page. */
  channelMembers(channelId: string, page: number): Promise<ChannelMember[]>;
  /** Sorts the bot's own sidebar: nobody may sort anybody else's. */
  putInCategory(category: CategoryOfOwn, channelId: string): Promise<void>;
  /** Adding a member twice is a success. */
  addMember(channelId: string, userId: string): Promise<void>;
  /** @returns whether they were a member */
  removeMember(channelId: string, userId: string): Promise<boolean>;

  /** Not idempotent by itself: see `ensurePost`. Longer than {@link MAX_POST_LENGTH}: `CHAT_TOO_LONG`, nothing sent. */
  createPost(post: NewPost): Promise<ChatPost>;
  /** Only the given fields change; `props` are replaced as a whole, so a card must be given complete. */
  patchPost(id: string, change: { message?: string; props?: Props }): Promise<ChatPost>;
  /** A post that is gone already is a success. */
  deletePost(id: string): Promise<void>;
  getPost(id: string): Promise<ChatPost | undefined>;
  /** The whole thread, root included, oldest first, each post once. Empty if the root is gone. */
  thread(rootId: string): Promise<ChatPost[]>;
  /**
   * The newest posts of a thread that stand before the given one, oldest first, as many as one request brings, and the root in
   * any case. `hasNext`: there are older ones. Nothing if the root is gone.
   */
  threadBefore(rootId: string, post: Pick<ChatPost, 'id' | 'createAt'>): Promise<PostPage>;
  /** Posts created strictly later than the given one, in pages from old to new. */
  postsAfter(channelId: string, postId: string, page?: number): Promise<PostPage>;
  /** Posts created strictly earlier than the given one, the nearest `perPage` of them. */
  postsBefore(channelId: string, postId: string, perPage: number): Promise<PostPage>;
  /** Pages from new to old; page 0 holds the newest. */
  latestPosts(channelId: string, page: number): Promise<PostPage>;
  /**
   * What was created, edited, deleted or replied to since a server time in ms. At most {@link SINCE_LIMIT} rows, an
   * arbitrary choice of them when there are more: `listed` tells.
   */
  postsSince(channelId: string, ms: number): Promise<PostPage>;

  /**
   * Presses a button, as the bot. Resolves when the address of the button has answered with 200; the answer is in the post.
   * @param actionId letters and digits
   */
  press(postId: string, actionId: string): Promise<void>;

  /** @param emoji a name without colons */
  addReaction(userId: string, postId: string, emoji: string): Promise<void>;
  removeReaction(postId: string, emoji: string): Promise<void>;
  /** All that the post has now; none if it is gone. */
  reactions(postId: string): Promise<ChatReaction[]>;

  fileInfo(id: string): Promise<ChatFile>;
  downloadFile(id: string, maxBytes: number): Promise<Buffer>;
  uploadFile(file: { channelId: string; name: string; bytes: Uint8Array; mimeType?: string }): Promise<ChatFile>;

  /** Shown by clients for about 5 s. @param rootId empty at top level */
  typing(channelId: string, rootId: string): Promise<void>;
  /**
   * A post that only one person sees. Ordinary bots may not make such posts; then it becomes an ordinary post that
   * everyone in the channel can read, so it must hold nothing secret.
   */
  whisper(userId: string, post: NewPost): Promise<{ private: boolean }>;
}

export interface MattermostRestOptions {
  readonly url: string;
  readonly token: string;
  readonly timeoutMs?: number;
  readonly dispatcher?: Dispatcher;
  readonly clock?: Clock;
}

export function createMattermostRest(options: MattermostRestOptions): MattermostRest {
  return client({
    url: options.url,
    token: options.token,
    timeoutMs: options.timeoutMs ?? 10_000,
    dispatcher: options.dispatcher,
    clock: options.clock ?? systemClock,
  });
}

const postShape = wirePost.transform(({ post }) => post);

function client(options: RequestOptions): MattermostRest {
  const ask = <T>(call: Call, shape: z.ZodType<T>): Promise<T> => exchange(options, call, shape);
  const get = <T>(at: string, shape: z.ZodType<T>, query: Call['query'] = {}): Promise<T> =>
    ask({ method: 'GET', path: at, query }, shape);
  const posts = (channelId: string, query: Call['query']): Promise<PostPage> =>
    get(path`/channels/${channelId}/posts`, wirePostList, query);

  const self: MattermostRest = {
    within: (signal) =>
      client({ ...options, signal: options.signal ? AbortSignal.any([options.signal, signal]) : signal }),

    me: () => get('/users/me', wireUser),
    userByUsername: (username) => maybe(() => get(path`/users/username/${username}`, wireUser)),
    async usersByIds(ids) {
      const found: ChatUser[] = [];
      const wanted = [...new Set(ids)];
      for (let i = 0; i < wanted.length; i += PAGE_SIZE) {
        const json = wanted.slice(i, i + PAGE_SIZE);
        found.push(...(await ask({ method: 'POST', path: '/users/ids', json }, z.array(wireUser))));
      }
      return found;
    },
    team: (id) => get(path`/teams/${id}`, wireTeam),
    teamMember: (teamId, userId) => maybe(() => get(path`/teams/${teamId}/members/${userId}`, wireTeamMember)),

    createChannel: (channel) =>
      ask(
        {
          method: 'POST',
          path: '/channels',
          json: {
            team_id: channel.teamId,
            name: channel.name,
            display_name: channel.displayName,
            type: channel.type,
            purpose: channel.purpose ?? '',
            header: channel.header ?? '',
          },
        },
        wireChannel,
      ),
    channelByName: (teamId, name, { includeDeleted = false } = {}) =>
      maybe(() =>
        get(path`/teams/${teamId}/channels/name/${name}`, wireChannel, includeDeleted ? { include_deleted: true } : {}),
      ),
    channel: (id) => maybe(() => get(path`/channels/${id}`, wireChannel)),
    myChannels: (teamId) => get(path`/users/me/teams/${teamId}/channels`, z.array(wireChannel)),
    channelMember: (channelId, userId) =>
      maybe(() => get(path`/channels/${channelId}/members/${userId}`, wireChannelMember)),
    channelMembers: (channelId, page) =>
      get(path`/channels/${channelId}/members`, z.array(wireChannelMember), { page, per_page: PAGE_SIZE }),
    putInCategory: (category, channelId) => putInCategory(ask, category, channelId),
    async addMember(channelId, userId) {
      await ask(
        { method: 'POST', path: path`/channels/${channelId}/members`, json: { user_id: userId } },
        wireAnything,
      );
    },
    async removeMember(channelId, userId) {
      const call = { method: 'DELETE', path: path`/channels/${channelId}/members/${userId}` } as const;
      return (await maybe(() => ask(call, wireStatusOk))) !== undefined;
    },

    async createPost(post) {
      checkLength(post.message);
      return await ask({ method: 'POST', path: '/posts', json: wireNewPost(post) }, postShape);
    },
    async patchPost(id, change) {
      if (change.message !== undefined) checkLength(change.message);
      return await ask({ method: 'PUT', path: path`/posts/${id}/patch`, json: change, changesPost: true }, postShape);
    },
    async deletePost(id) {
      try {
        await ask({ method: 'DELETE', path: path`/posts/${id}`, changesPost: true }, wireStatusOk);
      } catch (error) {
        // The server refuses in the same words what is gone and what is not ours.
        if (!isChatError(error, 'CHAT_POST_GONE') || (await self.getPost(id)) !== undefined) throw error;
      }
    },
    getPost: (id) => maybe(() => get(path`/posts/${id}`, postShape)),
    async thread(rootId) {
      const found = new Map<string, ChatPost>();
      let query: Call['query'] = {};
      for (;;) {
        const page = await maybe(() => get(path`/posts/${rootId}/thread`, wirePostList, query));
        const before = found.size;
        for (const post of page?.posts ?? []) found.set(post.id, post);
        const last = page?.posts.at(-1);
        // Without a page size the server gives everything; one that pages all the same says so.
        if (!page?.hasNext || !last || found.size === before) return oldestFirst([...found.values()]);
        query = { perPage: PAGE_SIZE, direction: 'down', fromPost: last.id, fromCreateAt: last.createAt };
      }
    },
    async threadBefore(rootId, { id, createAt }) {
      const query = { perPage: PAGE_SIZE, direction: 'up', fromPost: id, fromCreateAt: createAt };
      const page = await maybe(() => get(path`/posts/${rootId}/thread`, wirePostList, query));
      if (!page) return { posts: [], listed: 0, hasNext: false };
      return { ...page, posts: page.posts.filter((post) => post.id !== id && post.createAt <= createAt) };
    },
    postsAfter: (channelId, postId, page = 0) => posts(channelId, { after: postId, page, per_page: PAGE_SIZE }),
    postsBefore: (channelId, postId, perPage) => posts(channelId, { before: postId, per_page: perPage }),
    latestPosts: (channelId, page) => posts(channelId, { page, per_page: PAGE_SIZE }),
    postsSince: (channelId, ms) => posts(channelId, { since: ms }),

    async press(postId, actionId) {
      await ask({ method: 'POST', path: path`/posts/${postId}/actions/${actionId}`, json: {} }, wireStatusOk);
    },
    async addReaction(userId, postId, emoji) {
      // `me` works in paths only; a body must name the bot.
      const json = { user_id: userId, post_id: postId, emoji_name: emoji };
      await ask({ method: 'POST', path: '/reactions', json }, wireAnything);
    },
    async removeReaction(postId, emoji) {
      await maybe(() =>
        ask({ method: 'DELETE', path: path`/users/me/posts/${postId}/reactions/${emoji}` }, wireStatusOk),
      );
    },

    reactions: async (postId) =>
      (await maybe(() => get(path`/posts/${postId}/reactions`, z.array(wireReaction).nullable()))) ?? [],

    fileInfo: (id) => get(path`/files/${id}/info`, wireFile),
    downloadFile: (id, maxBytes) => download(options, { method: 'GET', path: path`/files/${id}` }, maxBytes),
    uploadFile: ({ channelId, name, bytes, mimeType = 'application/octet-stream' }) =>
      ask({ method: 'POST', path: '/files', form: fileForm(channelId, name, bytes, mimeType) }, wireUpload),

    async typing(channelId, rootId) {
      const json = { channel_id: channelId, parent_id: rootId };
      await ask({ method: 'POST', path: '/users/me/typing', json }, wireStatusOk);
    },
    async whisper(userId, post) {
      checkLength(post.message);
      try {
        const json = { user_id: userId, post: wireNewPost(post) };
        await ask({ method: 'POST', path: '/posts/ephemeral', json }, wireAnything);
        return { private: true };
      } catch (error) {
        if (!isChatError(error, 'CHAT_FORBIDDEN')) throw error;
        await self.createPost(post);
        return { private: false };
      }
    },
  };
  return self;
}

function wireNewPost(post: NewPost): Record<string, unknown> {
  return {
    channel_id: post.channelId,
    root_id: post.rootId,
    message: post.message,
    ...(post.props ? { props: post.props } : {}),
    ...(post.pendingPostId ? { pending_post_id: post.pendingPostId } : {}),
    ...(post.fileIds && post.fileIds.length > 0 ? { file_ids: post.fileIds } : {}),
  };
}

function checkLength(message: string): void {
  const length = postLength(message);
  if (length <= MAX_POST_LENGTH) return;
  throw new ChatError({
    code: 'CHAT_TOO_LONG',
    message: `a message of ${length} characters, at most ${MAX_POST_LENGTH} fit`,
    human: 'That is too long for one Mattermost post.',
    retryable: false,
    status: 0,
  });
}

/** `undefined` for the server's own 404, everything else as it is. */
async function maybe<T>(run: () => Promise<T>): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    if (isChatError(error, 'CHAT_NOT_FOUND')) return undefined;
    throw error;
  }
}
