import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { newId } from '../ids.ts';
import { SERVER_VERSION } from '../world.ts';
import type { HubEvent } from './event.ts';
import { createQueues, enqueue, type Queues, resumeAt, takeNumber } from './queues.ts';

/** The server's side of one WebSocket, and what is left of it while its client is away. */
export interface Connection {
  /** Changes when a resume ends in a gap. */
  id: string;
  readonly userId: string;
  readonly token: string;
  readonly queues: Queues;
  /** Undefined once the socket has closed: the connection is away. */
  socket: WebSocket | undefined;
  readonly tcp: Socket;
  /** Written to, but nothing gets through: the far end is gone and nobody has noticed. */
  blackHoled: boolean;
  lastActivityAt: number;
}

export interface ConnectionSetup {
  socket: WebSocket;
  tcp: Socket;
  userId: string;
  token: string;
  now: number;
  /** Born into a black hole: the client gets its upgrade and then nothing. */
  blackHoled: boolean;
}

/** A connection with a fresh id; `hello` is its first event. */
export function openConnection(setup: ConnectionSetup): Connection {
  const connection = build(setup, newId(), createQueues());
  deliver(connection, hello(connection));
  return connection;
}

/**
 * A connection that goes on where `old` stopped. In the good case the client gets what it missed, in the same
 * numbering and without hello; after a gap it gets hello with a new id, and then what was waiting.
 */
export function resumeConnection(setup: ConnectionSetup, old: Connection, sequence: number): Connection {
  const connection = build(setup, old.id, old.queues);
  const replay = resumeAt(old.queues, sequence);
  if (replay.lost) {
    connection.id = newId();
    transmit(connection, takeNumber(connection.queues, hello(connection), connection.userId));
  } else {
    for (const frame of replay.frames) transmit(connection, frame);
  }
  const waiting = connection.queues.waiting.splice(0);
  for (const event of waiting) deliver(connection, event);
  return connection;
}

function build(setup: ConnectionSetup, id: string, queues: Queues): Connection {
  return {
    id,
    userId: setup.userId,
    token: setup.token,
    queues,
    socket: setup.socket,
    tcp: setup.tcp,
    blackHoled: setup.blackHoled,
    lastActivityAt: setup.now,
  };
}

/** Sends an event, or keeps it for later while the client is away. False: given up, the queue ran over. */
export function deliver(connection: Connection, event: HubEvent): boolean {
  if (connection.socket === undefined) return enqueue(connection.queues, event);
  transmit(connection, takeNumber(connection.queues, event, connection.userId));
  return true;
}

/** Writes a text frame. Into a black hole it vanishes, as into the send buffer of a dead TCP connection. */
export function transmit(connection: Connection, frame: string): void {
  if (connection.blackHoled || connection.socket === undefined) return;
  if (connection.socket.readyState === connection.socket.OPEN) connection.socket.send(frame);
}

function hello(connection: Connection): HubEvent {
  return {
    event: 'hello',
    data: { connection_id: connection.id, server_version: SERVER_VERSION, server_hostname: 'simulator' },
    audience: { userId: connection.userId },
  };
}
