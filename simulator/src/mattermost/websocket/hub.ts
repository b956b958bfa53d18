import { isChannelMember, isTeamMember, type Store } from '../store.ts';
import { type Connection, deliver } from './connection.ts';
import type { Audience, HubEvent } from './event.ts';

/** A connection that has been away for this long (ms) is forgotten, at the next of the rounds made this often. */
const AWAY_MOST_MS = 5 * 60_000;
const ROUND_MS = 5 * 60_000;
/** Events that are remembered to be sent again on demand. */
const REMEMBERED = 1_000;

/** Knows all connections, those that are away included, and brings events to whom they are for. */
export interface Hub {
  publish(event: HubEvent): void;
  /** Publishes the last `count` events once more, or those of a kind, in their order. @returns how many there were. */
  repeat(count: number, kind?: string): number;
  register(connection: Connection): void;
  /** The socket is gone; the connection waits to be resumed. */
  leave(connection: Connection): void;
  /** The connection that is away under that id. One whose socket is still open is not found: it cannot be resumed. */
  findAway(userId: string, connectionId: string): Connection | undefined;
  remove(connection: Connection): void;
  all(): Connection[];
  /** Forgets every connection without a word: what a restart does. */
  forget(): void;
  close(): void;
}

export function createHub(store: Store, now: () => number): Hub {
  const connections = new Set<Connection>();
  const past: HubEvent[] = [];
  const publish = (event: HubEvent): void => {
    for (const connection of connections) {
      if (isFor(store, event.audience, connection.userId) && !deliver(connection, event))
        connections.delete(connection);
    }
  };
  const reaper = setInterval(() => {
    for (const connection of connections) {
      if (connection.socket === undefined && now() - connection.lastActivityAt > AWAY_MOST_MS)
        connections.delete(connection);
    }
  }, ROUND_MS);
  reaper.unref();
  return {
    publish: (event) => {
      past.push(event);
      if (past.length > REMEMBERED) past.shift();
      publish(event);
    },
    repeat: (count, kind) => {
      const again = past.filter(({ event }) => kind === undefined || event === kind).slice(-count);
      for (const event of again) publish(event);
      return again.length;
    },
    register: (connection) => {
      connections.add(connection);
    },
    leave: (connection) => {
      connection.socket = undefined;
      connection.lastActivityAt = now();
    },
    findAway: (userId, connectionId) =>
      [...connections].find(
        (connection) =>
          connection.id === connectionId && connection.userId === userId && connection.socket === undefined,
      ),
    remove: (connection) => {
      connections.delete(connection);
    },
    all: () => [...connections],
    forget: () => connections.clear(),
    close: () => clearInterval(reaper),
  };
}

function isFor(store: Store, audience: Audience, userId: string): boolean {
  if (audience.omitUserId === userId) return false;
  if (audience.userId !== undefined && audience.userId !== '') return audience.userId === userId;
  if (audience.channelId !== undefined && audience.channelId !== '')
    return isChannelMember(store, audience.channelId, userId);
  if (audience.teamId !== undefined && audience.teamId !== '') return isTeamMember(store, audience.teamId, userId);
  return true;
}
