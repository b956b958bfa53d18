/** What a container asks of the outside and tells its guests, and how events change its context. */
import type { Effect, ExternalEffect, Reply } from '../effects.ts';
import type { ContainerContext, ContainerEvent, Guest } from './context.ts';

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

function machineParams({ context }: Args) {
  return { repo: context.repo, container: context.address, generation: context.generation };
}

export function mirror(args: Args): ExternalEffect {
  return { kind: 'workspace.mirror', params: { repo: args.context.repo }, reply: reply(args, 'CLONED') };
}

export function vet(args: Args): ExternalEffect {
  return { kind: 'workspace.vet', params: { repo: args.context.repo }, reply: reply(args, 'VETTED') };
}

export function reserve(args: Args): ExternalEffect {
  const { repo, address } = args.context;
  return { kind: 'workspace.reserve', params: { repo, container: address }, reply: reply(args, 'RESERVED') };
}

export function build(args: Args): ExternalEffect {
  return { kind: 'workspace.up', params: machineParams(args), reply: reply(args, 'BUILT') };
}

export function startWorker(args: Args): ExternalEffect {
  return { kind: 'workspace.startWorker', params: machineParams(args), reply: reply(args, 'WORKER.STARTED') };
}

export function checkWalls(args: Args): ExternalEffect {
  return { kind: 'workspace.checkWalls', params: machineParams(args), reply: reply(args, 'WALLS.CHECKED') };
}

export function inspect(args: Args): ExternalEffect {
  return { kind: 'workspace.inspect', params: machineParams(args), reply: reply(args, 'INSPECTED') };
}

export function remove(args: Args): ExternalEffect {
  return { kind: 'workspace.remove', params: machineParams(args), reply: reply(args, 'REMOVED', 'REMOVE.FAILED') };
}

// ---- telling the guests

function tellAll({ context, event }: Args, body: { type: string; [key: string]: string | number }): Effect[] {
  return context.guests.map((guest) => ({ kind: 'tell', to: guest.session, event: { at: event.at, ...body } }));
}

function ready(context: ContainerContext) {
  const { endpoint, generation, identity } = context;
  return { type: 'CONTAINER.READY', endpoint, generation, identity };
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
  return tellAll(args, { type: 'CONTAINER.REFUSED', reason, next });
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
  return { generation: context.generation + 1, failure: null, endpoint: '', identity: '' };
}

export function workerStarted({ event }: Args): Change {
  return event.type === 'WORKER.STARTED'
    ? { endpoint: event.endpoint, identity: event.identity, startedAt: event.at }
    : {};
}

export function failed({ event }: Args): Change {
  const human = event.type === 'STEP.FAILED' || event.type === 'REMOVE.FAILED' ? event.human : '';
  return {
    failure: {
      reason: human === '' ? 'The workspace could not be prepared.' : human,
      next: '`@claude retry` tries again.',
    },
  };
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
