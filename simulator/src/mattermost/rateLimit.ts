/** `burst` requests at once, and `perSecond` more for every second after. */
export interface RateLimit {
  perSecond: number;
  burst: number;
}

export interface RateDecision {
  allowed: boolean;
  limit: number;
  remaining: number;
  /** Whole seconds from now until the full burst is there again. */
  resetSeconds: number;
  /** Whole seconds until a next request would be allowed; only meaningful when refused. */
  retrySeconds: number;
}

/** A token bucket per key (token, or address for requests without one). */
export function createRateLimiter(limit: RateLimit, now: () => number): (key: string) => RateDecision {
  const buckets = new Map<string, { level: number; at: number }>();
  return (key) => {
    const at = now();
    const known = buckets.get(key) ?? { level: limit.burst, at };
    const level = Math.min(limit.burst, known.level + ((at - known.at) / 1000) * limit.perSecond);
    const allowed = level >= 1;
    const left = allowed ? level - 1 : level;
    buckets.set(key, { level: left, at });
    return {
      allowed,
      limit: limit.burst,
      remaining: Math.floor(left),
      resetSeconds: Math.ceil((limit.burst - left) / limit.perSecond),
      retrySeconds: Math.max(1, Math.ceil((1 - left) / limit.perSecond)),
    };
  };
}
