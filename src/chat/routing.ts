/**
 * From a person's post to who should hear of it. Pure: what must be looked up comes in as `Known`.
 */
import { type Address, GATEWAY } from '../machines/addresses.ts';
import { assertNever } from '../machines/json.ts';
import type { CommandRoute, CommandSettings, CommandSpec } from './commandSpec.ts';
import { afterTrigger, isMentioned, type ReadPost, readPost } from './commands.ts';
import type { BareSessionCommand, ChatEvent } from './events.ts';
import {
  misplacedText,
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

export type Permission = { readonly ok: true } | { readonly ok: false; readonly human: string };

export interface Known extends CommandSettings {
  readonly botUserId: string;
  /** The session of the post's thread, stopped and failed ones included. */
  readonly session?: Address | undefined;
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
  /** To be posted where the person wrote. */
  | { readonly kind: 'reply'; readonly message: string };

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
  if (to === null) {
    if (post.rootId !== '') return ignore('text in a thread without a session');
    if (!known.isProjectChannel) return ignore('text outside a project channel');
    if (known.liveSessionsInChannel.length === 0) return ignore('text in a project channel without a live session');
  }
  const permission = known.allowed(personOf(post), null);
  if (!permission.ok) {
    // At top level people talk to each other, too.
    return post.rootId === '' ? ignore('text of a person who may not use the bot') : reply(permission.human);
  }
  if (to === null) return reply(severalSessionsText(known.liveSessionsInChannel.length));
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

/** `@claude, do this` speaks to the bot: its name is no part of what is said. */
function promptText(text: string, trigger: string): string {
  const start = text.trimStart();
  if (start.slice(0, trigger.length).toLowerCase() !== trigger.toLowerCase()) return text;
  const said = /^[,:]\s*(\S.*)$/su.exec(start.slice(trigger.length))?.[1];
  return said ?? text;
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
  return { kind: 'deliver', to: GATEWAY, event: { ...fromPost(post, post.at), ...read.command } };
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
  if (known.session === undefined) return reply(noSessionText(known.trigger));
  const files = command.type === 'COMMAND.STEER' ? { fileIds: [...post.fileIds] } : {};
  return { kind: 'deliver', to: known.session, event: { ...fromPost(post, post.at), ...command, ...files } };
}

function routeBadCommand(
  post: IncomingPost,
  known: Known,
  read: Extract<ReadPost, { kind: 'unknown' | 'misplaced' | 'refused' }>,
): Route {
  const permission = known.allowed(personOf(post), null);
  if (!permission.ok) return reply(permission.human);
  if (read.kind === 'unknown')
    return reply(unknownCommandText(read.word, read.nearest, post.rootId !== '', known.trigger));
  if (read.kind === 'misplaced') return reply(misplacedText(read.spec.name, known.trigger));
  if (read.spec.where === 'thread' && known.session === undefined) return reply(noSessionText(known.trigger));
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
