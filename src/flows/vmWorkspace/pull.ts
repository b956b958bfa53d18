/**
 * Main checkouts that a container has seen, brought up to date in that container: before a session begins to work in one
 * (SM_AUTO_PULL), and when what was pushed may mend a container that did not come up. What cannot be pulled stays as it is, and
 * the thread is told.
 */
import { type Log, TerminalError } from '../../actors/index.ts';
import { followLinks, listOf } from '../../adapters/devcontainer/index.ts';
import { ensureMirror, findCheckout, INSIDE, type Pulled, pullInside } from '../../adapters/git/index.ts';
import type { Address } from '../../machines/addresses.ts';
import type { ContainerContext } from '../../machines/container/context.ts';
import type { Machine, RepoRef } from '../../machines/effects.ts';
import { assertNever } from '../../machines/json.ts';
import { mainCheckout, type OfContainer, ownerOf, type VmWorkspace } from './ports.ts';

/** A container that runs, with the main checkout in it. */
export interface WithCheckout extends Pick<Machine, 'containerId' | 'remoteUser'> {
  /** The checkout as the container sees it. */
  readonly folder: string;
}

/** Where the main checkout of the branch is mounted in a container that runs. */
export async function findMounted(
  ports: Pick<VmWorkspace, 'host' | 'git' | 'instance'>,
  repo: RepoRef,
  signal: AbortSignal,
): Promise<Pick<WithCheckout, 'containerId' | 'folder'> | undefined> {
  const place = mainCheckout(ports, repo);
  // Mounts name real places; the folders above may be links of the VM's administrator.
  const checkout = (await followLinks(ports.host.shell, [place], signal)).get(place) ?? place;
  const containers = await listOf(ports.host, ownerOf(ports, { repo, generation: 0 }), signal);
  const found = containers.flatMap(({ id, running, mounts }) =>
    mounts.flatMap(({ source, target }) =>
      running && source === checkout ? [{ containerId: id, folder: target }] : [],
    ),
  );
  return found[0];
}

/** @returns why it was not brought up to date, in words that complete "it was not pulled: "; empty if it is */
export async function pullMain(
  ports: Pick<VmWorkspace, 'host' | 'git'>,
  repo: RepoRef,
  { containerId, remoteUser, folder }: WithCheckout,
  signal: AbortSignal,
): Promise<string> {
  const { note } = await findCheckout(ports.git, repo, '', signal);
  if (note === undefined) return '';
  const settings = INSIDE.flatMap(([key, value], index) => [
    ...['--env', `GIT_CONFIG_KEY_${index}=${key}`, '--env', `GIT_CONFIG_VALUE_${index}=${value}`],
  ]);
  const exec = [ports.host.runtime, 'exec', '--interactive', '--user', remoteUser, '--workdir', folder];
  const inside = [...exec, '--env', `GIT_CONFIG_COUNT=${INSIDE.length}`, ...settings, containerId];
  return whyNot(await pullInside(ports.git, { repo, branch: note.branch, inside }, signal), note.branch);
}

function whyNot(pulled: Pulled, branch: string): string {
  switch (pulled) {
    case 'current':
    case 'updated':
      return '';
    case 'elsewhere':
      return `another branch than \`${branch}\` is checked out in it`;
    case 'apart':
      return `it has commits on \`${branch}\` that are not in what was pushed`;
    case 'changed':
      return 'it has uncommitted changes in files that were changed by what was pushed';
    case 'busy':
      return 'the repository was being fetched at the same time';
    case 'late':
      return 'git in the container took too long';
    default:
      return assertNever(pulled);
  }
}

interface Context {
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** A session that opens in the main checkout of a container that runs: nobody else works in there. */
export async function pullForSession(
  ports: VmWorkspace,
  session: Address,
  repo: RepoRef,
  context: Context,
): Promise<void> {
  const address = (await ports.runtime.read(session))?.context.container as Address | undefined;
  const container = address === undefined ? undefined : await ports.runtime.read(address);
  if (container === undefined || !isIn(container.value, 'running')) return;
  const { guests, machine } = container.context as ContainerContext;
  if (guests.some((guest) => guest.main && guest.session !== session)) return;
  await pullAndTell(ports, session, repo, { remoteUser: machine.remoteUser, refresh: true }, context);
}

/** A container that has come up for a session that opens in its main checkout. What was there before may be old. */
export async function pullForContainer(
  ports: VmWorkspace,
  { container, repo }: OfContainer,
  remoteUser: string,
  context: Context,
): Promise<void> {
  const { guests = [] } = ((await ports.runtime.read(container))?.context ?? {}) as Partial<ContainerContext>;
  const session = guests.find(({ main }) => main)?.session;
  // One that works there already is not surprised.
  if (session === undefined || !isIn((await ports.runtime.read(session))?.value, 'opening')) return;
  await pullAndTell(ports, session, repo, { remoteUser, refresh: false }, context);
}

function isIn(value: unknown, state: string): boolean {
  return typeof value === 'object' && value !== null && state in value;
}

/** A session begins with what is there if it cannot be pulled. */
async function pullAndTell(
  ports: VmWorkspace,
  session: Address,
  repo: RepoRef,
  { remoteUser, refresh }: { readonly remoteUser: string; readonly refresh: boolean },
  { signal, log }: Context,
): Promise<void> {
  const pull = async (): Promise<string> => {
    if (refresh) await ensureMirror(ports.git, repo, { refresh, signal });
    const place = await findMounted(ports, repo, signal);
    return place === undefined ? '' : pullMain(ports, repo, { ...place, remoteUser }, signal);
  };
  const why = await orWhyNot(pull, repo, { signal, log });
  if (why !== '') await tell(ports, [session], `The checkout was not pulled: ${why}.`, log);
}

/** @returns what `pull` says, or why it failed. Nobody tries it again, also where others would. */
export async function orWhyNot(pull: () => Promise<string>, repo: RepoRef, { signal, log }: Context): Promise<string> {
  try {
    return await pull();
  } catch (error) {
    if (signal.aborted) throw error;
    log.warn({ err: error, repo: repo.repo }, 'a checkout could not be pulled');
    if (!(error instanceof TerminalError)) return 'git on the VM or in the container could not be used just then';
    return (error.human || error.message).replace(/\.$/, '');
  }
}

/** Shown in the threads, and not withdrawn. */
export async function tell(
  { runtime, now }: Pick<VmWorkspace, 'runtime' | 'now'>,
  sessions: readonly Address[],
  text: string,
  log: Log,
): Promise<void> {
  const at = now();
  const event = { type: 'CONTAINER.NOTICE', at, text };
  const items = sessions.map((to) => ({ to, event, dedupKey: `${to}/notice/${at}/${text}` }));
  await runtime.deliver(items).catch((error: unknown) => log.warn({ err: error, text }, 'a notice could not be told'));
}
