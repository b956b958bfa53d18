/** A person at the chat: posts, reads threads, presses buttons, and waits for what they hope to see. */
import type { TestEnvironment } from './environment.ts';

export interface Post {
  readonly id: string;
  readonly message: string;
  readonly user_id: string;
  readonly channel_id: string;
  readonly root_id: string;
  readonly create_at: number;
  readonly type: string;
  readonly props: { readonly attachments?: readonly Attachment[] };
}

interface Attachment {
  readonly text?: string;
  readonly title?: string;
  readonly actions?: readonly { readonly id: string; readonly name: string }[];
}

export interface Thread {
  readonly session: string;
  readonly channelId: string;
  readonly rootId: string;
}

const PATIENCE_MS = 60_000;

/** @param who somebody else than the person the environment was made for */
export function person(environment: TestEnvironment, who?: { readonly id: string; readonly token: string }) {
  const { chat, bot, lobbyId } = environment;
  const you = who ?? environment.you;

  const call = async (method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(`${chat.url}/api/v4${path}`, {
      method,
      headers: { authorization: `Bearer ${you.token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });

  const json = async <Result>(method: string, path: string, body?: unknown): Promise<Result> => {
    const answer = await call(method, path, body);
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Result;
  };

  const say = (message: string, at: { channelId?: string; rootId?: string } = {}): Promise<Post> =>
    json('POST', '/posts', { channel_id: at.channelId ?? lobbyId, root_id: at.rootId ?? '', message });

  const read = async (rootId: string): Promise<Post[]> => {
    const { posts } = await json<{ posts: Record<string, Post> }>('GET', `/posts/${rootId}/thread`);
    return Object.values(posts)
      .filter((post) => post.type === '')
      .sort((a, b) => a.create_at - b.create_at);
  };

  const answersIn = async (rootId: string): Promise<Post[]> =>
    (await read(rootId)).filter((post) => post.user_id === bot.id && post.id !== rootId);

  /** The first answer of the bot in the thread that fits. */
  const hear = async (rootId: string, fits: (post: Post) => boolean, patienceMs = PATIENCE_MS): Promise<Post> => {
    let last: Post[] = [];
    const found = await until(patienceMs, async () => {
      last = await answersIn(rootId);
      return last.find(fits);
    });
    if (!found) throw new Error(`Not heard in time. The thread says:\n${last.map(shown).join('\n---\n')}`);
    return found;
  };

  /** Asks for a session in the lobby and waits until there is a thread for it. */
  const askForSession = async (command: string): Promise<Thread> => {
    const post = await say(command);
    const link = await hear(post.id, ({ message }) => /\/pl\/[a-z0-9]{26}/.test(message));
    const rootId = /\/pl\/([a-z0-9]{26})/.exec(link.message)?.[1] ?? '';
    const { channel_id: channelId } = await json<Post>('GET', `/posts/${rootId}`);
    return { session: `session/${post.id}`, channelId, rootId };
  };

  /** Starts a session from the lobby and waits until it is ready. */
  const start = async (command = '@claude start demo --worktree', patienceMs = PATIENCE_MS): Promise<Thread> => {
    const thread = await askForSession(command);
    const told = await hear(thread.rootId, ({ message }) => /Ready on|`@claude retry`/.test(message), patienceMs);
    if (!told.message.includes('Ready on')) throw new Error(`It did not come up: ${told.message}`);
    return thread;
  };

  /** What the bot posted in the thread after that post, once it fits: an answer, not what was there before. */
  const hearAfter = (thread: Thread, post: Post, fits: RegExp): Promise<Post> =>
    hear(thread.rootId, (each) => each.create_at >= post.create_at && fits.test(textOf(each)));

  return {
    id: you.id,
    say,
    read,
    hearAfter,
    /** Says it in the thread and waits for the answer that comes below it. */
    ask: async (thread: Thread, message: string, fits: RegExp): Promise<Post> => {
      const post = await say(message, thread);
      return hearAfter(thread, post, fits);
    },
    react: (postId: string, emoji: string) =>
      json('POST', '/reactions', { user_id: you.id, post_id: postId, emoji_name: emoji }),
    reactionsOf: async (postId: string): Promise<readonly string[]> =>
      ((await json<{ emoji_name: string }[] | null>('GET', `/posts/${postId}/reactions`)) ?? []).map(
        ({ emoji_name }) => emoji_name,
      ),
    hear,
    askForSession,
    start,
    answersIn,
    edit: (id: string, message: string) => json<Post>('PUT', `/posts/${id}/patch`, { message }),
    remove: (id: string) => json('DELETE', `/posts/${id}`),
    press: (post: Post, button: string) => {
      const actions = post.props.attachments?.flatMap((attachment) => attachment.actions ?? []) ?? [];
      const action = actions.find(({ name }) => name === button);
      if (!action) throw new Error(`No button ${button}; there are: ${actions.map(({ name }) => name).join(', ')}`);
      return call('POST', `/posts/${post.id}/actions/${action.id}`, {});
    },
    buttonsOf: (post: Post) =>
      post.props.attachments?.flatMap((attachment) => (attachment.actions ?? []).map(({ name }) => name)) ?? [],
    call,
  };
}

/** Message and card together. */
export function textOf({ message, props }: Post): string {
  return [message, ...(props.attachments ?? []).flatMap(({ title, text }) => [title ?? '', text ?? ''])].join('\n');
}

function shown(post: Post): string {
  const buttons =
    post.props.attachments?.flatMap(({ actions }) => (actions ?? []).map(({ name }) => `[${name}]`)) ?? [];
  return `${textOf(post)} ${buttons.join(' ')}`;
}

export type Person = ReturnType<typeof person>;

/** Looks until there is something, or the time is over. */
export async function until<Result>(
  patienceMs: number,
  look: () => Promise<Result | undefined>,
): Promise<Result | undefined> {
  for (const end = Date.now() + patienceMs; Date.now() < end; ) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return undefined;
}
