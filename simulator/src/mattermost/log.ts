import { appendFileSync } from 'node:fs';

/** One thing that happened, seen from the server's side. `at` is epoch milliseconds. */
export type LogEntry =
  | {
      kind: 'post_created' | 'post_edited' | 'post_deleted';
      at: number;
      /** Who did it. */
      userId: string;
      postId: string;
      channelId: string;
      rootId: string;
      type: string;
      message: string;
      pendingPostId?: string;
    }
  | {
      kind: 'click';
      at: number;
      userId: string;
      postId: string;
      actionId: string;
      /** Status the integration answered with; 0 when it could not be reached or did not answer. */
      callbackStatus: number;
      /** Status the clicker got. */
      status: number;
    };

export type PostEntry = Extract<LogEntry, { postId: string; message: string }>;

/**
 * The record a test checks its claims on: append-only, written by the server alone, independent of what any client
 * was told. A post that was made but whose answer was lost is in here.
 */
export interface SimLog {
  entries(): readonly LogEntry[];
  /** Posts that were created, system messages left out, in order. */
  created(filter?: { channelId?: string; userId?: string; rootId?: string }): PostEntry[];
  /** Resolves with the first entry, past or future, that fits. Rejects after `timeoutMs`. */
  waitFor(fits: (entry: LogEntry) => boolean, timeoutMs?: number): Promise<LogEntry>;
  append(entry: LogEntry): void;
}

/** @param file also write each entry as one line of JSON here. */
export function createLog(file?: string): SimLog {
  const entries: LogEntry[] = [];
  const watchers = new Set<(entry: LogEntry) => void>();
  return {
    entries: () => entries,
    created: (filter = {}) =>
      entries.filter(
        (entry): entry is PostEntry =>
          entry.kind === 'post_created' &&
          !entry.type.startsWith('system_') &&
          (filter.channelId === undefined || entry.channelId === filter.channelId) &&
          (filter.userId === undefined || entry.userId === filter.userId) &&
          (filter.rootId === undefined || entry.rootId === filter.rootId),
      ),
    waitFor: (fits, timeoutMs = 5_000) => {
      const known = entries.find(fits);
      if (known) return Promise.resolve(known);
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          watchers.delete(watch);
          reject(new Error(`nothing that fits was logged within ${timeoutMs} ms`));
        }, timeoutMs);
        const watch = (entry: LogEntry) => {
          if (!fits(entry)) return;
          clearTimeout(timer);
          watchers.delete(watch);
          resolve(entry);
        };
        watchers.add(watch);
      });
    },
    append: (entry) => {
      entries.push(entry);
      if (file !== undefined) appendFileSync(file, `${JSON.stringify(entry)}\n`);
      for (const watch of [...watchers]) watch(entry);
    },
  };
}
