/** What `/health` says. */
export interface HealthReport {
  readonly healthy: boolean;
  readonly checks: Readonly<Record<string, HealthCheck>>;
}

export interface HealthCheck {
  readonly ok: boolean;
  /** Must hold nothing secret: anyone who reaches the port reads it. */
  readonly detail?: string;
  /** How long the check took. */
  readonly ms?: number;
}

export interface Probe {
  /** Whether its failure makes the whole unhealthy (503) or is only told. */
  readonly critical: boolean;
  /** Really tries; resolves with a detail worth telling, rejects when it does not work. */
  readonly run: () => Promise<string | undefined>;
}

const PROBE_DEADLINE_MS = 2_000;

/** Runs all probes side by side, each for at most `deadlineMs`. Never rejects; errors show by their code only. */
export async function checkHealth(
  probes: Readonly<Record<string, Probe>>,
  deadlineMs: number = PROBE_DEADLINE_MS,
): Promise<HealthReport> {
  const results = await Promise.all(
    Object.entries(probes).map(async ([name, probe]) => {
      const began = performance.now();
      const check = await attempt(probe, deadlineMs);
      const ms = Math.round(performance.now() - began);
      return { name, critical: probe.critical, check: { ...check, ms } };
    }),
  );
  return {
    healthy: results.every(({ critical, check }) => check.ok || !critical),
    checks: Object.fromEntries(results.map(({ name, check }) => [name, check])),
  };
}

async function attempt(probe: Probe, deadlineMs: number): Promise<HealthCheck> {
  try {
    const detail = await withDeadline(probe.run(), deadlineMs);
    if (detail === LATE) return { ok: false, detail: `no answer within ${deadlineMs} ms` };
    return detail === undefined ? { ok: true } : { ok: true, detail };
  } catch (error) {
    return { ok: false, detail: codeOf(error) };
  }
}

function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^\w+$/.test(code) ? code : 'failed';
}

export const LATE = Symbol('late');

/** The promise's value, or `LATE` after `ms`; what it does later is its own affair. */
export function withDeadline<T>(promise: Promise<T>, ms: number): Promise<T | typeof LATE> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(LATE), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
