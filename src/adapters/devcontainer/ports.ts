/** Which port of the VM a worker gets. */
import { RetryableError } from '../../actors/index.ts';
import type { Shell } from './shell.ts';

/** This many ports from the first on are for workers. */
export const WORKER_PORTS = 49;

/** Ports that something listens on, from `ss -ltn`: the fourth column, `address:port`. */
export function parseListening(output: string): ReadonlySet<number> {
  const ports = new Set<number>();
  for (const line of output.split('\n')) {
    const columns = line.trim().split(/\s+/);
    const port = columns[0] === 'LISTEN' ? /:(\d+)$/.exec(columns[3] ?? '')?.[1] : undefined;
    if (port !== undefined) ports.add(Number(port));
  }
  return ports;
}

/** @throws RetryableError if all of them are taken */
export function lowestFreePort(first: number, listening: ReadonlySet<number>, reserved: ReadonlySet<number>): number {
  for (let port = first; port < first + WORKER_PORTS; port += 1) {
    if (!listening.has(port) && !reserved.has(port)) return port;
  }
  throw new RetryableError('PORTS_EXHAUSTED', `All ports from ${first} to ${first + WORKER_PORTS - 1} are taken`, {
    human: `All ${WORKER_PORTS} worker ports of the VM (from ${first}) are taken. Stop a container that is not needed.`,
  });
}

/** Needs iproute2 on the VM. */
export async function listeningPorts(shell: Shell, signal?: AbortSignal): Promise<ReadonlySet<number>> {
  const { code, stdout, stderr } = await shell.exec(['ss', '-ltn'], { timeoutMs: 30_000, signal });
  if (code === 0) return parseListening(stdout);
  throw new RetryableError('PORTS_UNKNOWN', `ss -ltn: exit code ${code}: ${stderr.trim()}`, {
    human: 'The VM cannot say which ports are taken. Install iproute2 there (it has `ss`).',
  });
}
