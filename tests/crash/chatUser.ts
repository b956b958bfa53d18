/** A person's hands: what they do at the chat server, over its API. */
import type { SeededUser } from '../../simulator/src/mattermost/index.ts';
import type { CrashWorld } from './world.ts';

interface WirePost {
  readonly id: string;
  readonly props: {
    readonly attachments?: readonly {
      readonly text?: string;
      readonly actions?: readonly { readonly id: string; readonly name: string }[];
    }[];
  };
}

export interface ChatUser {
  readonly name: string;
  /** @returns the post's id. */
  say(message: string, at: { readonly channelId: string; readonly rootId?: string }): Promise<string>;
  edit(postId: string, message: string): Promise<void>;
  remove(postId: string): Promise<void>;
  /** What the card says now, and the ids of its buttons. */
  card(postId: string): Promise<{ readonly text: string; readonly buttons: readonly string[] }>;
  /** @returns whether the click got through. */
  press(postId: string, button: string): Promise<boolean>;
}

export function chatUser({ chat }: CrashWorld, { username, token }: SeededUser): ChatUser {
  const call = (method: string, path: string, body?: object): Promise<Response> =>
    fetch(`${chat.url}/api/v4${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const need = async (method: string, path: string, body?: object): Promise<unknown> => {
    const answer = await call(method, path, body);
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  return {
    name: username,
    async say(message, { channelId, rootId = '' }) {
      const post = (await need('POST', '/posts', { channel_id: channelId, root_id: rootId, message })) as WirePost;
      return post.id;
    },
    edit: async (postId, message) => void (await need('PUT', `/posts/${postId}/patch`, { message })),
    remove: async (postId) => void (await need('DELETE', `/posts/${postId}`)),
    async card(postId) {
      const { props } = (await need('GET', `/posts/${postId}`)) as WirePost;
      const attachments = props.attachments ?? [];
      return {
        text: attachments.map(({ text = '' }) => text).join('\n'),
        buttons: attachments.flatMap(({ actions = [] }) => actions.map(({ id }) => id)),
      };
    },
    async press(postId, button) {
      const answer = await call('POST', `/posts/${postId}/actions/${button}`, {});
      await answer.text();
      return answer.ok;
    },
  };
}
