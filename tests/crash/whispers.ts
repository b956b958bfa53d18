/** What the chat shows to one person alone: words about their click, stored nowhere. */
import { WebSocket } from 'ws';
import type { SeededUser } from '../../simulator/src/mattermost/index.ts';
import type { CrashWorld } from './world.ts';

export interface Whispers {
  /** Oldest first. */
  readonly heard: readonly string[];
  close(): void;
}

/** Listens from now on. Resolves when the chat server has said hello. */
export async function whispersTo({ chat }: CrashWorld, { token }: SeededUser): Promise<Whispers> {
  const heard: string[] = [];
  const socket = new WebSocket(`${chat.url.replace(/^http/, 'ws')}/api/v4/websocket`, {
    headers: { authorization: `Bearer ${token}` },
  });
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('message', (raw) => {
      const { event, data } = JSON.parse(String(raw)) as { event?: string; data?: { post?: string } };
      if (event === 'hello') resolve();
      if (event !== 'ephemeral_message' || data?.post === undefined) return;
      heard.push((JSON.parse(data.post) as { message: string }).message);
    });
  });
  return { heard, close: () => socket.terminate() };
}
