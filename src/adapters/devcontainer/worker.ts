/**
 * The agent worker in a container: started, found, stopped, and its log. It runs as root under a supervisor and starts agents
 * as the remote user, who can read neither its folder nor its memory. What is secret goes in by stdin.
 */
import { RetryableError, TerminalError } from '../../actors/index.ts';
import type { Host } from './containers.ts';
import { createScrub } from './scrub.ts';
import type { ShellResult } from './shell.ts';
import { workerError } from './workerErrors.ts';
import { SCRIPTS } from './workerScripts.ts';

/**
 * Where the worker listens in every container. Not where SM_GRPC_PORT_START begins: repositories that follow the product's
 * example configuration start a server of their own at that port.
 */
export const CONTAINER_WORKER_PORT = 25_051;

const START_LIMIT_SECONDS = 60;
/** Besides waiting for the worker: ending an earlier one, and what a busy machine takes. */
const START_TIMEOUT_MS = (START_LIMIT_SECONDS + 90) * 1000;
const TIMEOUT_MS = 60_000;

export interface WorkerPlace {
  /** Full id. */
  readonly containerId: string;
  readonly remoteUser: string;
  readonly remoteWorkspaceFolder: string;
}

export interface WorkerSpec {
  /** `<container address>#<generation>`; what Describe answers. */
  readonly identity: string;
  /** SHA-256 of the bearer token; the token itself never leaves the gateway. */
  readonly tokenHash: string;
  /** Inside the container. */
  readonly port: number;
  readonly agentIdleSeconds: number;
  /** Environment of agents only; the container's own is below it. */
  readonly secrets: Readonly<Record<string, string>>;
  /** The worker bundle is mounted at /csm/worker; else the image's own `agent-worker` is used. */
  readonly bundled: boolean;
  /** PEM. For the `direct` transport; without it connections are not encrypted. */
  readonly tls?: { readonly certificate: string; readonly key: string } | undefined;
}

export interface WorkerFound {
  readonly running: boolean;
  /** Of the worker program; empty if none runs. */
  readonly version: string;
}

/**
 * Starts the worker, and returns when it serves. One that runs with this identity is kept; another identity's is ended
 * first. Of several at once one starts it and all return.
 * @throws TerminalError or RetryableError with `human`
 */
export async function startWorker(
  host: Host,
  place: WorkerPlace,
  spec: WorkerSpec,
  signal?: AbortSignal,
): Promise<WorkerFound> {
  const scrub = createScrub([...Object.values(spec.secrets), spec.tokenHash, spec.tls?.key ?? '']);
  const secrets = Object.entries(spec.secrets).map(([name, value]) => variable(name, value));
  const tls = spec.tls ? [spec.tls.certificate, spec.tls.key] : ['', ''];
  const stdin = [spec.tokenHash, ...[secrets.join(''), ...tls].map(base64), ''].join('\n');
  const args = [
    spec.identity,
    String(spec.port),
    `${spec.agentIdleSeconds}s`,
    spec.bundled ? '1' : '0',
    place.remoteUser,
    String(START_LIMIT_SECONDS),
    SCRIPTS.supervise,
  ];
  const result = await inContainer(host, place.containerId, SCRIPTS.start, args, START_TIMEOUT_MS, { signal, stdin });
  if (result.code !== 0) throw execError(host, result, scrub);
  const { word, detail, lines } = answerOf(result.stdout);
  if (word === 'up') return { running: true, version: detail };
  throw workerError({ reason: word, detail: scrub(detail), lines: lines.map(scrub) }, spec);
}

/** Whether a worker with this identity serves. A container that is stopped or gone has none. */
export async function findWorker(
  host: Host,
  containerId: string,
  identity: string,
  signal?: AbortSignal,
): Promise<WorkerFound> {
  const result = await inContainer(host, containerId, SCRIPTS.find, [identity], TIMEOUT_MS, { signal });
  if (isNotRunning(result)) return { running: false, version: '' };
  if (result.code !== 0) throw execError(host, result);
  const { word, detail } = answerOf(result.stdout);
  return { running: word === 'up', version: detail };
}

interface InContainer {
  readonly signal?: AbortSignal | undefined;
  readonly stdin?: string;
}

function inContainer(
  { shell, runtime }: Host,
  containerId: string,
  script: string,
  args: readonly string[],
  timeoutMs: number,
  { signal, stdin = '' }: InContainer,
): Promise<ShellResult> {
  if (!/^[0-9a-f]{64}$/.test(containerId)) {
    throw new TerminalError('CONTAINER_ID', `Not a full container id: ${containerId}`);
  }
  const exec = [runtime, 'exec', '--interactive', '--user', '0:0', '--workdir', '/', containerId];
  return shell.exec([...exec, 'sh', '-c', script, 'sh', ...args], { timeoutMs, signal, stdin });
}

function answerOf(stdout: string): { word: string; detail: string; lines: readonly string[] } {
  const all = stdout.split('\n').filter((line) => line !== '');
  const at = all.findIndex((line) => line.startsWith('csm:'));
  const [, word = '', detail = ''] = /^csm:(\S+) ?(.*)$/.exec(all[at] ?? '') ?? [];
  return { word, detail, lines: at < 0 ? all : all.slice(at + 1) };
}

function isNotRunning({ code, stderr }: ShellResult): boolean {
  return (
    code !== 0 &&
    /no such container|no container with|container state improper|is not running|can only create exec sessions on running/i.test(
      stderr,
    )
  );
}

function execError(host: Host, result: ShellResult, scrub = createScrub([])): Error {
  const last = scrub(result.stderr.trim().split('\n').at(-1) ?? '');
  if (isNotRunning(result)) {
    return new RetryableError('CONTAINER_NOT_RUNNING', last, { human: 'The container does not run any more.' });
  }
  if (/executable file .?sh.? not found|"sh": executable|exec: "sh"/.test(last)) {
    return new TerminalError('CONTAINER_NO_SHELL', last, {
      human: 'The image has no shell (`sh`), without which no agent worker can be started in it.',
    });
  }
  return new RetryableError('CONTAINER_EXEC', `${host.runtime} exec: exit code ${result.code}: ${last}`, {
    human: `The container runtime of the VM could not run a command in the container: ${last}`,
  });
}

function variable(name: string, value: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !value.includes('\0')) return `${name}=${value}\0`;
  throw new TerminalError('WORKER_ENVIRONMENT', `Not an environment variable: ${name}`, {
    human: `\`${name}\` cannot be an environment variable of agents: its name or its value has characters that none may have.`,
  });
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
