/** What a container asks of the outside and tells its guests, and how events change its context. */
import type { Effect, ExternalEffect, Found, Reply } from '../effects.ts';
import { type ContainerContext, type ContainerEvent, type Guest, NO_MACHINE } from './context.ts';

interface Args {
  readonly context: ContainerContext;
  readonly event: ContainerEvent;
}

type Change = Partial<ContainerContext>;

// ---- steps on the way up

/** The outcome names the generation it is about: it may come when that one is gone. */
function reply({ context }: Args, done: string, failed = 'STEP.FAILED'): Reply {
  return { done, failed, with: { generation: context.generation } };
}

function ofContainer({ context }: Args) {
  return { repo: context.repo, container: context.address, generation: context.generation };
}

function onMachine(args: Args) {
  return { ...ofContainer(args), machine: args.context.machine };
}

export function admit(args: Args): ExternalEffect {
  return { kind: 'workspace.admit', params: ofContainer(args), reply: reply(args, 'ADMITTED') };
}

export function mirror(args: Args): ExternalEffect {
  const params = { ...ofContainer(args), fresh: args.context.fresh };
  return { kind: 'workspace.mirror', params, reply: reply(args, 'CLONED') };
}

export function reserve(args: Args): ExternalEffect {
  const params = { ...ofContainer(args), avoid: args.context.takenPorts };
  return { kind: 'workspace.reserve', params, reply: reply(args, 'RESERVED') };
}

export function vet(args: Args): ExternalEffect {
  return { kind: 'workspace.vet', params: onMachine(args), reply: reply(args, 'VETTED') };
}

export function build(args: Args): ExternalEffect {
  return { kind: 'workspace.up', params: onMachine(args), reply: reply(args, 'BUILT') };
}

export function startWorker(args: Args): ExternalEffect {
  return { kind: 'workspace.startWorker', params: onMachine(args), reply: reply(args, 'WORKER.STARTED') };
}

export function checkWalls(args: Args): ExternalEffect {
  return { kind: 'workspace.checkWalls', params: onMachine(args), reply: reply(args, 'WALLS.CHECKED') };
}

export function inspect(args: Args): ExternalEffect {
  return { kind: 'workspace.inspect', params: onMachine(args), reply: reply(args, 'INSPECTED', 'LOOK.FAILED') };
}

/** Only who is connected to a worker notices its end. So it is looked at for whoever comes, who is not made to wait for that. */
export function inspectMeanwhile(args: Args): ExternalEffect[] {
  return args.context.machine.containerId === '' ? [] : [inspect(args)];
}

/** Nobody waits for the answer; whoever came is told if it matters. */
export function compare(args: Args): ExternalEffect[] {
  const { context, event } = args;
  if (event.type !== 'ATTACH' || context.machine.configHash === '') return [];
  const { generation } = context;
  const answer = { done: 'COMPARED', with: { generation, session: event.session } };
  return [{ kind: 'workspace.compare', params: onMachine(args), reply: answer }];
}

export function remove(args: Args): ExternalEffect {
  return { kind: 'workspace.remove', params: ofContainer(args), reply: reply(args, 'REMOVED', 'REMOVE.FAILED') };
}

// ---- telling the guests

function tellAll({ context, event }: Args, body: { type: string; [key: string]: string | number }): Effect[] {
  return context.guests.map((guest) => ({ kind: 'tell', to: guest.session, event: { at: event.at, ...body } }));
}

function ready(context: ContainerContext) {
  const { endpoint, generation, identity } = context;
  const { workspaceFolder } = context.machine;
  return { type: 'CONTAINER.READY', endpoint, generation, identity, workspaceFolder };
}

export function tellReady(args: Args): Effect[] {
  return tellAll(args, ready(args.context));
}

/** Answers one session: who attached, or who asked whether we still stand. */
export function answerReady({ context, event }: Args): Effect[] {
  if (event.type !== 'ATTACH' && event.type !== 'LOST') return [];
  return [{ kind: 'tell', to: event.session, event: { at: event.at, ...ready(context) } }];
}

export function tellFailed(args: Args): Effect[] {
  const { reason, next } = args.context.failure ?? { reason: 'The workspace failed.', next: '' };
  return tellAll(args, { type: 'CONTAINER.REFUSED', reason, next, generation: args.context.generation });
}

export function tellStopped(args: Args): Effect[] {
  return tellAll(args, { type: 'CONTAINER.STOPPED' });
}

/** Acknowledges a guest who has to wait. */
export function tellComing({ event }: Args): Effect[] {
  if (event.type !== 'ATTACH') return [];
  const text = 'Waiting for the workspace …';
  return [{ kind: 'tell', to: event.session, event: { type: 'CONTAINER.PROGRESS', at: event.at, text } }];
}

export function progress(text: string) {
  return (args: Args): Effect[] => tellAll(args, { type: 'CONTAINER.PROGRESS', text });
}

export function passProgress(args: Args): Effect[] {
  return args.event.type === 'STEP.PROGRESS' ? progress(args.event.text)(args) : [];
}

/** What people should know of how the container was made. */
export function tellNotice(args: Args): Effect[] {
  const text = args.event.type === 'VETTED' ? (args.event.notice ?? '') : '';
  return text === '' ? [] : tellAll(args, { type: 'CONTAINER.NOTICE', text });
}

export function tellChanged({ event }: Args): Effect[] {
  if (event.type !== 'COMPARED' || !event.changed) return [];
  const text =
    "The repository's devcontainer configuration has changed since this container was made. The change counts when the container is made anew: `@claude stop --container`, then `@claude resume`.";
  return [{ kind: 'tell', to: event.session, event: { type: 'CONTAINER.NOTICE', at: event.at, text } }];
}

function refuse({ event }: Args, reason: string, next: string): Effect[] {
  if (event.type !== 'ATTACH' && event.type !== 'KEEP' && event.type !== 'LOST') return [];
  return [{ kind: 'tell', to: event.session, event: { type: 'CONTAINER.REFUSED', at: event.at, reason, next } }];
}

export function refuseFull(args: Args): Effect[] {
  const { maxSessions } = args.context.limits;
  return refuse(
    args,
    `This workspace already serves ${maxSessions} sessions, which is its limit.`,
    'Stop one of them (`@claude status` lists them), then `@claude retry`.',
  );
}

export function refuseMain(args: Args): Effect[] {
  return refuse(
    args,
    'Another session works in the main checkout of this branch.',
    'Start with `--worktree` for a checkout of its own, or stop the other session and `@claude retry`.',
  );
}

export function refuseGone(args: Args): Effect[] {
  return refuse(args, 'The workspace is gone.', '`@claude retry` makes a new one.');
}

// ---- changes

function without(guests: readonly Guest[], session: string): readonly Guest[] {
  return guests.filter((guest) => guest.session !== session);
}

export function attached({ context, event }: Args): Change {
  if (event.type !== 'ATTACH' && event.type !== 'KEEP') return {};
  const guests = without(context.guests, event.session);
  return { guests: [...guests, { session: event.session, main: event.main }] };
}

export function detached({ context, event }: Args): Change {
  return event.type === 'DETACH' ? { guests: without(context.guests, event.session) } : {};
}

export function newGeneration({ context }: Args): Change {
  return {
    generation: context.generation + 1,
    failure: null,
    endpoint: '',
    identity: '',
    machine: NO_MACHINE,
    takenPorts: [],
    looks: 0,
    fresh: context.failure !== null,
  };
}

export function reserved({ context, event }: Args): Change {
  return event.type === 'RESERVED' ? { machine: { ...context.machine, port: event.port ?? 0 } } : {};
}

export function vetted({ context, event }: Args): Change {
  if (event.type !== 'VETTED') return {};
  const { configFile = '', configHash = '' } = event;
  return { machine: { ...context.machine, configFile, configHash } };
}

export function built({ context, event }: Args): Change {
  if (event.type !== 'BUILT') return {};
  const { containerId = '', remoteUser = '', workspaceFolder = '', bootId = '' } = event;
  return { machine: { ...context.machine, containerId, remoteUser, workspaceFolder, bootId } };
}

export function workerStarted({ event }: Args): Change {
  return event.type === 'WORKER.STARTED'
    ? { endpoint: event.endpoint, identity: event.identity, startedAt: event.at }
    : {};
}

/** A stranger has the port: another one is reserved. */
export function portTaken({ context }: Args): Change {
  return { takenPorts: [...context.takenPorts, context.machine.port], machine: { ...context.machine, port: 0 } };
}

/** Looks in quick succession are counted: a worker that is found running and yet missed hangs. */
export function looked({ context, event }: Args): Change {
  const looks = event.at - context.lookedAt > DOUBT_MS ? 1 : context.looks + 1;
  return { looks, lookedAt: event.at };
}

const DOUBT_MS = 10 * 60_000;
const MOST_LOOKS = 4;
const MOST_PORTS = 5;

export function failed({ event }: Args): Change {
  const human =
    event.type === 'STEP.FAILED' || event.type === 'REMOVE.FAILED' || event.type === 'LOOK.FAILED' ? event.human : '';
  return {
    failure: {
      reason: human === '' ? 'The workspace could not be prepared.' : human,
      next: '`@claude retry` tries again.',
    },
  };
}

/** The port went to a stranger between reservation and use. */
export function isPortTaken({ context, event }: Args): boolean {
  return event.type === 'STEP.FAILED' && event.code === 'PORT_TAKEN' && context.takenPorts.length < MOST_PORTS;
}

/** What was looked for is there and where the guests look for it, and it is not missed all the time. */
export function stillRuns({ context, event }: Args): boolean {
  if (event.type !== 'INSPECTED' || event.found !== 'worker') return false;
  return event.endpoint === context.endpoint && context.looks < MOST_LOOKS;
}

/** The container is there, its worker is not, or not where the guests look for it. */
export function isWorkerGone({ context, event }: Args): boolean {
  if (event.type !== 'INSPECTED') return false;
  return event.found === 'noWorker' || (event.found === 'worker' && event.endpoint !== context.endpoint);
}

export function isStopped({ event }: Args): boolean {
  return event.type === 'INSPECTED' && (event.found === 'stopped' || event.found === 'rebooted');
}

/** Or of no use any more. */
export function isGone({ event }: Args): boolean {
  return event.type === 'INSPECTED' && (event.found === 'gone' || event.found === 'elsewhere');
}

const FOUND_WORDS: Readonly<Record<Found, string>> = {
  worker: 'The agent worker does not answer. Starting it again …',
  noWorker: 'The agent worker has ended. Starting it again …',
  stopped: 'The container was stopped. Starting it again …',
  rebooted: 'The VM was restarted. Starting the container again …',
  elsewhere: 'Workers are reached in another way now (SM_GRPC_TRANSPORT). Making a new container …',
  gone: 'The container is gone. Making a new one …',
};

export function sayFound(args: Args): Effect[] {
  return args.event.type === 'INSPECTED' ? progress(FOUND_WORDS[args.event.found])(args) : [];
}

export function isFull({ context, event }: Args): boolean {
  if (event.type !== 'ATTACH' && event.type !== 'KEEP') return false;
  return without(context.guests, event.session).length >= context.limits.maxSessions;
}

export function isMainTaken({ context, event }: Args): boolean {
  if ((event.type !== 'ATTACH' && event.type !== 'KEEP') || !event.main) return false;
  return without(context.guests, event.session).some((guest) => guest.main);
}

/** Has a place here. */
export function isGuest({ context, event }: Args): boolean {
  return 'session' in event && context.guests.some(({ session }) => session === event.session);
}

/** About the container that is being made or runs now. */
export function isThisGeneration({ context, event }: Args): boolean {
  return 'generation' in event && event.generation === context.generation;
}

/** The guest leaves and wants the machine gone, or takes everybody along. */
export function endsMachine({ event }: Args): boolean {
  return event.type === 'DETACH' && event.scope !== 'session';
}
