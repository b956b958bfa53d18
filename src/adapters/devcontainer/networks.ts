/**
 * Where on the VM containers are, by what they were made with: one that does not run just now, or waits to be started again, will be
 * there, too.
 */
import { z } from 'zod';
import { RetryableError } from '../../actors/index.ts';
import { type Host, mustRun } from './containers.ts';

const Joined = z.array(
  z.object({
    Id: z.string(),
    HostConfig: z.object({ NetworkMode: z.string() }),
    NetworkSettings: z.object({ Networks: z.record(z.string(), z.unknown()).nullish() }),
  }),
);

/** As Podman prints it, and as Docker does. */
const Networks = z.array(
  z.union([
    z.object({ name: z.string(), driver: z.string(), network_interface: z.string().optional() }),
    z.object({
      Name: z.string(),
      Id: z.string(),
      Driver: z.string(),
      Options: z.record(z.string(), z.string()).nullish(),
    }),
  ]),
);
type Network = z.infer<typeof Networks>[number];

/**
 * @param ids of containers, running or not
 * @returns the bridges of all networks that they have joined; a network that has none is named in brackets, which no interface is
 * @throws RetryableError if the runtime does not say it of one of them
 */
export async function bridgesOf(host: Host, ids: readonly string[], signal?: AbortSignal): Promise<readonly string[]> {
  if (ids.length === 0) return [];
  const containers = read(Joined, (await mustRun(host, ['container', 'inspect', ...ids], signal)).stdout);
  const names = new Set<string>();
  const others = new Set<string>();
  for (const { HostConfig, NetworkSettings } of containers) {
    const mode = HostConfig.NetworkMode;
    const joined = Object.keys(NetworkSettings.Networks ?? {});
    const isElsewhere = joined.length === 0 && mode !== 'none' && !isOfOneOf(mode, ids);
    if (mode === 'host' || isElsewhere) others.add(`(${mode})`);
    // Docker calls it a network, too.
    else for (const name of joined) if (name !== 'none') names.add(name);
  }
  if (names.size === 0) return [...others];
  const networks = read(Networks, (await mustRun(host, ['network', 'inspect', ...names], signal)).stdout);
  return [...new Set([...networks.map(bridgeOf), ...others])];
}

/** Has the networks of another one that is looked at as well. */
function isOfOneOf(mode: string, ids: readonly string[]): boolean {
  return mode.startsWith('container:') && ids.includes(mode.slice('container:'.length));
}

function bridgeOf(network: Network): string {
  if ('name' in network) {
    const { name, driver, network_interface: bridge = '' } = network;
    return driver === 'bridge' && bridge !== '' ? bridge : `(${driver} ${name})`;
  }
  const { Name, Id, Driver, Options } = network;
  if (Driver !== 'bridge') return `(${Driver} ${Name})`;
  // https://docs.docker.com/engine/network/drivers/bridge/: the option, or else a name made of the id.
  return Options?.['com.docker.network.bridge.name'] ?? `br-${Id.slice(0, 12)}`;
}

function read<Read>(schema: z.ZodType<Read>, stdout: string): Read {
  try {
    return schema.parse(JSON.parse(stdout));
  } catch (cause) {
    throw new RetryableError('CONTAINER_NETWORKS', 'the container runtime does not say where containers are', {
      cause,
    });
  }
}
