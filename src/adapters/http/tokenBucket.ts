/**
 * Limits how often each key may act: `burst` at once, `rps` per second in the long run. Pure but for its own table;
 * the time comes in with the call.
 */
export interface TokenBuckets {
  /** Takes one token. @param now ms, of any clock; one that steps back gives nothing and takes nothing away. */
  take(key: string, now: number): { readonly ok: true } | { readonly ok: false; readonly retryAfterMs: number };
  /** How many keys are remembered. */
  size(): number;
}

export interface BucketLimits {
  readonly rps: number;
  readonly burst: number;
  /**
   * Most keys remembered. Full buckets are forgotten first, which changes nothing; if there are none, the key that acted
   * longest ago is, which at worst gives it a new burst.
   */
  readonly maxKeys?: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

export function createTokenBuckets({ rps, burst, maxKeys = 10_000 }: BucketLimits): TokenBuckets {
  // In the order of last use: an entry is put back at the end whenever it is touched.
  const buckets = new Map<string, Bucket>();

  function makeRoom(now: number): void {
    for (const [key, bucket] of buckets) {
      if (refilled(bucket, now) < burst) break;
      buckets.delete(key);
    }
    const oldest = buckets.keys().next();
    if (buckets.size >= maxKeys && !oldest.done) buckets.delete(oldest.value);
  }

  function refilled(bucket: Bucket, now: number): number {
    return Math.min(burst, bucket.tokens + (Math.max(0, now - bucket.at) / 1000) * rps);
  }

  return {
    size: () => buckets.size,
    take(key, now) {
      const known = buckets.get(key);
      if (!known && buckets.size >= maxKeys) makeRoom(now);
      const tokens = known ? refilled(known, now) : burst;
      const at = Math.max(now, known?.at ?? now);
      buckets.delete(key);
      if (tokens >= 1) {
        buckets.set(key, { tokens: tokens - 1, at });
        return { ok: true };
      }
      buckets.set(key, { tokens, at });
      return { ok: false, retryAfterMs: Math.ceil(((1 - tokens) / rps) * 1000) };
    },
  };
}
