/**
 * From the chat into the inboxes. Every event is delivered under a key made of what it is about, together with how far its
 * channel has been read, so that reading a stretch again (after a gap, a restart, a replay) changes nothing.
 */
import {
  type AuditEntry,
  type CursorMove,
  type InboxItem,
  type Log,
  RetryableError,
  type Runtime,
  type StorePorts,
} from '../actors/index.ts';
import type { ChatEvent, ChatPost, MattermostRest } from '../adapters/mattermost/index.ts';
import type { IncomingPost } from '../chat/routing.ts';
import { route, routeDelete, routeEdit } from '../chat/routing.ts';
import { type Address, GATEWAY } from '../machines/addresses.ts';
import type { ChartEvent } from '../machines/events.ts';
import { assertNever } from '../machines/json.ts';
import type { Person } from '../machines/session/context.ts';
import type { Answered, Answers, Said } from './answers.ts';
import { commandRecord } from './commandRecord.ts';
import type { RefusedDecision } from './decisions.ts';
import { type LookUpPorts, lookUp } from './lookUp.ts';
import { createLoopBreaker } from './loopBreaker.ts';
import type { ReadGate } from './readGate.ts';
import { createSigns } from './signs.ts';

const OUT_OF_SERVICE =
  'This session was set aside or ended, as said above, so your message was not passed on. `@claude start` begins a new one.';

const BUSY = 'Too much is waiting here already, so this message was not taken. Please send it again in a while.';

export interface IngressPorts extends LookUpPorts {
  readonly runtime: Pick<Runtime, 'deliver' | 'read'>;
  readonly store: StorePorts;
  readonly rest: MattermostRest;
  readonly gate: ReadGate;
  readonly answers: Answers;
  /** How often somebody and the bot may answer each other in one thread within a minute; 0: any number. */
  readonly loopLimit: number;
  readonly log: Log;
  readonly now: () => number;
  /** Keeps what people ordered, before it takes effect. */
  readonly record: (entry: AuditEntry) => Promise<void>;
  /** Remembers an answer that was refused. */
  readonly onRefused: (refusal: RefusedDecision) => Promise<void>;
  readonly onAccepted?: (postId: string) => void;
  readonly onBoardDeleted?: (channelId: string) => void;
}

export interface Ingress {
  /**
   * Takes an event of the stream, in the order of the calls for each channel, once the channel is read up. Resolves when it
   * is committed. Rejects if it could not be: then nothing more is taken until the channels are read up again.
   */
  take(event: ChatEvent): Promise<void>;
  /** Takes an event that was read over REST. The cursor stays: only a whole stretch that was read moves it. */
  takeRead(event: ChatEvent): Promise<void>;
}

interface Named {
  readonly name: string;
  readonly isBot: boolean;
}

/** A post, and how far its channel is read once it is taken. */
interface Seen {
  readonly post: ChatPost;
  readonly cursors: readonly CursorMove[];
}

export function createIngress(ports: IngressPorts): Ingress {
  const people = new Map<string, Named>();
  const loopBreaker = createLoopBreaker(ports.loopLimit);
  const last = new Map<string, Promise<void>>();

  /**
   * Of each channel one at a time: its cursor must not run ahead of a post that is still on its way. Channels do not wait for
   * each other: what is said in one may have to wait for a card, or for the chat server.
   */
  const inOrder = (channelId: string, work: () => Promise<void>): Promise<void> => {
    const done = (last.get(channelId) ?? Promise.resolve()).then(work);
    const settled = done
      .catch(() => undefined)
      .then(() => {
        if (last.get(channelId) === settled) last.delete(channelId);
      });
    last.set(channelId, settled);
    return done;
  };

  const personOf = async (userId: string): Promise<Named> => {
    const known = people.get(userId);
    if (known !== undefined) return known;
    const [user] = await ports.rest.usersByIds([userId]);
    const person = { name: user?.username ?? userId, isBot: user?.isBot ?? false };
    people.set(userId, person);
    return person;
  };
  const nameOf = async (userId: string): Promise<string> => (await personOf(userId)).name;
  const signs = createSigns({ ...ports, nameOf });

  /** @returns whether there was no room for it */
  const deliver = async (
    { post, cursors }: Seen,
    to: Address,
    event: ChartEvent,
    dedupKey: string,
  ): Promise<boolean> => {
    const item: InboxItem = { to, event, dedupKey, cause: `chat/${post.userId}` };
    const [result] = await ports.runtime.deliver([item], { cursors });
    if (result === 'accepted') ports.onAccepted?.(post.id);
    if (result !== 'busy') return false;
    // Nobody is left to say so. The cursor has not moved, so the post is read again later.
    if (to === GATEWAY) throw new RetryableError('ingress.full', 'The inbox of the root is full.');
    await sayBusy({ post, cursors }, dedupKey);
    return true;
  };

  /**
   * The inbox of the actor is full. The person is told; the post is not silently dropped. Under the same key: read once more,
   * it must not be taken after all.
   */
  const sayBusy = async (seen: Seen, dedupKey: string): Promise<void> => {
    const { post } = seen;
    await deliver(seen, GATEWAY, refusal(post, await nameOf(post.userId), BUSY, ports.now()), dedupKey);
  };

  /** @param key what is said once under it is not said again, whichever post would have it said */
  const sayRefusal = async (
    seen: Seen,
    userName: string,
    message: string,
    key = `post/${seen.post.id}`,
  ): Promise<void> => {
    const { post } = seen;
    await deliver(seen, GATEWAY, refusal(post, userName, message, post.createAt), key);
  };

  /** It was set aside or ended for good: what is sent to it would wait unseen. */
  const isOutOfService = async (address: Address): Promise<boolean> => {
    if (address === GATEWAY) return false;
    const view = await ports.runtime.read(address);
    return view !== undefined && view.status !== 'active';
  };

  const ignore = async ({ post, cursors }: Seen, reason: string): Promise<void> => {
    ports.log.debug({ post: post.id, reason }, 'post ignored');
    if (cursors.length > 0) await ports.runtime.deliver([], { cursors });
  };

  /** What was answered by a reaction before is taken before: these words may come too late. */
  const answerInWords = async (said: Said): Promise<Answered | undefined> => {
    const answered = await ports.answers.inWords(said);
    if (!answered || !(await signs.before(said.session, said.prompt.channelId))) return answered;
    return ports.answers.inWords(said);
  };

  /** @param isDirect in a channel of one person and the bot */
  const takePost = async (seen: Seen, isDirect: boolean): Promise<void> => {
    const { post } = seen;
    if (post.userId === ports.botUserId) loopBreaker.spoke(post);
    // Most of what is read up: nothing needs to be looked up for it.
    if (post.userId === ports.botUserId || post.type !== '') return ignore(seen, 'own post or system post');
    const known = await lookUp(ports, post);
    const { name, isBot } = await personOf(post.userId);
    const incoming = { ...incomingPost(post, name), fromBot: post.automated || isBot, isDirect };
    const routed = loopBreaker.pass(incoming, route(incoming, known));
    const keep = async (why?: string): Promise<void> => {
      const entry = commandRecord(incoming, ports.rules.trigger, routed, why);
      if (entry) await ports.record(entry);
    };
    switch (routed.kind) {
      case 'deliver':
        if (routed.event.type === 'PROMPT') {
          const by = { id: post.userId, name: incoming.userName };
          const answered = await answerInWords({ session: routed.to, by, prompt: routed.event });
          if (answered) return takeAnswer(seen, answered, by);
        }
        if (await isOutOfService(routed.to)) {
          await keep(OUT_OF_SERVICE);
          return sayRefusal(seen, incoming.userName, OUT_OF_SERVICE);
        }
        await keep();
        if (await deliver(seen, routed.to, routed.event, `post/${post.id}`)) await keep(BUSY);
        return;
      case 'reply':
        await keep();
        return sayRefusal(seen, incoming.userName, routed.message, routed.once);
      case 'ignore':
        return ignore(seen, routed.reason);
      default:
        return assertNever(routed);
    }
  };

  const takeEdit = async (seen: Seen): Promise<void> => {
    const { post } = seen;
    if (post.userId === ports.botUserId || post.editAt === 0) return;
    const known = await lookUp(ports, post, true);
    const routed = routeEdit(incomingPost(post, await nameOf(post.userId)), known);
    if (routed.kind === 'deliver') await deliver(seen, routed.to, routed.event, `edit/${post.id}/${post.editAt}`);
  };

  /**
   * What was deleted in a gap is read up as a deletion only, while the stream may still tell of the post itself: the deletion
   * takes its place, so that it is not taken any more. Only one that was taken before needs to be told of.
   */
  const deliverDeletion = async (seen: Seen, to: Address, event: ChartEvent): Promise<void> => {
    const { post, cursors } = seen;
    const cause = `chat/${post.userId}`;
    const [result] = await ports.runtime.deliver([{ to, event, dedupKey: `post/${post.id}`, cause }], { cursors });
    if (result !== 'accepted') await deliver(seen, to, event, `deleted/${post.id}`);
  };

  const takeDeletion = async (seen: Seen, isLive: boolean): Promise<void> => {
    const { post } = seen;
    const thread = await ports.store.findThread(post.rootId === '' ? post.id : post.rootId);
    const at = ports.now();
    if (post.userId === ports.botUserId) {
      const own = await ports.store.findPost(post.id);
      if (own?.key.startsWith('card/')) {
        await deliver(seen, own.session, { type: 'CARD.DELETED', at }, `deleted/${post.id}`);
      }
      if (own?.key.startsWith('board/')) ports.onBoardDeleted?.(post.channelId);
    }
    if (!thread) {
      const isWord = post.userId !== ports.botUserId && post.type === '' && !post.automated;
      if (isWord && !isLive) await deliverDeletion(seen, GATEWAY, { type: 'POST.DELETED', at, ...whereFrom(post, '') });
      return;
    }
    if (post.id === thread.rootId) {
      const event = { type: 'COMMAND.STOP', at, container: false, all: false, ...whereFrom(post, '') };
      await ports.record(rootDeleted(post, thread.session, at));
      await deliver(seen, thread.session, event, `deleted/${post.id}`);
      return;
    }
    const routed = routeDelete(incomingPost(post, ''), await lookUp(ports, post, true), at);
    if (routed.kind === 'deliver') await deliverDeletion(seen, routed.to, routed.event);
  };

  const takeAnswer = async (seen: Seen, answered: Answered, by: Person): Promise<void> => {
    const { id: postId } = seen.post;
    if (answered.kind === 'decide') {
      await deliver(seen, answered.to, answered.event, `post/${postId}`);
      return;
    }
    const { approval, human: why } = answered;
    await ports.onRefused({ by, approval, action: 'words', postId, why, key: `post/${postId}` });
    return sayRefusal(seen, by.name, why);
  };

  const takeNow = (event: PostEvent, isLive: boolean): Promise<void> =>
    inOrder(event.post.channelId, async () => {
      const { post } = event;
      const seen = { post, cursors: isLive ? [{ channelId: post.channelId, readUpTo: post.createAt }] : [] };
      switch (event.type) {
        case 'posted':
          return takePost(seen, event.channelType === 'D');
        case 'edited':
          return takeEdit(seen);
        case 'deleted':
          return takeDeletion(seen, isLive);
        default:
          return assertNever(event);
      }
    });

  /** A reaction moves no cursor. */
  const takeAny = async (event: ChatEvent, isLive: boolean): Promise<void> => {
    if (event.type === 'reactionAdded') return signs.take(event);
    if ('post' in event) return takeNow(event, isLive);
  };

  const streams = new Map<string, Promise<void>>();

  return {
    take(event) {
      if (!('post' in event) && event.type !== 'reactionAdded') return Promise.resolve();
      const { channelId } = 'post' in event ? event.post : event;
      const before = streams.get(channelId) ?? Promise.resolve();
      const done = before.then(() => ports.gate.passage(channelId)).then(() => takeAny(event, true));
      // The next one must not move the cursor past one that failed. A reaction to a card that is still to come is not waited for
      // as long as it waits: most of what others say in the channel has nothing to do with it.
      const taken = done.catch(() => ports.gate.close());
      const settled = (event.type === 'reactionAdded' ? Promise.race([taken, moment()]) : taken).then(() => {
        if (streams.get(channelId) === settled) streams.delete(channelId);
      });
      streams.set(channelId, settled);
      return done;
    },
    takeRead: (event) => takeAny(event, false),
  };
}

/** Whoever deleted it, the server does not say. */
function rootDeleted({ id: postId, channelId }: ChatPost, subject: Address, at: number): AuditEntry {
  const detail = { command: 'stop', channelId, postId, outcome: 'passed on', why: 'the root post was deleted' };
  return { key: `command/deleted/${postId}`, at, action: 'command.given', who: '', subject, detail };
}

type PostEvent = Extract<ChatEvent, { post: ChatPost }>;

/** So long what comes after a reaction waits for it at most: usually it is taken before. */
const SIGN_MS = 250;

function moment(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SIGN_MS));
}

function incomingPost(post: ChatPost, userName: string): IncomingPost {
  return {
    id: post.id,
    channelId: post.channelId,
    channelName: '',
    rootId: post.rootId,
    userId: post.userId,
    userName,
    text: post.message,
    type: post.type,
    fromBot: post.automated,
    at: post.createAt,
    editedAt: post.editAt,
    fileIds: post.fileIds,
  };
}

function whereFrom(post: ChatPost, userName: string) {
  const { id: postId, channelId, rootId, userId } = post;
  return { postId, channelId, rootId, userId, userName };
}

function refusal(post: ChatPost, userName: string, message: string, at: number): ChartEvent {
  return { type: 'COMMAND.REFUSED', at, ...whereFrom(post, userName), message };
}
