/**
 * Everything real around the gateway: a VM with sshd, podman and the devcontainer CLI, a git server, and Claude Code in
 * containers, which talks to the scripted model. Only chat and model are simulated.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestEnvironment, type TestEnvironment } from '../environment.ts';
import { type GitServer, startGitServer } from '../gitServer.ts';
import { STOCK } from './images.ts';
import { makeRepositories, type Repositories } from './repositories.ts';
import { startVm, type Vm, type VmOptions } from './vm.ts';
import { workerBundle } from './worker.ts';

/** What the git server asks for. It must be nowhere on the VM. */
export const GIT_TOKEN = 'git-token-of-the-gateway';

/** Of the worker bundle, below /opt. */
const WORKER = 'worker';

export interface VmEnvironment extends TestEnvironment {
  readonly vm: Vm;
  readonly forge: GitServer;
  readonly repositories: Repositories;
  /** Where the VM has the main checkout of a repository's default branch. */
  checkout(repo: string): string;
}

export interface VmEnvironmentOptions extends VmOptions {
  readonly gatewayEnv?: Readonly<Record<string, string>>;
  /** Called before the gateway starts. @returns further settings for it */
  readonly prepare?: (vm: Vm, repositories: Repositories) => Promise<Readonly<Record<string, string>>>;
  readonly slowDelayMs?: number;
}

export async function startVmEnvironment(options: VmEnvironmentOptions = {}): Promise<VmEnvironment> {
  const closers: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const vm = await startVm({ ...options, mounts: { [WORKER]: await workerBundle(), ...options.mounts } });
    closers.push(() => vm.close());
    const root = await mkdtemp(join(tmpdir(), 'csm-forge-'));
    closers.push(() => rm(root, { recursive: true, force: true }));
    const repositories = makeRepositories(join(root, 'forge'));
    const forge = await startGitServer(join(root, 'forge'), GIT_TOKEN, vm.hostAddress);
    closers.push(() => forge.close());
    const prepared = await options.prepare?.(vm, repositories);
    const environment = await startTestEnvironment({
      modelHost: vm.hostAddress,
      ...(options.slowDelayMs === undefined ? {} : { slowDelayMs: options.slowDelayMs }),
      gatewayEnv: { ...vmSettings(vm, forge), ...prepared, ...options.gatewayEnv },
    });
    closers.push(() => environment.stop());
    return {
      ...environment,
      vm,
      forge,
      repositories,
      checkout: (repo) => `${vm.reposPath}/${vm.hostAddress}/${repo}`,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function vmSettings(vm: Vm, forge: GitServer): Record<string, string> {
  return {
    SM_WORKSPACE: 'vm',
    SM_VM_HOST: vm.address,
    SM_VM_USER: vm.user,
    SM_VM_HOST_KEY: vm.fingerprint,
    SM_VM_SSH_KEY: vm.key,
    SM_REPOS_BASE_PATH: vm.reposPath,
    SM_WORKTREES_PATH: vm.worktreesPath,
    SM_GIT_BASE_URL: forge.url,
    SM_GH_TOKEN: GIT_TOKEN,
    SM_DEFAULT_ORG: 'acme',
    SM_WORKER_MOUNT: `/opt/${WORKER}`,
    SM_CONTAINER_IMAGE: STOCK,
    SM_CONTAINER_MAX_SESSIONS: '5',
  };
}
