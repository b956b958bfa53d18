/** What stands in the chat, followed through the chat server's own log. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { MattermostSimulator } from '../../simulator/src/mattermost/index.ts';

export interface BoardPost {
  readonly id: string;
  readonly rootId: string;
  readonly channelId: string;
  readonly userId: string;
  readonly at: number;
  message: string;
  deleted: boolean;
}

export interface Board {
  /** The thread's replies, oldest first; deleted ones left out. */
  replies(rootId: string): readonly BoardPost[];
  post(id: string): BoardPost | undefined;
  /** Looks again and again. @returns undefined when the time is over. */
  until<Found>(look: () => Found | undefined, patienceMs: number): Promise<Found | undefined>;
}

/** Whether a post of the bot is a card: its words are in the attachment, but for a mention of whom it waits for. */
export function isCard({ message }: Pick<BoardPost, 'message'>): boolean {
  return message === '' || / Claude waits for you:$/.test(message);
}

const LOOK_EVERY_MS = 40;

export function followBoard(chat: MattermostSimulator): Board {
  const posts = new Map<string, BoardPost>();
  const threads = new Map<string, BoardPost[]>();
  let read = 0;

  function follow(): void {
    const entries = chat.log.entries();
    for (; read < entries.length; read += 1) {
      const entry = entries[read];
      if (entry === undefined || entry.kind === 'click') continue;
      const known = posts.get(entry.postId);
      if (entry.kind === 'post_created') {
        const { postId: id, rootId, channelId, userId, at, message } = entry;
        const post = { id, rootId, channelId, userId, at, message, deleted: false };
        posts.set(id, post);
        const thread = threads.get(rootId);
        if (thread) thread.push(post);
        else threads.set(rootId, [post]);
      } else if (known && entry.kind === 'post_edited') known.message = entry.message;
      else if (known) known.deleted = true;
    }
  }

  return {
    replies(rootId) {
      follow();
      return (threads.get(rootId) ?? []).filter(({ deleted }) => !deleted);
    },
    post(id) {
      follow();
      return posts.get(id);
    },
    async until(look, patienceMs) {
      for (const end = Date.now() + patienceMs; ; await sleep(LOOK_EVERY_MS)) {
        const found = look();
        if (found !== undefined || Date.now() > end) return found;
      }
    },
  };
}
