/**
 * What an orchestrator asks. `/live`: is restarting this process the remedy? `/ready`: may clicks be sent here? A standby is
 * ready; a process whose database is away is not, and lives all the same: no restart brings a database back.
 */
import type { FastifyInstance } from 'fastify';
import type { HealthReport } from './health.ts';

export interface ProbeOptions {
  readonly health: () => Promise<HealthReport>;
  /** Once aborted the process is on its way out: not ready any more, and alive to the end. */
  readonly stopping?: AbortSignal | undefined;
}

const LIVE = '/live';
const READY = '/ready';

export function probeRoutes(app: FastifyInstance, { health, stopping }: ProbeOptions): void {
  // That an answer comes at all is the answer: it takes an event loop that turns.
  app.get(LIVE, async () => ({ status: 'ok' }));
  app.get(READY, async (_request, reply) => {
    if (stopping?.aborted) return reply.code(503).send({ status: 'stopping', checks: {} });
    const { healthy, checks } = await health();
    return reply.code(healthy ? 200 : 503).send({ status: healthy ? 'ready' : 'not ready', checks });
  });
}

/**
 * Whose tokens a request takes. Probes often come from the address of a node, as do the clicks that it passes on: each probe
 * has a budget of its own, so that a flood of the others cannot get a healthy process restarted.
 */
export function budgetOf(route: string | undefined, address: string): string {
  return route === LIVE || route === READY ? `${route} ${address}` : address;
}
