/** A container on its way up: its port, its configuration, and `devcontainer up`. Every step may run again at any time. */
import { type EffectHandlers, failureOf, RetryableError, TerminalError } from '../../actors/index.ts';
import {
  devcontainerUp,
  haveMountsMoved,
  inspectOurs,
  keyOf,
  listOf,
  projectOf,
  removeOurs,
  reservePort,
} from '../../adapters/devcontainer/index.ts';
import { markSeen } from '../../adapters/git/index.ts';
import type { Note } from '../../policy/devcontainer/index.ts';
import { cliCall, hashOfDevcontainer, prepareDevcontainer } from '../devcontainer.ts';
import { noteUse } from './disk.ts';
import { longStep } from './news.ts';
import { noteOrigin } from './origins.ts';
import { type OfContainer, type OnMachine, ownerOf, portsFolder, type VmWorkspace } from './ports.ts';
import { pullForContainer } from './pull.ts';
import { type Asked, prepareRequest } from './request.ts';
import { isComingUp } from './wanted.ts';

export function buildHandlers(ports: VmWorkspace) {
  const { host, instance } = ports;
  return {
    'workspace.reserve': async ({ params }, { signal }) => {
      await removeGenerations(ports, params, (generation) => generation < params.generation, signal);
      const first = ports.config.container.grpcPortStart;
      const { avoid } = params;
      const key = keyOf(ownerOf(ports, params));
      const port = await reservePort(host.shell, { folder: portsFolder(ports), instance, key, first, avoid }, signal);
      return { port };
    },
    'workspace.vet': (request, context) =>
      longStep(ports, request, context, isComingUp(request.params.generation), async (say, signal) => {
        const { params } = request;
        // What a container was made from is part of the configuration as long as it is there, used or not.
        await removeUnfit(ports, params, signal);
        const asked = await prepareRequest(ports, params, signal);
        await makeFolder(ports, asked.stateFolder, signal);
        const { call, notes, hash } = await prepareDevcontainer(host, { ...asked, onProgress: say });
        return { configFile: call.configFile ?? '', configHash: hash, notice: noticeOf(notes) };
      }),
    'workspace.up': (request, context) =>
      longStep(ports, request, context, isComingUp(request.params.generation), async (say, signal) => {
        const { params } = request;
        const [asked] = await Promise.all([
          prepareRequest(ports, params, signal),
          removeUnfit(ports, params, signal),
          // From now on git on the VM leaves the checkout alone.
          markSeen(ports.git, params.repo, '', signal),
        ]);
        await refuseUnvetted(ports, asked, params, signal);
        // Before: after a reboot in between it would be the one of a boot that the container was not started in.
        const bootId = await bootIdOf(ports, signal);
        // Its own commands run before anybody can look from inside; and an address may have been another container's.
        await ports.raiseWalls(signal);
        const up = await bringUp(ports, { params, asked }, say, signal);
        if (ports.config.git.autoPull) {
          await pullForContainer(ports, params, up.remoteUser, { signal, log: context.log });
        }
        return { ...up, bootId };
      }),
    'workspace.compare': async ({ params }, { signal }) => {
      const hash = await hashOfDevcontainer(host, await prepareRequest(ports, params, signal));
      return { changed: hash !== params.machine.configHash };
    },
  } satisfies EffectHandlers;
}

/** Containers of this one's address with their generations; compose services of a project count each. */
export async function containersOf(ports: VmWorkspace, of: OfContainer, signal: AbortSignal) {
  const found = await listOf(ports.host, ownerOf(ports, of), signal);
  return found.map((container) => ({ ...container, generation: Number(container.labels['csm.generation'] ?? 0) }));
}

export async function removeGenerations(
  ports: VmWorkspace,
  of: OfContainer,
  isMeant: (generation: number) => boolean,
  signal: AbortSignal,
): Promise<void> {
  for (const { id, generation } of await containersOf(ports, of, signal)) {
    if (isMeant(generation)) await removeOurs(ports.host, id, ports.instance, signal);
  }
}

/** Changes with every boot of the VM. */
export async function bootIdOf({ host }: VmWorkspace, signal: AbortSignal): Promise<string> {
  const words = ['cat', '/proc/sys/kernel/random/boot_id'];
  return (await host.shell.exec(words, { signal })).stdout.trim();
}

async function makeFolder({ host }: VmWorkspace, folder: string, signal: AbortSignal): Promise<void> {
  const script = 'umask 077; mkdir -p -- "$1"';
  const { code, stderr } = await host.shell.exec({ script, args: [folder] }, { signal });
  if (code === 0) return;
  const last = stderr.trim().split('\n').at(-1) ?? '';
  throw new TerminalError('VM_FOLDER', `mkdir: exit code ${code}: ${last}`, {
    human: `The VM's user cannot write below SM_REPOS_BASE_PATH: ${last}`,
  });
}

/**
 * What an earlier attempt left and cannot be used: a container with another port, one whose mounts lead elsewhere by now, and
 * every container of a compose project. Those are made from files of the checkout, which the CLI reads once more whenever
 * one of them is not as they say, and which any of them can change as long as it runs.
 */
async function removeUnfit(ports: VmWorkspace, params: OnMachine, signal: AbortSignal): Promise<void> {
  const { host, instance } = ports;
  for (const container of await containersOf(ports, params, signal)) {
    if (container.generation !== params.generation) continue;
    const { labels, published } = container;
    const hasPort = published.some(({ port }) => port === params.machine.port);
    const isOther = published.length > 0 && isDevcontainer(labels) && !hasPort;
    const isOfProject = COMPOSE_LABELS.some((name) => name in labels);
    if (isOther || isOfProject || (await haveMountsMoved(host, container, signal))) {
      await removeOurs(host, container.id, instance, signal);
    }
  }
}

const COMPOSE_LABELS = ['com.docker.compose.project', 'io.podman.compose.project'];

/** Other services of a compose project have the label, too, and nothing in it. */
function isDevcontainer(labels: Readonly<Record<string, string>>): boolean {
  return (labels['csm.id'] ?? '') !== '';
}

/**
 * What is brought up is what was vetted. From here on nobody changes the checkout: no container runs that could, and git on the
 * VM leaves it alone.
 * @throws TerminalError DEVCONTAINER_CHANGED
 */
async function refuseUnvetted(
  { host }: VmWorkspace,
  asked: Asked,
  { machine }: OnMachine,
  signal: AbortSignal,
): Promise<void> {
  if ((await hashOfDevcontainer(host, { ...asked, signal })) === machine.configHash) return;
  throw new TerminalError('DEVCONTAINER_CHANGED', 'the configuration is not the one that was vetted', {
    human: 'The devcontainer configuration was changed while the container was being made.',
  });
}

async function bringUp(
  ports: VmWorkspace,
  { params, asked }: { readonly params: OnMachine; readonly asked: Asked },
  say: (sentence: string) => void,
  signal: AbortSignal,
) {
  const { host, instance } = ports;
  const { configFile } = params.machine;
  const call = cliCall({ ...asked, runtime: host.runtime, configFile: configFile === '' ? null : configFile });
  const { localEnv, timeoutMs, owner } = asked;
  try {
    const up = await devcontainerUp(host.shell, {
      ...{ ...call, localEnv, timeoutMs, signal, onProgress: say },
      project: projectOf(owner),
    });
    // Somebody may have removed it in this very moment.
    const container = await inspectOurs(host, up.containerId, instance, signal);
    if (!container?.running) {
      throw new RetryableError('CONTAINER_GONE', `${up.containerId} does not run`, {
        human: 'The container ended as soon as it had started.',
      });
    }
    if (container.labels['csm.key'] !== keyOf(owner)) {
      throw new TerminalError('CONTAINER_NOT_OURS', `${up.containerId} has the key of another container`, {
        human:
          'The devcontainer CLI found a container that belongs to another repository or branch. It was left alone.',
      });
    }
    await Promise.all([
      containersOf(ports, params, signal).then((others) => noteUse(ports, owner, [container, ...others], signal)),
      noteOrigin(ports, params, container, up.remoteUser, signal),
    ]);
    return { ...up };
  } catch (error) {
    if (failureOf(error).code !== 'PORT_TAKEN') throw error;
    // What was made publishes that port, and would be found again.
    await removeGenerations(ports, params, (generation) => generation === params.generation, signal);
    const { message, human } = failureOf(error);
    throw new TerminalError('PORT_TAKEN', message, { human, cause: error });
  }
}

function noticeOf(notes: readonly Note[]): string {
  if (notes.length === 0) return '';
  return ['About the devcontainer configuration:', ...notes.map(({ path, text }) => `- \`${path}\`: ${text}`)].join(
    '\n',
  );
}
