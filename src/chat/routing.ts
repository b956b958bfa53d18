/**
 * From a person's post to who should hear of it. Pure: what must be looked up comes in as `Known`.
 */
import { type Address, GATEWAY, keyOf } from '../machines/addresses.ts';
import { assertNever } from '../machines/json.ts';
import type { CommandRoute, CommandSettings, CommandSpec } from './commandSpec.ts';
import { afterTrigger, isMentioned, type ReadPost, readPost } from './commands.ts';
import type { BareSessionCommand, ChatEvent } from './events.ts';
import {
  elsewhereCommandText,
  elsewhereText,
  misplacedText,
  nobodyListensText,
  noSessionText,
  notYoursText,
  severalSessionsText,
  startInSessionText,
  unknownCommandText,
} from './replies.ts';

/** A post as the chat server told it. Times are the server's, in milliseconds since the epoch. */
export interface IncomingPost {
  readonly id: string;
  readonly channelId: string;
  readonly channelName: string;
  /** The thread's root post; empty at top level. */
  readonly rootId: string;
  readonly userId: string;
  /** Without `@`. */
  readonly userName: string;
  readonly text: string;
  /** Nobody else is there. */
  readonly isDirect?: boolean;
  /** Empty for what people write; system messages have one. */
  readonly type: string;
  readonly fromBot: boolean;
  /** `create_at`. */
  readonly at: number;
  /** `edit_at`; 0 if never edited. */
  readonly editedAt: number;
  readonly fileIds: readonly string[];
}

export interface Person {
  readonly id: string;
  readonly name: string;
}

/** The session that the root post of a thread asked for, where that session has a thread of its own. */
export interface Elsewhere {
  readonly session: Address;
  readonly repo: string;
  /** Of its thread; empty while there is none. */
  readonly link: string;
  readonly isLive: boolean;
}

export type Permission = { readonly ok: true } | { readonly ok: false; readonly human: string };

export interface Known extends CommandSettings {
  readonly botUserId: string;
  /** The session of the post's thread, stopped and failed ones included. */
  readonly session?: Address | undefined;
  /** Only where the thread is no session's own. */
  readonly elsewhere?: Elsewhere | undefined;
  readonly liveSessionsInChannel: readonly Address[];
  readonly isProjectChannel: boolean;
  /** @param repo the repository of a `start`, else null. */
  readonly allowed: (person: Person, repo: string | null) => Permission;
  /** Who started the session of the post's thread. */
  readonly starterId?: string | undefined;
  /** Whether the person is named as one who decides requests. */
  readonly isApprover: (person: Person) => boolean;
}

export type Route =
  | { readonly kind: 'ignore'; readonly reason: string }
  | { readonly kind: 'deliver'; readonly to: Address; readonly event: ChatEvent }
  /** To be posted where the person wrote. `once`: what stands for all posts that are answered so; the first one is. */
  | { readonly kind: 'reply'; readonly message: string; readonly once?: string };

/** Where a new post goes. The same post always gets the same route for the same knowledge. */
export function route(post: IncomingPost, known: Known): Route {
  const unfit = notAPerson(post, known);
  if (unfit !== null) return ignore(unfit);
  const read = readPost(post.text, post.rootId === '' ? 'top' : 'thread', known);
  switch (read.kind) {
    case 'text':
      return routeText(post, known);
    case 'command':
      return routeCommand(post, known, read.spec, read.route);
    case 'slash':
      return toSession(post, known, { type: 'SLASH', text: read.text });
    case 'unknown':
    case 'misplaced':
    case 'refused':
      return routeBadCommand(post, known, read);
    default:
      return assertNever(read);
  }
}

/** An edited post never runs a command, and nothing runs twice: a prompt that still waits gets the new text. */
export function routeEdit(post: IncomingPost, known: Known): Route {
  const unfit = notAPerson(post, known);
  if (unfit !== null) return ignore(unfit);
  const to = sessionFor(post, known);
  if (to === null) return ignore('edited outside a session');
  const at = post.editedAt || post.at;
  const read = readPost(post.text, post.rootId === '' ? 'top' : 'thread', known);
  if (read.kind === 'text' || read.kind === 'slash') {
    const text = read.kind === 'slash' ? read.text : promptText(post.text, known.trigger);
    return { kind: 'deliver', to, event: { ...fromPost(post, at), type: 'POST.EDITED', text } };
  }
  if (read.kind === 'command' && read.route.command.type === 'COMMAND.STEER' && read.route.command.text !== '') {
    return {
      kind: 'deliver',
      to,
      event: { ...fromPost(post, at), type: 'POST.EDITED', text: read.route.command.text },
    };
  }
  // What was a prompt is none any more. A root post is left alone: losing it would end the session.
  if (post.rootId === '') return ignore('a root post edited into a command');
  return { kind: 'deliver', to, event: { ...fromPost(post, at), type: 'POST.DELETED' } };
}

/**
 * A deleted post: a waiting prompt is dropped; the loss of a thread's root is the session's business, whoever wrote it.
 * @param at when it was seen: the chat server may tell no time of deletion.
 */
export function routeDelete(post: IncomingPost, known: Known, at: number): Route {
  const isRoot = post.rootId === '' && known.session !== undefined;
  if (!isRoot) {
    const unfit = notAPerson(post, known);
    if (unfit !== null) return ignore(unfit);
  }
  const to = sessionFor(post, known);
  if (to === null) return ignore('deleted outside a session');
  return { kind: 'deliver', to, event: { ...fromPost(post, at), type: 'POST.DELETED' } };
}

function notAPerson(post: IncomingPost, known: Known): string | null {
  if (post.userId === known.botUserId) return 'own post';
  if (post.fromBot) return 'post of a bot';
  if (post.type !== '') return 'system post';
  return null;
}

function sessionFor(post: IncomingPost, known: Known): Address | null {
  if (known.session !== undefined) return known.session;
  const [only, ...more] = known.liveSessionsInChannel;
  return post.rootId === '' && known.isProjectChannel && only !== undefined && more.length === 0 ? only : null;
}

function routeText(post: IncomingPost, known: Known): Route {
  if (post.text.trim() === '' && post.fileIds.length === 0) return ignore('empty post');
  const to = sessionFor(post, known);
  const permission = known.allowed(personOf(post), null);
  if (!permission.ok) {
    // Outside the threads of sessions people talk to each other, too.
    const isTold = known.session !== undefined || isSpokenTo(post, known);
    return isTold ? reply(permission.human) : ignore('text of a person who may not use the bot');
  }
  if (to === null) return routeUnheard(post, known);
  return {
    kind: 'deliver',
    to,
    event: {
      ...fromPost(post, post.at),
      type: 'PROMPT',
      text: promptText(post.text, known.trigger),
      fileIds: [...post.fileIds],
      addressed: isMentioned(post.text, known.trigger),
    },
  };
}

/**
 * Text that no session gets. Where people may take it for a place to talk to Claude they are told, once: they also talk to each
 * other there. Who speaks to the bot itself is always told.
 */
function routeUnheard(post: IncomingPost, known: Known): Route {
  const { trigger, elsewhere, liveSessionsInChannel: live } = known;
  const isAsked = isSpokenTo(post, known);
  const tell = (message: string, place: string): Route =>
    isAsked || isMentioned(post.text, trigger)
      ? reply(message)
      : { kind: 'reply', message, once: `told/${place}/${post.userId}` };
  if (elsewhere !== undefined) {
    return tell(elsewhereText(elsewhere, trigger), `${post.rootId}/${elsewhere.link === '' ? 'coming' : 'there'}`);
  }
  if (post.rootId === '' && known.isProjectChannel) {
    const message = live.length === 0 ? nobodyListensText(trigger) : severalSessionsText(live.length);
    return tell(message, `${post.channelId}/${live.length === 0 ? 'none' : 'several'}/${dayOf(post.at)}`);
  }
  if (isAsked) return reply(noSessionText(trigger, post.rootId !== ''));
  return ignore(post.rootId === '' ? 'text outside a project channel' : 'text in a thread without a session');
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

/** `@claude, do this` speaks to the bot: its name is no part of what is said. */
function promptText(text: string, trigger: string): string {
  return saidTo(text, trigger) ?? text;
}

function isSpokenTo({ text, isDirect = false }: IncomingPost, { trigger }: Known): boolean {
  return isDirect || saidTo(text, trigger) !== undefined;
}

function saidTo(text: string, trigger: string): string | undefined {
  const start = text.trimStart();
  if (start.slice(0, trigger.length).toLowerCase() !== trigger.toLowerCase()) return undefined;
  return /^[,:]\s*(\S.*)$/su.exec(start.slice(trigger.length))?.[1];
}

function routeCommand(post: IncomingPost, known: Known, spec: CommandSpec, read: CommandRoute): Route {
  if (read.to === 'session') {
    const routed = toSession(post, known, read.command);
    return routed.kind === 'deliver' && !mayGive(spec, post, known) ? reply(notYoursText(spec)) : routed;
  }
  const repo = read.command.type === 'COMMAND.START' ? read.command.repo.repo : null;
  const permission = known.allowed(personOf(post), repo);
  if (!permission.ok) return reply(permission.human);
  if (read.command.type === 'COMMAND.START' && post.rootId !== '' && known.session !== undefined) {
    return reply(startInSessionText(known.trigger));
  }
  // Below a post that is no session's, what applies at top level is of more help.
  const place = read.command.type === 'COMMAND.HELP' && known.session === undefined ? ({ place: 'top' } as const) : {};
  return { kind: 'deliver', to: GATEWAY, event: { ...fromPost(post, post.at), ...read.command, ...place } };
}

/** Some commands are not everybody's. */
function mayGive(spec: CommandSpec, post: IncomingPost, known: Known): boolean {
  if (spec.who === 'everyone' || known.isApprover(personOf(post))) return true;
  return spec.who === 'starter' && known.starterId === post.userId;
}

function toSession(post: IncomingPost, known: Known, command: BareSessionCommand): Route {
  const permission = known.allowed(personOf(post), null);
  if (!permission.ok) return reply(permission.human);
  if (post.rootId === '') return reply(misplacedText(afterTrigger(post.text, known.trigger) ?? '', known.trigger));
  if (known.session === undefined) {
    return known.elsewhere === undefined
      ? reply(noSessionText(known.trigger, true))
      : toElsewhere(post, known, command, known.elsewhere);
  }
  const files = command.type === 'COMMAND.STEER' ? { fileIds: [...post.fileIds] } : {};
  return { kind: 'deliver', to: known.session, event: { ...fromPost(post, post.at), ...command, ...files } };
}

/**
 * A command below the post that asked for a session, whose own thread is another one. What ends it is done from here; what only
 * its thread can show is for that thread. One that never got a thread can be tried again where it was asked for.
 */
function toElsewhere(post: IncomingPost, known: Known, command: BareSessionCommand, elsewhere: Elsewhere): Route {
  const { session, link, isLive } = elsewhere;
  if (command.type === 'COMMAND.STOP') {
    const { container, all } = command;
    const stop = { type: 'COMMAND.STOP_PREFIX', prefix: keyOf(session), container, all } as const;
    return { kind: 'deliver', to: GATEWAY, event: { ...fromPost(post, post.at), ...stop } };
  }
  const isAgain = command.type === 'COMMAND.RETRY' || command.type === 'COMMAND.RESUME';
  if (isAgain && link === '' && !isLive) {
    return { kind: 'deliver', to: session, event: { ...fromPost(post, post.at), ...command } };
  }
  return reply(elsewhereCommandText(afterTrigger(post.text, known.trigger) ?? '', elsewhere, known.trigger));
}

function routeBadCommand(
  post: IncomingPost,
  known: Known,
  read: Extract<ReadPost, { kind: 'unknown' | 'misplaced' | 'refused' }>,
): Route {
  const permission = known.allowed(personOf(post), null);
  if (!permission.ok) return reply(permission.human);
  if (read.kind === 'unknown')
    return reply(unknownCommandText(read.word, read.nearest, known.session !== undefined, known.trigger));
  if (read.kind === 'misplaced') return reply(misplacedText(read.spec.name, known.trigger));
  if (read.spec.where === 'thread' && known.session === undefined) {
    const { elsewhere, trigger } = known;
    return reply(
      elsewhere === undefined ? noSessionText(trigger, true) : elsewhereCommandText(read.spec.name, elsewhere, trigger),
    );
  }
  const event: ChatEvent = { ...fromPost(post, post.at), type: 'COMMAND.REFUSED', message: read.error.human };
  return { kind: 'deliver', to: GATEWAY, event };
}

function personOf(post: IncomingPost): Person {
  return { id: post.userId, name: post.userName };
}

function fromPost(post: IncomingPost, at: number) {
  const { id, channelId, rootId, userId, userName } = post;
  return { at, postId: id, channelId, rootId, userId, userName };
}

function ignore(reason: string): Route {
  return { kind: 'ignore', reason };
}

function reply(message: string): Route {
  return { kind: 'reply', message };
}
