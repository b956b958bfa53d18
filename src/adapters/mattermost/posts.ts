import { z } from 'zod';

/** Longest message of one post, in code points (a Go server counts runes, not UTF-16 units). */
export const MAX_POST_LENGTH = 16_383;

/** Name of the prop that carries the key of the effect that made a post. Anyone can set props: see {@link ChatPost}. */
export const KEY_PROP = 'csm_key';

/** A post as this program needs it. */
export interface ChatPost {
  readonly id: string;
  readonly channelId: string;
  /** The thread's root; empty for a post at top level. */
  readonly rootId: string;
  /** Who wrote it: the only statement about identity that the server vouches for. */
  readonly userId: string;
  readonly message: string;
  /** Empty for what people write; `system_...` for the server's own announcements. */
  readonly type: string;
  /** Server times in ms; 0 where it did not happen. */
  readonly createAt: number;
  readonly updateAt: number;
  readonly editAt: number;
  readonly deleteAt: number;
  readonly fileIds: readonly string[];
  /** What its cards say; empty without any. */
  readonly cards: string;
  /** Claimed by the author's props to be a machine's post. Good for ignoring a post, never for trusting one. */
  readonly automated: boolean;
  /** The props' `csm_key`. Means something only on posts whose `userId` is the bot's. */
  readonly key: string | undefined;
}

const props = z.record(z.string(), z.unknown()).nullish();

export const wirePost = z
  .object({
    id: z.string().min(1),
    channel_id: z.string().min(1),
    root_id: z.string(),
    user_id: z.string().min(1),
    message: z.string(),
    type: z.string(),
    create_at: z.number(),
    update_at: z.number(),
    edit_at: z.number().default(0),
    delete_at: z.number().default(0),
    // Set on rows of the edit history, which some lists hold between the posts.
    original_id: z.string().default(''),
    file_ids: z.array(z.string()).nullish(),
    props,
  })
  .transform((post) => ({ post: chatPost(post), history: post.original_id !== '' }));

function chatPost(wire: {
  id: string;
  channel_id: string;
  root_id: string;
  user_id: string;
  message: string;
  type: string;
  create_at: number;
  update_at: number;
  edit_at: number;
  delete_at: number;
  file_ids?: string[] | null | undefined;
  props?: Record<string, unknown> | null | undefined;
}): ChatPost {
  const key = wire.props?.[KEY_PROP];
  return {
    id: wire.id,
    channelId: wire.channel_id,
    rootId: wire.root_id,
    userId: wire.user_id,
    message: wire.message,
    type: wire.type,
    createAt: wire.create_at,
    updateAt: wire.update_at,
    editAt: wire.edit_at,
    deleteAt: wire.delete_at,
    fileIds: wire.file_ids ?? [],
    cards: cardsOf(wire.props?.attachments),
    // A key of another session manager: its account need not say that it is a bot.
    automated: wire.props?.from_bot === 'true' || wire.props?.from_webhook === 'true' || typeof key === 'string',
    key: typeof key === 'string' ? key : undefined,
  };
}

const wireCards = z.array(
  z.looseObject({
    pretext: z.string().nullish(),
    title: z.string().nullish(),
    text: z.string().nullish(),
    fallback: z.string().nullish(),
    fields: z.array(z.looseObject({ title: z.unknown(), value: z.unknown() })).nullish(),
  }),
);

/** The words of message attachments. Anybody may put anything into props: what does not look like a card says nothing. */
function cardsOf(attachments: unknown): string {
  const cards = wireCards.safeParse(attachments);
  if (!cards.success) return '';
  const lines = cards.data.flatMap(({ pretext, title, text, fallback, fields }) => {
    const words = [pretext, title, text, ...(fields ?? []).map((field) => `${field.title}: ${field.value}`)];
    const said = words.filter((line) => line !== null && line !== undefined && line.trim() !== '');
    return said.length > 0 || !fallback ? said : [fallback];
  });
  return lines.join('\n');
}

export interface PostPage {
  /** Oldest first, without rows of the edit history. */
  readonly posts: readonly ChatPost[];
  /** How many entries the server's page had. */
  readonly listed: number;
  readonly hasNext: boolean;
}

/** `order` lists ids newest first and may repeat some; `posts` may hold more than the order does. */
export const wirePostList = z
  .object({
    order: z.array(z.string()).nullable(),
    posts: z.record(z.string(), wirePost).nullable(),
    has_next: z.boolean().optional(),
  })
  .transform(({ order, posts, has_next }): PostPage => {
    const found = new Map<string, ChatPost>();
    for (const id of order ?? []) {
      const entry = posts?.[id];
      if (entry && !entry.history) found.set(id, entry.post);
    }
    return { posts: oldestFirst([...found.values()]), listed: order?.length ?? 0, hasNext: has_next ?? false };
  });

/** By the server's time of creation; posts of one millisecond by id, so that the order is the same every time. */
export function oldestFirst(posts: readonly ChatPost[]): ChatPost[] {
  return [...posts].sort((a, b) => a.createAt - b.createAt || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

/** Length as the server counts it: code points. */
export function postLength(message: string): number {
  let length = 0;
  for (const _ of message) length += 1;
  return length;
}

/** The root of the thread a post stands in: itself, if it is one. Replies must never name a reply as their root. */
export function threadOf(post: Pick<ChatPost, 'id' | 'rootId'>): string {
  return post.rootId || post.id;
}
