/** How long a pending_post_id is remembered, in milliseconds, and how many at most. */
const LIFE_MS = 30_000;
const MOST = 25_000;

/** What is known of a pending_post_id: nothing, that its post is being made, or which post it became. */
export type PendingState = { state: 'free' } | { state: 'in-flight' } | { state: 'made'; postId: string };

/** The server-wide memory that makes a repeated create safe for 30 seconds. It does not survive a restart. */
export interface PendingPosts {
  look(key: string): PendingState;
  begin(key: string): void;
  made(key: string, postId: string): void;
  /** A create that failed frees its id. */
  failed(key: string): void;
  forget(): void;
}

export function createPendingPosts(now: () => number): PendingPosts {
  const known = new Map<string, { postId: string; until: number }>();
  return {
    look: (key) => {
      const found = known.get(key);
      if (!found || found.until <= now()) return { state: 'free' };
      return found.postId === '' ? { state: 'in-flight' } : { state: 'made', postId: found.postId };
    },
    begin: (key) => {
      known.delete(key);
      known.set(key, { postId: '', until: now() + LIFE_MS });
      const oldest = known.keys().next();
      if (known.size > MOST && !oldest.done) known.delete(oldest.value);
    },
    made: (key, postId) => {
      known.set(key, { postId, until: now() + LIFE_MS });
    },
    failed: (key) => {
      known.delete(key);
    },
    forget: () => known.clear(),
  };
}
