/** What the workspaces on the VM need of the rest of the program, and the words they share. */
import { posix } from 'node:path';
import type { Runtime } from '../../actors/index.ts';
import { type Host, keyOf, type Owner } from '../../adapters/devcontainer/index.ts';
import { checkoutPlace, checkRepo, type GitOptions } from '../../adapters/git/index.ts';
import type { VmState } from '../../adapters/ssh/index.ts';
import type { Config } from '../../config.ts';
import type { Address } from '../../machines/addresses.ts';
import type { ContainerContext } from '../../machines/container/context.ts';
import type { Machine, RepoRef } from '../../machines/effects.ts';

export interface VmWorkspace {
  readonly host: Host;
  readonly git: GitOptions;
  readonly config: Pick<Config, 'container' | 'firewall' | 'git' | 'sessions' | 'workspace'> & {
    readonly vm: Pick<NonNullable<Config['vm']>, 'secretsFile'>;
  };
  /** Of this installation; two of them may share a VM. */
  readonly instance: string;
  readonly runtime: Pick<Runtime, 'read' | 'deliver'>;
  readonly vmState: () => VmState;
  readonly tokenHash: (container: Address, generation: number) => string;
  /** How the gateway reaches workers' ports. */
  readonly transport: Transport;
  /** The gateway's own environment, for what agents are given of it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told of what agents are given that nobody is to be shown. */
  readonly learn: (secrets: Iterable<string>) => void;
  /** Brings the walls to what they should be for the containers there are; where there are none, does nothing. */
  readonly raiseWalls: (signal: AbortSignal) => Promise<void>;
  /** Whether the container is behind walls, proven from inside; where there are none, nothing is asked. */
  readonly checkWalls: (worker: OfContainer & { readonly endpoint: string }, signal: AbortSignal) => Promise<void>;
  readonly now: () => number;
}

export interface Transport {
  /** As the gateway dials it. */
  readonly host: string;
  /**
   * What a worker that is reached without SSH shows, and what the gateway expects to see; undefined where workers are reached
   * through SSH only, which encrypts.
   */
  readonly certificateOf?: (container: Address, generation: number) => WorkerCertificate;
}

export interface WorkerCertificate {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
}

/** What effects about a container say of it. */
export interface OfContainer {
  readonly repo: RepoRef;
  readonly container: Address;
  readonly generation: number;
}

export type OnMachine = OfContainer & { readonly machine: Machine };

export function ownerOf(
  { instance }: Pick<VmWorkspace, 'instance'>,
  { repo, generation }: Omit<OfContainer, 'container'>,
): Owner {
  return { instance, repo: repo.repo, branch: repo.branch, generation };
}

/** Tells a worker which container it serves; what it answers is compared with this. */
export function identityOf({ container, generation }: Omit<OfContainer, 'repo'>): string {
  return `${container}#${generation}`;
}

/** Where the gateway keeps what is its own on the VM: outside of every checkout, and no container sees it. */
export function stateRoot({ git, instance }: Pick<VmWorkspace, 'git' | 'instance'>): string {
  return posix.join(git.reposPath, '.containers', instance);
}

export function stateFolder(ports: VmWorkspace, of: OfContainer): string {
  return posix.join(stateRoot(ports), keyOf(ownerOf(ports, of)));
}

/** Shared by all installations that use the VM's ports. */
export function portsFolder({ git }: Pick<VmWorkspace, 'git'>): string {
  return posix.join(git.reposPath, '.containers', 'ports');
}

/** Everything below it is in containers; it itself is not, and so cannot be replaced by what an agent likes. */
export function worktreesFolder({ git }: Pick<VmWorkspace, 'git'>, repo: RepoRef): string {
  const { org, name } = checkRepo(repo);
  return posix.join(git.worktreesPath, org, name);
}

export function mainCheckout({ git }: Pick<VmWorkspace, 'git'>, repo: RepoRef): string {
  return checkoutPlace(git, checkRepo(repo), '').path;
}

/** What is known of the container that a session works in. */
export async function containerOf(
  { runtime }: Pick<VmWorkspace, 'runtime'>,
  session: Address,
): Promise<ContainerContext | undefined> {
  const address = (await runtime.read(session))?.context.container as Address | undefined;
  const container = address === undefined ? undefined : await runtime.read(address);
  return container?.context as ContainerContext | undefined;
}
