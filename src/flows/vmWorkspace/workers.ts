/** The worker in a container, and what is found where a container should be. */
import { type EffectHandlers, failureOf } from '../../actors/index.ts';
import { CONTAINER_WORKER_PORT, findWorker, inspectOurs, startWorker } from '../../adapters/devcontainer/index.ts';
import type { Found } from '../../machines/effects.ts';
import { bootIdOf, removeGenerations } from './build.ts';
import { withNews } from './news.ts';
import { identityOf, type OnMachine, type VmWorkspace } from './ports.ts';
import { publishedAt, secretsOf } from './request.ts';

/** The checkout may belong to another user than the agent is; git would refuse to work in it. */
const GIT_ANYWHERE = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*' };

export function workerPlaceHandlers(ports: VmWorkspace) {
  const { host, config } = ports;
  return {
    'workspace.startWorker': (request, context) =>
      withNews(ports, request, context, async () => {
        const { container, generation, machine } = request.params;
        const { signal } = context;
        const { containerId, remoteUser, workspaceFolder } = machine;
        const identity = identityOf(request.params);
        await startWorker(
          host,
          { containerId, remoteUser, remoteWorkspaceFolder: workspaceFolder },
          {
            identity,
            tokenHash: ports.tokenHash(container, generation),
            port: CONTAINER_WORKER_PORT,
            tls: ports.transport.certificateOf?.(container, generation),
            agentIdleSeconds: config.sessions.agentIdleSecs,
            secrets: { ...GIT_ANYWHERE, ...(await secretsOf(ports, signal)) },
            bundled: config.container.workerMount !== null,
          },
          signal,
        );
        return { endpoint: endpointOf(ports, machine.port), identity };
      }),
    'workspace.checkWalls': async ({ params: { machine, ...of } }, { signal }) => {
      try {
        await ports.checkWalls({ ...of, endpoint: endpointOf(ports, machine.port) }, signal);
      } catch (error) {
        // Nobody may go on using what nothing holds: neither what the repository has left running, nor its other services.
        if (failureOf(error).code.startsWith('WALLS_')) {
          await removeGenerations(ports, of, (generation) => generation === of.generation, signal);
        }
        throw error;
      }
    },
    'workspace.inspect': async ({ params }, { signal }) => {
      const found = await look(ports, params, signal);
      return { found, endpoint: found === 'worker' ? endpointOf(ports, params.machine.port) : '' };
    },
  } satisfies EffectHandlers;
}

function endpointOf({ transport: { host } }: VmWorkspace, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

async function look(ports: VmWorkspace, of: OnMachine, signal: AbortSignal): Promise<Found> {
  const { containerId, bootId, port } = of.machine;
  const container = await inspectOurs(ports.host, containerId, ports.instance, signal);
  if (container === undefined) return 'gone';
  // Where a container's port is open is decided when it is made.
  const address = container.published.find((published) => published.port === port)?.address ?? '';
  if (address !== '' && address !== (await publishedAt(ports, signal))) return 'elsewhere';
  if (!container.running) return (await bootIdOf(ports, signal)) === bootId ? 'stopped' : 'rebooted';
  const { running } = await findWorker(ports.host, containerId, identityOf(of), signal);
  return running ? 'worker' : 'noWorker';
}
