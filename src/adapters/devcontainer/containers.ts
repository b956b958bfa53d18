/** Containers of ours on the VM. Others are never touched: everything goes by full ids, and our labels are looked at first. */
import { z } from 'zod';
import { RetryableError, TerminalError } from '../../actors/index.ts';
import { followLinks } from './checkoutFiles.ts';
import type { Owner } from './names.ts';
import { linesOf, type Runtime, type Shell, type ShellResult } from './shell.ts';

const TIMEOUT_MS = 60_000;

export interface Host {
  readonly shell: Shell;
  readonly runtime: Runtime;
}

export interface Container {
  /** Full: 64 hexadecimal digits. */
  readonly id: string;
  readonly running: boolean;
  /** As the runtime says it: `running`, `exited`, `created`, ... */
  readonly status: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Ports of the VM that it is published on, and the VM's address there; empty: every one. */
  readonly published: readonly { readonly address: string; readonly port: number }[];
  /** Folders and files of the VM that are mounted into it, and where. */
  readonly mounts: readonly { readonly source: string; readonly target: string }[];
  /** Names of volumes that are mounted into it. */
  readonly volumes: readonly string[];
  readonly image: string;
  /** Empty if the runtime does not say it. */
  readonly imageId: string;
  /** ISO date; empty if it never ran. */
  readonly startedAt: string;
}

/** What Docker and Podman have in common in `container inspect`. */
const Inspected = z.array(
  z.object({
    Id: z.string().regex(/^[0-9a-f]{64}$/),
    Image: z.string().optional(),
    State: z.object({ Status: z.string(), Running: z.boolean(), StartedAt: z.string().optional() }),
    Config: z.object({ Image: z.string().optional(), Labels: z.record(z.string(), z.string()).nullish() }),
    HostConfig: z
      .object({
        PortBindings: z
          .record(z.string(), z.array(z.object({ HostIp: z.string().optional(), HostPort: z.string() })).nullable())
          .nullish(),
      })
      .optional(),
    Mounts: z
      .array(
        z.object({
          Type: z.string().optional(),
          Name: z.string().optional(),
          Source: z.string().optional(),
          Destination: z.string(),
        }),
      )
      .nullish(),
  }),
);

/** @throws TerminalError if it is not what Docker or Podman print */
export function parseInspect(stdout: string): readonly Container[] {
  let value: unknown;
  try {
    value = JSON.parse(stdout);
  } catch (error) {
    throw new TerminalError('CONTAINER_RUNTIME_ANSWER', 'container inspect: not JSON', { cause: error });
  }
  const read = Inspected.safeParse(value);
  if (!read.success) throw new TerminalError('CONTAINER_RUNTIME_ANSWER', `container inspect: ${read.error.message}`);
  return read.data.map((item) => ({
    id: item.Id,
    running: item.State.Running,
    status: item.State.Status,
    labels: item.Config.Labels ?? {},
    published: Object.values(item.HostConfig?.PortBindings ?? {})
      .flatMap((bindings) => bindings ?? [])
      .map(({ HostIp = '', HostPort }) => ({ address: HostIp, port: Number(HostPort) }))
      .filter(({ port }) => port > 0),
    mounts: (item.Mounts ?? []).flatMap(({ Type, Source, Destination }) =>
      Type === 'bind' && Source ? [{ source: Source, target: Destination }] : [],
    ),
    volumes: (item.Mounts ?? []).flatMap(({ Type, Name }) => (Type === 'volume' && Name ? [Name] : [])),
    image: item.Config.Image ?? '',
    imageId: item.Image ?? '',
    startedAt: /^0001-/.test(item.State.StartedAt ?? '0001-') ? '' : (item.State.StartedAt ?? ''),
  }));
}

export function isOurs(container: Pick<Container, 'labels'>, instance: string): boolean {
  return container.labels['csm.managed'] === 'true' && container.labels['csm.instance'] === instance;
}

/** Every container of this installation, running or not. */
export function listOurs(host: Host, instance: string, signal?: AbortSignal): Promise<readonly Container[]> {
  return listWith(host, { 'csm.managed': 'true', 'csm.instance': instance }, instance, signal);
}

/** Those of a repository's branch, of every generation; with a compose project, its other services too. */
export function listOf(
  host: Host,
  owner: Omit<Owner, 'generation'>,
  signal?: AbortSignal,
): Promise<readonly Container[]> {
  const { instance, repo, branch } = owner;
  const labels = { 'csm.managed': 'true', 'csm.instance': instance, 'csm.repo': repo, 'csm.branch': branch };
  return listWith(host, labels, instance, signal);
}

async function listWith(
  host: Host,
  labels: Readonly<Record<string, string>>,
  instance: string,
  signal?: AbortSignal,
): Promise<readonly Container[]> {
  const filters = Object.entries(labels).flatMap(([name, value]) => ['--filter', `label=${name}=${value}`]);
  const ids = linesOf(await mustRun(host, ['ps', '--all', '--quiet', '--no-trunc', ...filters], signal));
  // The runtime's filters are a convenience; what counts is what the container says.
  return (await inspectAll(host, ids, signal))
    .filter((container) => isOurs(container, instance))
    .filter((container) => Object.entries(labels).every(([name, value]) => container.labels[name] === value));
}

/**
 * Whether a folder of the VM that the container mounts leads elsewhere than it did: what is inside the checkout may have been
 * replaced by a link, which the runtime would follow at the next start.
 */
export async function haveMountsMoved(host: Host, { mounts }: Container, signal?: AbortSignal): Promise<boolean> {
  const sources = mounts.map(({ source }) => source);
  const places = await followLinks(host.shell, sources, signal);
  return sources.some((source) => places.get(source) !== source);
}

/**
 * Whether it has our labels from its image: somebody has made an image of a container of ours, and containers from that. We put
 * labels on containers only.
 */
export async function isFromCopy(host: Host, { imageId }: Container, signal?: AbortSignal): Promise<boolean> {
  if (!/^(sha256:)?[0-9a-f]{64}$/.test(imageId)) return false;
  const words = ['image', 'inspect', '--format', '{{json .Config.Labels}}', imageId];
  const { code, stdout } = await run(host, words, signal);
  return code === 0 && /"csm\.managed":/.test(stdout);
}

/** Undefined if there is none. @throws TerminalError if it is not ours */
export async function inspectOurs(
  host: Host,
  id: string,
  instance: string,
  signal?: AbortSignal,
): Promise<Container | undefined> {
  const container = await inspect(host, id, signal);
  if (container === undefined || isOurs(container, instance)) return container;
  throw new TerminalError('CONTAINER_NOT_OURS', `${id} does not carry the labels of ${instance}`);
}

/** On the VM's networks; none while it does not run. */
export async function addressesOf(host: Host, id: string, signal?: AbortSignal): Promise<readonly string[]> {
  const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}\n{{.GlobalIPv6Address}}\n{{end}}';
  const result = await run(host, ['container', 'inspect', '--format', format, id], signal);
  return result.code === 0 ? linesOf(result) : [];
}

/** With its anonymous volumes. Named ones stay: the agent's home is in one. Harmless if it is gone. */
export async function removeOurs(host: Host, id: string, instance: string, signal?: AbortSignal): Promise<void> {
  if ((await inspectOurs(host, id, instance, signal)) === undefined) return;
  await mustRun(host, ['rm', '--force', '--volumes', id], signal);
}

/**
 * Containers of this installation that nobody uses any more.
 * @param liveKeys `csm.key` of every container that some actor still knows
 */
export function findOrphans(
  containers: readonly Container[],
  instance: string,
  liveKeys: ReadonlySet<string>,
): readonly Container[] {
  return containers.filter((container) => {
    const key = container.labels['csm.key'] ?? '';
    // Without a key nobody can say that it is not live.
    return isOurs(container, instance) && key !== '' && !liveKeys.has(key);
  });
}

async function inspect(host: Host, id: string, signal?: AbortSignal): Promise<Container | undefined> {
  return (await inspectAll(host, [id], signal))[0];
}

/** Those of them that there are: in one command, however many. */
async function inspectAll(host: Host, ids: readonly string[], signal?: AbortSignal): Promise<readonly Container[]> {
  if (ids.length === 0) return [];
  for (const id of ids) {
    if (!/^[0-9a-f]{64}$/.test(id)) throw new TerminalError('CONTAINER_ID', `Not a full container id: ${id}`);
  }
  const result = await run(host, ['container', 'inspect', ...ids], signal);
  const errors = result.stderr.split('\n').filter((line) => /^\s*error\b/i.test(line));
  const isMissing = (line: string) => /no such (container|object)|no container with/i.test(line);
  // With one that is gone it fails, and tells of the others all the same.
  if (result.code !== 0 && (errors.length === 0 || !errors.every(isMissing))) {
    throw runtimeError(host, 'container inspect', result);
  }
  return parseInspect(result.stdout).filter(({ id }) => ids.includes(id));
}

/** @throws TerminalError or RetryableError unless it ends with 0 */
export async function mustRun(host: Host, words: readonly string[], signal?: AbortSignal): Promise<ShellResult> {
  const result = await run(host, words, signal);
  if (result.code !== 0) throw runtimeError(host, words[0] ?? '', result);
  return result;
}

function run({ shell, runtime }: Host, words: readonly string[], signal?: AbortSignal): Promise<ShellResult> {
  return shell.exec([runtime, ...words], { timeoutMs: TIMEOUT_MS, signal, maxOutputBytes: 8 * 1024 * 1024 });
}

function runtimeError({ runtime }: Host, what: string, { code, stderr }: ShellResult): Error {
  const last = stderr.trim().split('\n').at(-1) ?? '';
  if (code === 127) {
    return new TerminalError('CONTAINER_RUNTIME_MISSING', `${runtime} is not there`, {
      human: `The container runtime (${runtime}) is not installed on the VM. Install it, or change SM_CONTAINER_RUNTIME.`,
    });
  }
  return new RetryableError('CONTAINER_RUNTIME', `${runtime} ${what}: exit code ${code}: ${last}`, {
    human: `The container runtime of the VM failed (${what}): ${last}`,
  });
}
