import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type RawData, WebSocketServer } from 'ws';
import { headerToken } from '../auth.ts';
import { userOffline, userOnline } from '../domain/presence.ts';
import { isFields } from '../fields.ts';
import { isId } from '../ids.ts';
import type { World } from '../world.ts';
import { type Connection, type ConnectionSetup, openConnection, resumeConnection, transmit } from './connection.ts';
import { answerRequest, ok } from './requests.ts';

/** Milliseconds a client has to authenticate; then its socket is cut without a word. */
const AUTH_MS = 5_000;
/** The largest frame a client may send, in bytes; a larger one closes the socket with code 1009. */
const FRAME_BYTES = 8 * 1024;
const PING_MS = 60_000;
const PONG_WAIT_MS = 100_000;

/** Says whether an upgrade may go on, or with which status line it is refused. */
export type UpgradeGate = (request: IncomingMessage) => string | undefined;

/** Serves `/api/v4/websocket`. Wrong or missing tokens do not stop the upgrade: such a socket just dies after 5 s. */
export function serveWebSockets(world: World, http: Server, gate: UpgradeGate): { close(): void } {
  const wss = new WebSocketServer({ noServer: true, maxPayload: FRAME_BYTES });
  const onUpgrade = (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const refusal = gate(request);
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://simulator');
    if (refusal !== undefined || pathname !== '/api/v4/websocket') {
      stream.end(`HTTP/1.1 ${refusal ?? '404 Not Found'}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    wss.handleUpgrade(request, stream, head, (socket) => {
      serveSocket(world, socket, request.socket, request, searchParams);
    });
  };
  http.on('upgrade', onUpgrade);
  return {
    close: () => {
      http.off('upgrade', onUpgrade);
      for (const socket of wss.clients) socket.terminate();
      wss.close();
    },
  };
}

type ClientSocket = ConnectionSetup['socket'];

function serveSocket(
  world: World,
  socket: ClientSocket,
  tcp: Socket,
  request: IncomingMessage,
  query: URLSearchParams,
): void {
  let connection: Connection | undefined;
  const authTimer = setTimeout(() => socket.terminate(), AUTH_MS);
  authTimer.unref();
  const adopt = (next: Connection) => {
    connection = next;
    clearTimeout(authTimer);
    world.hub.register(next);
    if (next.blackHoled) tcp.pause();
    userOnline(world, next.userId);
  };
  // A client that only breaks the protocol (a frame too large, say) is closed by the library; nothing is left to do.
  socket.on('error', () => undefined);
  socket.on('close', () => {
    clearTimeout(authTimer);
    if (connection === undefined) return;
    world.hub.leave(connection);
    userOffline(world, connection.userId);
  });
  socket.on('message', (data, binary) => {
    if (connection?.blackHoled) return;
    const frame = binary ? undefined : parseFrame(data);
    if (frame === undefined) {
      socket.terminate();
      return;
    }
    if (connection === undefined) {
      const answer = challenge(world, { socket, tcp }, frame);
      if (answer === 'refused') socket.terminate();
      else if (answer !== undefined) {
        adopt(answer.connection);
        transmit(answer.connection, ok(answer.seq));
      }
      return;
    }
    connection.lastActivityAt = world.now();
    const reply = answerRequest(world, connection.userId, frame);
    if (reply !== undefined) transmit(connection, reply);
  });
  keepAlive(world, socket, () => connection?.blackHoled ?? false);

  const token = headerToken(request.headers);
  const access = token === undefined ? undefined : world.store.tokens.get(token);
  if (access === undefined) return;
  const opened = connect(
    world,
    {
      socket,
      tcp,
      userId: access.user_id,
      token: access.token,
      now: world.now(),
      blackHoled: world.faults.blackHoleNew,
    },
    query,
  );
  if (opened === undefined) socket.terminate();
  else adopt(opened);
}

/** Resumes or opens; undefined when the query is malformed. */
function connect(world: World, setup: ConnectionSetup, query: URLSearchParams): Connection | undefined {
  const connectionId = query.get('connection_id') ?? '';
  if (connectionId === '') return openConnection(setup);
  if (!isId(connectionId)) return undefined;
  const old = world.hub.findAway(setup.userId, connectionId);
  if (old === undefined) return openConnection(setup);
  const sequence = query.get('sequence_number') ?? '';
  if (!/^\d+$/.test(sequence)) return undefined;
  world.hub.remove(old);
  return resumeConnection(setup, old, Number(sequence));
}

/** With a challenge the query is ignored: there is always a new connection, so always a gap. */
function challenge(
  world: World,
  sockets: { socket: ClientSocket; tcp: Socket },
  frame: Record<string, unknown>,
): { connection: Connection; seq: number } | 'refused' | undefined {
  if (frame.action !== 'authentication_challenge') return undefined;
  const token = isFields(frame.data) && typeof frame.data.token === 'string' ? frame.data.token : '';
  const access = world.store.tokens.get(token);
  if (access === undefined) return 'refused';
  const connection = openConnection({
    ...sockets,
    userId: access.user_id,
    token,
    now: world.now(),
    blackHoled: world.faults.blackHoleNew,
  });
  return { connection, seq: typeof frame.seq === 'number' ? frame.seq : 0 };
}

function parseFrame(data: RawData): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(data.toString());
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Pings each minute; a client that has not answered for 100 s is cut, like one behind a dead TCP connection. */
function keepAlive(world: World, socket: ClientSocket, isMute: () => boolean): void {
  let heardAt = world.now();
  socket.on('pong', () => {
    heardAt = world.now();
  });
  const timer = setInterval(() => {
    if (world.now() - heardAt > PONG_WAIT_MS) socket.terminate();
    else if (!isMute() && socket.readyState === socket.OPEN) socket.ping();
  }, PING_MS);
  timer.unref();
  socket.on('close', () => clearInterval(timer));
}

/** From now on nothing is read from and nothing written to that connection, and it stays open. */
export function blackHole(connection: Connection): void {
  connection.blackHoled = true;
  connection.tcp.pause();
}
