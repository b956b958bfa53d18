/** Waiting for what a gateway shows of itself. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pod } from './pod.ts';
import { type CrashWorld, linesOf } from './world.ts';

const PATIENCE_MS = 60_000;

/** @throws when it does not come true in time. */
export async function until(what: string, look: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; !(await look()); await sleep(50)) {
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
  }
}

/** What was said before the bot first listened to a channel is none of its business. */
export function untilListening({ database, lobbyId }: CrashWorld): Promise<void> {
  return until('a gateway that listens', async () => {
    const rows = await database.rows('select from chat_cursor where channel_id = $1', [lobbyId]).catch(() => []);
    return rows.length > 0;
  });
}

/** How many lines of the pod's log contain the words. */
export function logged({ logFile }: Pod, words: string): number {
  return linesOf(logFile).filter((line) => line.includes(words)).length;
}
