/**
 * Two programs that answer each other do not end by themselves. Accounts that say they are bots are never answered; this is for
 * those that do not. What counts is how often somebody and the bot have answered each other in one thread within a minute: no
 * person reads and writes so fast. Programs that take their time are not told from people by this; caps on spending end them.
 */
import type { IncomingPost, Route } from '../chat/routing.ts';

/** An exchange counts for so long, by the times of the chat server. */
const WINDOW_MS = 60_000;
/** Places that are remembered at the same time. */
const PLACES = 1_000;

export interface LoopBreaker {
  /** The bot has posted in this thread. */
  spoke(post: { readonly channelId: string; readonly rootId: string; readonly createAt: number }): void;
  /** The same route, unless it would answer once too often: the last one says so, then nothing is said for a minute. */
  pass(post: IncomingPost, route: Route): Route;
}

interface Talk {
  /** The posts that were exchanges, oldest first. Posts may be read more than once. */
  readonly posts: readonly Pick<IncomingPost, 'id' | 'at'>[];
  /** When the bot had spoken in the thread, at the last of them. */
  readonly spokenAt: number;
  /** There were too many: nothing more is answered. */
  readonly closed: boolean;
}

const NOBODY: Talk = { posts: [], spokenAt: -1, closed: false };

/** @param limit exchanges within a minute; 0: any number */
export function createLoopBreaker(limit: number): LoopBreaker {
  const talks = new Map<string, Talk>();
  const spokenAt = new Map<string, number>();
  return {
    spoke({ channelId, rootId, createAt }) {
      const thread = `${channelId}/${rootId}`;
      remember(spokenAt, thread, Math.max(spokenAt.get(thread) ?? 0, createAt));
    },
    pass(post, route) {
      if (limit === 0 || route.kind === 'ignore' || isSaidOnce(route) || endsSomething(route)) return route;
      const thread = `${post.channelId}/${post.rootId}`;
      const place = `${thread}/${post.userId}`;
      const talk = talks.get(place) ?? NOBODY;
      if (talk.posts.some(({ id }) => id === post.id)) return route;
      const recent = talk.posts.filter(({ at }) => at > post.at - WINDOW_MS);
      const own = { id: post.id, at: post.at };
      const now = spokenAt.get(thread) ?? 0;
      if (talk.closed && recent.length > 0) {
        // Whoever goes on keeps it closed.
        remember(talks, place, { ...talk, posts: [own] });
        return { kind: 'ignore', reason: 'answered too often in a row' };
      }
      // Several messages in a row, which nobody has answered yet, are no exchange. At top level each command has its answer.
      if (!isRefusal(route) && post.rootId !== '' && now === talk.spokenAt) return route;
      const closed = recent.length + 1 >= limit;
      remember(talks, place, { posts: [...recent, own], spokenAt: now, closed });
      return closed ? { kind: 'reply', message: tooOften(limit) } : route;
    },
  };
}

function tooOften(limit: number): string {
  return `We have answered each other ${limit} times within a minute. In case two programs are talking here, this message was not taken, and I answer nothing of yours in this thread before you have been silent for a minute.`;
}

/** Never in the way of who wants it to be over. */
function endsSomething(route: Route): boolean {
  return (
    route.kind === 'deliver' && ['COMMAND.STOP', 'COMMAND.STOP_PREFIX', 'COMMAND.INTERRUPT'].includes(route.event.type)
  );
}

/** There is no loop in what is not said again. */
function isSaidOnce(route: Route): boolean {
  return route.kind === 'reply' && route.once !== undefined;
}

function isRefusal(route: Route): boolean {
  return route.kind === 'reply' || (route.kind === 'deliver' && route.event.type === 'COMMAND.REFUSED');
}

function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= PLACES) return;
    map.delete(oldest);
  }
}
