/** What the root asks of the outside, and how events change its context. */
import { sessionAddress } from '../addresses.ts';
import type { Effect, Place } from '../effects.ts';
import type { SessionRequest } from '../session/context.ts';
import type { ChildTrouble, Command, GatewayContext, GatewayEvent, StartCommand } from './context.ts';

interface Args {
  readonly context: GatewayContext;
  readonly event: GatewayEvent;
}

type Change = Partial<GatewayContext>;

/** Troubles told one by one in a message; of the rest only the number. */
const SHOWN_TROUBLES = 10;
const REASON_LENGTH = 300;

function placeOf(event: Command<string>): { place: Place; replyTo: string } {
  return { place: { channelId: event.channelId, rootId: event.rootId }, replyTo: event.postId };
}

// ---- commands

export function createSession({ event }: Args): Effect[] {
  if (event.type !== 'COMMAND.START') return [];
  const { at, postId } = event;
  return [{ kind: 'tell', to: sessionAddress(postId), event: { type: 'START', at, request: requestOf(event) } }];
}

function requestOf(event: StartCommand): SessionRequest {
  const { repo, plan, review, model, postId, channelId, rootId, userId, userName } = event;
  return {
    repo,
    worktree: event.worktree === '' ? automaticName(repo.repo, postId) : event.worktree,
    plan,
    review,
    model,
    owner: { id: userId, name: userName },
    askedIn: { channelId, rootId },
    askedBy: postId,
  };
}

/** `<repository>-<first 8 of the session's id>` */
function automaticName(repo: string, postId: string): string {
  return `${repo.slice(repo.lastIndexOf('/') + 1)}-${postId.slice(0, 8)}`;
}

export function refuseStart({ event }: Args): Effect[] {
  if (event.type !== 'COMMAND.START') return [];
  const message = 'I am just being restarted, so no new session was begun. Please send it again in a minute.';
  return [{ kind: 'chat.reply', params: { ...placeOf(event), message } }];
}

export function tellStatus({ event }: Args): Effect[] {
  return event.type === 'COMMAND.STATUS' ? [{ kind: 'chat.status', params: placeOf(event) }] : [];
}

export function tellHelp({ event }: Args): Effect[] {
  if (event.type !== 'COMMAND.HELP') return [];
  const { place, about = '' } = event;
  return [{ kind: 'chat.help', params: { ...placeOf(event), inThread: place === 'thread', about } }];
}

export function tellCosts({ event }: Args): Effect[] {
  return event.type === 'COMMAND.COSTS' ? [{ kind: 'chat.cost', params: { ...placeOf(event), session: '' } }] : [];
}

export function changeVerbosity({ event }: Args): Effect[] {
  if (event.type !== 'COMMAND.CHANNEL_VERBOSITY') return [];
  return [{ kind: 'chat.channelVerbosity', params: { ...placeOf(event), verbosity: event.verbosity } }];
}

export function changeNotices({ event }: Args): Effect[] {
  if (event.type !== 'COMMAND.NOTIFY') return [];
  const { userId, on } = event;
  return [{ kind: 'chat.notify', params: { ...placeOf(event), userId, on } }];
}

export function tellRefusal({ event }: Args): Effect[] {
  if (event.type !== 'COMMAND.REFUSED') return [];
  return [{ kind: 'chat.reply', params: { ...placeOf(event), message: event.message } }];
}

export function stopByPrefix({ event }: Args): Effect[] {
  if (event.type !== 'COMMAND.STOP_PREFIX') return [];
  const { prefix, container, all, userId, userName } = event;
  return [{ kind: 'chat.stopByPrefix', params: { ...placeOf(event), prefix, container, all, userId, userName } }];
}

// ---- systems

export function booted({ context, event }: Args): Change {
  return { bootedAt: event.at, boots: context.boots + 1, down: [] };
}

/** Recorded in every state: what goes down while the process comes up is down when it serves. */
export function systemChanged({ context, event }: Args): Change {
  if (event.type !== 'SYSTEM.UP' && event.type !== 'SYSTEM.DOWN') return {};
  const { system } = event;
  const others = context.down.filter((outage) => outage.system !== system);
  if (event.type === 'SYSTEM.UP') return { down: others };
  const since = context.down.find((outage) => outage.system === system)?.since ?? event.at;
  return { down: [...others, { system, since, reason: event.reason }] };
}

export function passWarning({ event }: Args): Effect[] {
  return event.type === 'SYSTEM.WARNING' ? [{ kind: 'chat.tellOperator', params: { message: event.text } }] : [];
}

// ---- troubles of other actors

export function troubleHeard({ context, event }: Args): Change {
  if (event.type !== 'CHILD.TROUBLED') return {};
  const { troubles, moreTroubles } = context;
  if (troubles.length >= SHOWN_TROUBLES) return { moreTroubles: moreTroubles + 1 };
  const { address, status } = event;
  const reason = event.reason.replace(/\s+/g, ' ').slice(0, REASON_LENGTH);
  return { troubles: [...troubles, { address, status, reason }] };
}

/** One message for all that was gathered: a storm of failures must not become a storm of posts. */
export function tellOperators({ context }: Args): Effect[] {
  const { troubles, moreTroubles } = context;
  if (troubles.length === 0) return [];
  const lines = troubles.map(troubleLine);
  if (moreTroubles > 0) lines.push(`- … and ${moreTroubles} more`);
  return [{ kind: 'chat.tellOperator', params: { message: lines.join('\n') } }];
}

const WHAT_HAPPENED = {
  parked: 'ran into an internal error and was set aside',
  error: 'ended with an internal error',
  stopped: 'was ended by an operator',
} as const;

function troubleLine({ address, status, reason }: ChildTrouble): string {
  return `- \`${address}\` ${WHAT_HAPPENED[status]}: ${reason}`;
}

export function troublesTold(): Change {
  return { troubles: [], moreTroubles: 0, gathering: true };
}
