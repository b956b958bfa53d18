/** Asks the gateway that runs beside this process how it is: the health check of its container, without further tools. */
import { z } from 'zod';
import { server } from './config/table.ts';

export interface Answer {
  readonly healthy: boolean;
  /** For a person, without secrets. */
  readonly sentence: string;
}

const PATIENCE_MS = 5_000;

const report = z.object({
  status: z.string(),
  checks: z.record(z.string(), z.object({ ok: z.boolean(), detail: z.string().optional() })),
});

/**
 * Asks `/health` at SM_LISTEN_ADDR; reads no other variable, so it works without the gateway's secrets. Never rejects.
 * @param patienceMs milliseconds until no answer counts as one.
 */
export async function askHealth(
  env: Readonly<Record<string, string | undefined>>,
  patienceMs: number = PATIENCE_MS,
): Promise<Answer> {
  const url = healthUrl(env.SM_LISTEN_ADDR);
  if (url === undefined)
    return { healthy: false, sentence: 'Not healthy: SM_LISTEN_ADDR is not an address with a port.' };
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(patienceMs) });
    const { checks } = report.parse(await response.json());
    const told = Object.entries(checks).map(([name, { ok, detail }]) => `${name} ${detail ?? (ok ? 'ok' : 'failed')}`);
    const details = told.length === 0 ? '' : `: ${told.join(', ')}`;
    return { healthy: response.ok, sentence: `${response.ok ? 'Healthy' : 'Not healthy'}${details}.` };
  } catch (error) {
    return { healthy: false, sentence: `Not healthy: no answer from ${url} (${reasonOf(error)}).` };
  }
}

/** Listening everywhere includes the loopback interface. */
function healthUrl(listenAddr: string | undefined): string | undefined {
  const given = listenAddr?.trim() || server.listenAddr.default;
  const parsed = server.listenAddr.type.safeParse(given ?? '');
  if (!parsed.success) return undefined;
  const { host, port } = parsed.data;
  const here = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${here.includes(':') ? `[${here}]` : here}:${port}/health`;
}

function reasonOf(error: unknown): string {
  if (error instanceof z.ZodError || error instanceof SyntaxError) return 'it is not a health report';
  const cause = error instanceof Error ? error.cause : undefined;
  if (typeof cause === 'object' && cause !== null && 'code' in cause && typeof cause.code === 'string')
    return cause.code;
  return error instanceof Error ? error.message : String(error);
}
