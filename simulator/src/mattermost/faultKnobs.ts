import type { Socket } from 'node:net';
import { type FaultAnswer, type FaultMatch, type FaultState, type LostAnswer, seededRandom } from './faults.ts';
import { blackHole } from './websocket/server.ts';
import type { World } from './world.ts';

/** What a test can make go wrong. */
export interface Faults {
  /**
   * Every open WebSocket falls silent without a FIN: nothing is read, nothing arrives, nothing closes. Events go on
   * being numbered as sent, as into the buffers of a half-open TCP connection. Returns how many were hit.
   * @param alsoNew sockets opened later get their upgrade and then nothing, too, until `heal`.
   */
  blackHoleWebSockets(options?: { alsoNew?: boolean }): number;
  /** The server notices at last: black holes are closed, and new sockets work again. */
  heal(): void;
  /** Cuts the TCP connection of every WebSocket now, without a close frame. Returns how many. */
  cutWebSockets(): number;
  /** Cuts every TCP connection now, requests in flight included. Returns how many. */
  cutAllTcp(): number;
  /** Every answer of the API comes that many milliseconds late; 0 ends it. */
  delayResponses(ms: number): void;
  /** The next `count` fitting requests are answered like this and not carried out. */
  failNext(count: number, match: FaultMatch, answer: FaultAnswer): void;
  /** The next `count` fitting requests are carried out, but their answer never comes: hangs, or the connection is cut. */
  loseAnswers(count: number, match: FaultMatch, how?: LostAnswer): void;
  /** About that fraction (0..1) of fitting requests fails, the same ones for the same seed and order of requests. */
  failRandomly(fraction: number, seed: number, answer: FaultAnswer, match?: FaultMatch): void;
  /** A restart of the server process: all connections cut, connection ids and pending_post_ids forgotten. Data stays. */
  restart(): void;
  /** Sends the user that many `status_change` events, which take numbers and mean nothing. */
  sendNoise(userId: string, count: number): void;
  /**
   * A server that has lost track of what it sent: the last `count` events come once more, to everybody they were for, with
   * new numbers as if they had just happened; with a kind, the last of that kind, e.g. `posted`. Returns how many.
   */
  repeatEvents(count: number, kind?: string): number;
  /** The token stops working: 401 from now on, and its WebSockets are cut. */
  revokeToken(token: string): void;
  /** Ends every fault that is still planned. */
  clear(): void;
}

/** Answers for `failNext` and `failRandomly`. */
export const BAD_GATEWAY: FaultAnswer = {
  status: 502,
  contentType: 'text/html',
  body: '<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>\r\n',
};

export const INTERNAL_ERROR: FaultAnswer = {
  status: 500,
  body: {
    id: 'app.post.save.app_error',
    message: 'Unable to save the Post.',
    detailed_error: '',
    request_id: 'yyyyyyyyyyyyyyyyyyyyyyyyyy',
    status_code: 500,
  },
};

/** @param seconds from now, as the server counts. */
export function limitExceeded(seconds: number): FaultAnswer {
  return {
    status: 429,
    contentType: 'text/plain; charset=utf-8',
    body: 'limit exceeded\n',
    headers: {
      'X-RateLimit-Limit': '100',
      'X-RateLimit-Remaining': '0',
      'X-RateLimit-Reset': String(seconds),
      'Retry-After': String(seconds),
    },
  };
}

/** @param tcp every TCP connection that is open. */
export function createFaults(world: World, state: FaultState, tcp: ReadonlySet<Socket>): Faults {
  const live = () => world.hub.all().filter((connection) => connection.socket !== undefined);
  const cutAll = () => {
    const open = [...tcp];
    for (const socket of open) socket.destroy();
    return open.length;
  };
  const clear = () => {
    state.delayMs = 0;
    state.failing.length = 0;
    state.losing.length = 0;
    state.random = undefined;
    state.blackHoleNew = false;
  };
  return {
    blackHoleWebSockets: (options = {}) => {
      const open = live();
      for (const connection of open) blackHole(connection);
      state.blackHoleNew = options.alsoNew ?? false;
      return open.length;
    },
    heal: () => {
      state.blackHoleNew = false;
      for (const connection of live()) if (connection.blackHoled) connection.tcp.destroy();
    },
    cutWebSockets: () => {
      const open = live();
      for (const connection of open) connection.tcp.destroy();
      return open.length;
    },
    cutAllTcp: cutAll,
    delayResponses: (ms) => {
      state.delayMs = ms;
    },
    failNext: (left, match, what) => {
      if (left > 0) state.failing.push({ left, match, what });
    },
    loseAnswers: (left, match, what = 'hang') => {
      if (left > 0) state.losing.push({ left, match, what });
    },
    failRandomly: (fraction, seed, answer, match = {}) => {
      state.random = { fraction, next: seededRandom(seed), match, answer };
    },
    restart: () => {
      world.hub.forget();
      world.pending.forget();
      cutAll();
    },
    sendNoise: (userId, count) => {
      for (let i = 0; i < count; i += 1) {
        const status = i % 2 === 0 ? 'away' : 'online';
        world.hub.publish({ event: 'status_change', data: { status, user_id: userId }, audience: { userId } });
      }
    },
    repeatEvents: (count, kind) => world.hub.repeat(count, kind),
    revokeToken: (token) => {
      world.store.tokens.delete(token);
      for (const connection of live()) if (connection.token === token) connection.tcp.destroy();
      world.changed();
    },
    clear,
  };
}
