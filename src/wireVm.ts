/** The VM with its containers, put together: the connection, what is carried out over it, and the ways to its workers. */
import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import { type EffectHandlers, RetryableError, type Runtime, type StorePorts } from './actors/index.ts';
import { addressesOf, bridgesOf, type Host, listOf } from './adapters/devcontainer/index.ts';
import type { GitOptions } from './adapters/git/index.ts';
import { connectVm, openTunnel, type Vm, type VmOptions, type VmState } from './adapters/ssh/index.ts';
import type { WorkerCertificate } from './adapters/worker/certificate.ts';
import { connectWorker, type WorkerClient } from './adapters/worker/client.ts';
import { probeFrom } from './adapters/worker/requests.ts';
import type { Config } from './config.ts';
import { proveWalls } from './flows/firewall/canary.ts';
import { vmWorkspaceHandlers } from './flows/vmWorkspace/handlers.ts';
import { secretsOf } from './flows/vmWorkspace/request.ts';
import { untilDone } from './flows/vmWorkspace/secrets.ts';
import { keepVmInOrder } from './flows/vmWorkspace/upkeep.ts';
import type { Address } from './machines/addresses.ts';
import type { ContainerContext } from './machines/container/context.ts';
import type { LinkInput } from './machines/session/context.ts';
import type { Identity } from './wiring.ts';

type WorkerPlace = Pick<LinkInput, 'endpoint' | 'container' | 'generation'>;

export interface VmPart {
  readonly handlers: EffectHandlers;
  /** To a container's worker. */
  connect(worker: WorkerPlace): Promise<WorkerClient>;
  /** Commands on the VM. */
  readonly shell: Pick<Vm, 'exec'>;
  /** Of a container on the VM's networks; none while it does not run. */
  addressesOf(container: Address, signal?: AbortSignal): Promise<readonly string[]>;
  /** Interfaces of the VM where it is, or anything that came up with it, whether it runs or not. */
  bridgesAround(container: Address, signal?: AbortSignal): Promise<readonly string[]>;
  state(): VmState;
  /** As long as this process leads. Resolves when `over` is aborted and nothing is under way. */
  keepInOrder(over: AbortSignal): Promise<void>;
  /** Called at every change. */
  onState(listener: (state: VmState) => void): void;
  close(): Promise<void>;
}

export interface VmParts {
  readonly config: Config & { readonly vm: NonNullable<Config['vm']> };
  readonly identity: Identity;
  readonly runtime: Pick<Runtime, 'read' | 'deliver'>;
  readonly store: Pick<StorePorts, 'listActors' | 'hostKey' | 'keepHostKey'>;
  readonly token: (container: Address, generation: number) => string;
  readonly tokenHash: (container: Address, generation: number) => string;
  readonly certificate: (container: Address, generation: number) => WorkerCertificate;
  /** Brings the walls to what they should be for the containers there are now. */
  readonly readyWalls: (signal: AbortSignal) => Promise<void>;
  /** Whether they stand wherever the container and its companions are. */
  readonly wallsCover: (container: Address, signal: AbortSignal) => Promise<void>;
  /** Told of what agents are given that nobody is to be shown. */
  readonly learn: (secrets: Iterable<string>) => void;
  readonly log: Logger;
}

export function wireVm(parts: VmParts): VmPart {
  const { config, identity, runtime, store, token, tokenHash, certificate, learn, log } = parts;
  const listeners: ((state: VmState) => void)[] = [];
  const onState = (state: VmState): void => {
    for (const listener of listeners) listener(state);
  };
  const vm = connectToVm(config, { memory: store, log, onState });
  const host: Host = { shell: vm, runtime: config.container.runtime };
  const isDirect = config.container.grpcTransport === 'direct';
  // As the VM sees itself, or as the gateway sees it.
  const transport = isDirect ? { host: config.vm.host, certificateOf: certificate } : { host: '127.0.0.1' };
  const known = () => store.listActors({ kind: 'container' });
  const place = { host, git: gitOptions(config, vm), instance: instanceOf(config, identity), runtime, now: Date.now };
  const sources = { host, config, env: process.env, learn };
  /** Before anything is heard of agents that a process before this one started. */
  const learnOfEarlier = untilDone(
    () => secretsOf(sources, AbortSignal.timeout(30_000)),
    (error) => log.warn({ err: error }, 'what agents were given cannot be read, so it is not masked in the chat'),
  );
  const connect = async ({ endpoint, container, generation }: WorkerPlace): Promise<WorkerClient> => {
    await learnOfEarlier();
    if (isDirect) {
      return connectWorker(endpoint, token(container, generation), certificate(container, generation).certificate);
    }
    const tunnel = await openTunnel(vm, portOf(endpoint), log);
    const client = connectWorker(`unix:${tunnel.path}`, token(container, generation));
    return {
      ...client,
      close: () => {
        client.close();
        tunnel.close().catch((error: unknown) => log.warn({ err: error }, 'a tunnel could not be closed'));
      },
    };
  };
  return {
    handlers: vmWorkspaceHandlers({
      ...place,
      config,
      vmState: vm.state,
      tokenHash,
      transport,
      env: process.env,
      learn,
      raiseWalls: parts.readyWalls,
      checkWalls: async (at, signal) => {
        // Where no firewall is configured there are no walls to look at.
        if (config.firewall.kind === 'none') return;
        await parts.readyWalls(signal);
        await proveWallsOf(connect, at);
        // A way out that none of the tries needs is one all the same.
        await parts.wallsCover(at.container, signal);
      },
      states: known,
      most: config.container.maxStarts,
    }),
    keepInOrder: (over) =>
      keepVmInOrder({ ...place, config, known, keepDays: config.retention.sessionsDays, log }, over),
    connect,
    shell: vm,
    addressesOf: async (container, signal) => {
      const { machine } = ((await runtime.read(container))?.context ?? {}) as Partial<ContainerContext>;
      return machine?.containerId ? addressesOf(host, machine.containerId, signal) : [];
    },
    bridgesAround: async (container, signal) => {
      const { repo } = ((await runtime.read(container))?.context ?? {}) as Partial<ContainerContext>;
      const owner = { instance: place.instance, repo: repo?.repo ?? '', branch: repo?.branch ?? '' };
      const around = (await listOf(host, owner, signal)).map(({ id }) => id);
      if (around.length === 0) throw new RetryableError('CONTAINER_GONE', `there are no containers of ${container}`);
      return bridgesOf(host, around, signal);
    },
    state: vm.state,
    onState: (listener) => listeners.push(listener),
    close: vm.close,
  };
}

async function proveWallsOf(connect: VmPart['connect'], worker: WorkerPlace): Promise<void> {
  const client = await connect(worker);
  try {
    await proveWalls(async (host, port) => (await probeFrom(client, host, port)).reachable);
  } finally {
    client.close();
  }
}

/** @param memory of the host key that was trusted first; without it the key must be pinned */
export function connectToVm(
  { vm }: Pick<VmParts['config'], 'vm'>,
  {
    memory,
    ...more
  }: Pick<VmOptions, 'log' | 'onState'> & { readonly memory?: Pick<StorePorts, 'hostKey' | 'keepHostKey'> },
): Vm {
  const target = `${vm.host}:${vm.port}`;
  const first = memory && {
    load: () => memory.hostKey(target),
    save: (key: string) => memory.keepHostKey(target, key),
  };
  return connectVm({
    host: vm.host,
    port: vm.port,
    user: vm.user,
    key: vm.sshKey === null ? { path: vm.sshKeyPath } : { text: vm.sshKey.reveal() },
    hostKey: { pins: vm.hostKey ?? [], ...(vm.trustOnFirstUse && first ? { trustOnFirstUse: first } : {}) },
    times: { connectMs: vm.sshTimeoutSecs * 1000, shortMs: vm.sshTimeoutSecs * 1000 },
    ...more,
  });
}

function gitOptions({ git }: Config, vm: Vm): GitOptions {
  return {
    shell: vm,
    reposPath: git.reposBasePath,
    worktreesPath: git.worktreesPath,
    baseUrl: git.baseUrl,
    token: () => git.ghToken?.reveal() ?? '',
    timeoutMs: git.timeoutSecs * 1000,
  };
}

/** Tells installations apart that share a VM. Names change, ids do not. */
function instanceOf({ mattermost }: Config, { botUserId }: Identity): string {
  return createHash('sha256')
    .update(JSON.stringify([mattermost.teamId, botUserId]))
    .digest('hex')
    .slice(0, 12);
}

function portOf(endpoint: string): number {
  return Number(endpoint.slice(endpoint.lastIndexOf(':') + 1));
}
