/** A repository on the machine, brought up the way the gateway does it. */
import { RetryableError, TerminalError } from '../../../src/actors/index.ts';
import {
  defaultConfig,
  devcontainerUp,
  type Owner,
  projectOf,
  type Runtime,
  type UpResult,
} from '../../../src/adapters/devcontainer/index.ts';
import {
  type PreparedDevcontainer,
  type PrepareRequest,
  prepareDevcontainer,
} from '../../../src/flows/devcontainer.ts';
import { IMAGE, type Machine } from './machine.ts';

export const SECRET = 'sk-ant-secret-of-the-vm';
const RULES = {
  allowHostCommands: false,
  allowPrivileged: false,
  allowedLocalEnv: ['ANTHROPIC_API_KEY'],
  allowedNetworks: ['isolated'],
  unwalledNetworks: '',
  allowedMounts: [],
  workerPorts: { first: 50_051, last: 50_099 },
};

export interface Project {
  readonly owner: Owner;
  readonly checkout: string;
  readonly progress: string[];
  prepare(rules?: Partial<PrepareRequest['rules']>): Promise<PreparedDevcontainer>;
  up(timeoutMs?: number, signal?: AbortSignal): Promise<UpResult>;
}

export interface ProjectOptions {
  readonly composePath?: string | null;
  readonly additions?: Partial<PrepareRequest['additions']>;
  readonly runtime?: Runtime;
}

let lastPort = 50_050;

/** The port that the last project publishes. */
export function lastHostPort(): number {
  return lastPort;
}

export async function project(
  machine: Machine,
  name: string,
  files: Readonly<Record<string, string>>,
  { composePath = null, additions = {}, runtime = 'podman' }: ProjectOptions = {},
): Promise<Project> {
  const checkout = await machine.checkout(name, files);
  const owner: Owner = { instance: 'test', repo: `acme/${name}`, branch: 'main', generation: 1 };
  const progress: string[] = [];
  const hostPort = ++lastPort;
  const localEnv = { ANTHROPIC_API_KEY: SECRET };
  const host = { shell: machine.shell, runtime };
  const stateFolder = await machine.state(name);
  const prepare = (rules: Partial<PrepareRequest['rules']> = {}) =>
    prepareDevcontainer(host, {
      owner,
      checkout,
      stateFolder,
      choice: '',
      fallback: defaultConfig({ image: IMAGE, network: 'isolated' }),
      rules: { ...RULES, ...rules },
      additions: {
        publish: { address: '127.0.0.1', hostPort, containerPort: 50_051 },
        worktrees: null,
        workerMount: null,
        limits: { memoryBytes: 256 * 1024 ** 2, cpus: 1, pids: 200 },
        network: 'isolated',
        userns: null,
        env: {},
        ...additions,
      },
      composePath,
      localEnv,
      timeoutMs: 60_000,
      onProgress: (sentence) => progress.push(sentence),
    });
  return {
    owner,
    checkout,
    progress,
    prepare,
    up: async (timeoutMs = 120_000, signal) => {
      const { call } = await prepare();
      return devcontainerUp(machine.shell, {
        ...call,
        localEnv,
        project: projectOf(owner),
        timeoutMs,
        signal,
        onProgress: (sentence) => progress.push(sentence),
      });
    },
  };
}

interface Failure {
  readonly code: string;
  readonly human: string;
  readonly message: string;
  readonly error: unknown;
}

export async function failure(promise: Promise<unknown>): Promise<Failure> {
  const error: unknown = await promise.then(
    () => new Error('It did not fail'),
    (reason: unknown) => reason,
  );
  const known = error instanceof TerminalError || error instanceof RetryableError ? error : undefined;
  return { code: known?.code ?? '', human: known?.human ?? '', message: String(error), error };
}
