/**
 * Two bots that answer each other's refusals do not end by themselves. Bots that say they are some are never answered; this
 * is for accounts that do not. Nobody makes so many mistakes in a minute.
 */
import type { IncomingPost, Route } from '../chat/routing.ts';

/** So many refusals to one person in one thread; the last one says that it is the last. */
const MOST = 30;
/** A refusal counts for so long, by the times of the chat server. */
const WINDOW_MS = 60_000;
/** Places that are remembered at the same time. */
const PLACES = 1_000;
const LAST = 'That was the last of several in a row: I do not answer here for a minute.';

export interface LoopBreaker {
  /** The same route, unless it refuses something once too often: then nothing is said. */
  pass(post: IncomingPost, route: Route): Route;
}

export function createLoopBreaker(): LoopBreaker {
  const told = new Map<string, readonly number[]>();
  return {
    pass(post, route) {
      const message = refusalIn(route);
      if (message === undefined) return route;
      const place = `${post.channelId}/${post.rootId}/${post.userId}`;
      const before = (told.get(place) ?? []).filter((at) => at > post.at - WINDOW_MS);
      // Whoever goes on keeps it closed.
      const now = [...before, post.at].slice(-MOST - 1);
      told.delete(place);
      told.set(place, now);
      for (const oldest of told.keys()) {
        if (told.size <= PLACES) break;
        told.delete(oldest);
      }
      if (before.length >= MOST) return { kind: 'ignore', reason: 'refused too often in a row' };
      return before.length === MOST - 1 ? withMessage(route, `${message}\n\n${LAST}`) : route;
    },
  };
}

function refusalIn(route: Route): string | undefined {
  if (route.kind === 'reply') return route.message;
  return route.kind === 'deliver' && route.event.type === 'COMMAND.REFUSED' ? route.event.message : undefined;
}

function withMessage(route: Route, message: string): Route {
  if (route.kind === 'reply') return { ...route, message };
  if (route.kind === 'deliver' && route.event.type === 'COMMAND.REFUSED') {
    return { ...route, event: { ...route.event, message } };
  }
  return route;
}
