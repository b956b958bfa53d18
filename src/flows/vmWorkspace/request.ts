/** How a container's configuration is asked for: the settings in the words of the devcontainer adapter and its policy. */
import { isIP } from 'node:net';
import { RetryableError } from '../../actors/index.ts';
import { CONTAINER_WORKER_PORT, defaultConfig, followLinks, WORKER_PORTS } from '../../adapters/devcontainer/index.ts';
import { unwalled } from '../../adapters/nftables/index.ts';
import { secretVariables } from '../../config/secret.ts';
import type { DevcontainerRules } from '../../policy/devcontainer/index.ts';
import type { PrepareRequest } from '../devcontainer.ts';
import { mainCheckout, type OnMachine, ownerOf, stateFolder, type VmWorkspace, worktreesFolder } from './ports.ts';
import { readSecrets } from './secrets.ts';

/** A request without a listener. */
export type Asked = Omit<PrepareRequest, 'onProgress'>;

/** What does not change between two looks at the same container. */
export async function prepareRequest(ports: VmWorkspace, of: OnMachine, signal: AbortSignal): Promise<Asked> {
  const { config, host } = ports;
  const { container } = config;
  const places = [mainCheckout(ports, of.repo), worktreesFolder(ports, of.repo)] as const;
  const { workerMount } = container;
  // At once: each is a way to the VM and back.
  const [[checkout, worktrees], links, address, rootful, variables] = await Promise.all([
    withoutLinks(ports, places, signal),
    // Places that containers mount are compared later, to see whether somebody has put a link there.
    followLinks(host.shell, workerMount === null ? [] : [workerMount], signal),
    publishedAt(ports, signal),
    isRoot(ports, signal),
    localEnv(ports, signal),
  ]);
  return {
    owner: ownerOf(ports, of),
    checkout,
    stateFolder: stateFolder(ports, of),
    choice: '',
    fallback: defaultConfig({ image: container.image, network: container.network }),
    rules: rulesOf(ports),
    additions: {
      publish: {
        address: inBrackets(address),
        hostPort: of.machine.port,
        containerPort: CONTAINER_WORKER_PORT,
      },
      workerMount: workerMount === null ? null : (links.get(workerMount) ?? workerMount),
      worktrees,
      limits: { memoryBytes: container.memory, cpus: container.cpus, pids: container.pids },
      network: container.network,
      // Podman of the root user refuses what the devcontainer CLI asks of it for users that are not root.
      userns: host.runtime === 'podman' && rootful ? 'host' : null,
      env: {},
    },
    composePath: null,
    localEnv: variables,
    timeoutMs: container.devcontainerTimeoutSecs * 1000,
    signal,
  };
}

/**
 * Where on the VM workers' ports are open: nowhere but on the VM itself if they are reached through SSH, else at the address that
 * the gateway's own connection came in at.
 */
export async function publishedAt({ host, transport }: VmWorkspace, signal: AbortSignal): Promise<string> {
  if (transport.certificateOf === undefined) return '127.0.0.1';
  const script = 'set -- $SSH_CONNECTION; printf %s "${3-}"';
  const { stdout } = await host.shell.exec({ script, args: [] }, { signal });
  if (isIP(stdout) === 0) throw new RetryableError('VM_ADDRESS', `SSH_CONNECTION does not say it: ${stdout}`);
  return stdout;
}

function inBrackets(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

function rulesOf({ config: { container, firewall }, host }: VmWorkspace): DevcontainerRules {
  const first = container.grpcPortStart;
  // As the runtimes call the bridges that they make; one of them stands for all.
  const madeAnew = host.runtime === 'podman' ? 'podman*' : 'br-*';
  return {
    allowHostCommands: container.allowHostCommands,
    allowPrivileged: container.allowPrivileged,
    allowedLocalEnv: container.allowedLocalEnv,
    allowedNetworks: [container.network, ...container.allowedNetworks],
    allowedMounts: container.allowedMounts,
    unwalledNetworks: firewall.kind === 'nftables' ? unwalled([madeAnew], firewall.bridges).join() : '',
    workerPorts: { first, last: first + WORKER_PORTS - 1 },
  };
}

/** What agents are given; from here on it is masked in the chat. @throws TerminalError with words for the thread */
export async function secretsOf(
  { host, env, config, learn }: Pick<VmWorkspace, 'host' | 'env' | 'config' | 'learn'>,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const sources = { env, file: config.vm.secretsFile, names: config.workspace.agentEnv };
  const found = await readSecrets(host.shell, sources, signal);
  learn(secretVariables(found));
  return found;
}

/** Of what agents are given, that which a devcontainer.json may read too. */
async function localEnv(ports: VmWorkspace, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
  const { allowedLocalEnv } = ports.config.container;
  const secrets = await secretsOf(ports, signal);
  return Object.fromEntries(Object.entries(secrets).filter(([name]) => allowedLocalEnv.includes(name)));
}

export async function isRoot({ host }: Pick<VmWorkspace, 'host'>, signal: AbortSignal): Promise<boolean> {
  const { code, stdout } = await host.shell.exec(['id', '-u'], { signal });
  if (code !== 0) throw new RetryableError('VM_USER', `id -u: exit code ${code}`);
  return stdout.trim() === '0';
}

/** The folders above may be links of the VM's administrator; a container's mounts name real places. */
async function withoutLinks(
  { host }: VmWorkspace,
  paths: readonly [string, string],
  signal: AbortSignal,
): Promise<readonly [string, string]> {
  const script = 'for path; do mkdir -p -- "$path" || exit 1; done';
  const { code, stderr } = await host.shell.exec({ script, args: paths }, { signal });
  if (code !== 0) throw new RetryableError('VM_FOLDER', `mkdir: exit code ${code}: ${stderr.trim()}`);
  const real = await followLinks(host.shell, paths, signal);
  return [real.get(paths[0]) ?? paths[0], real.get(paths[1]) ?? paths[1]];
}
