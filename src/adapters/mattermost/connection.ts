import { WebSocket } from 'ws';
import { type Frame, parseFrame } from './events.ts';
import type { Clock } from './time.ts';

/** Largest frame that is read, in bytes; beyond it the connection is ended. */
const MAX_FRAME = 16 * 1024 * 1024;

export interface ConnectionOptions {
  readonly url: string;
  readonly token: string;
  /** Continues an earlier stream. Works with the token in a header only, which is how it is sent. */
  readonly resume: { readonly connection_id: string; readonly sequence_number: string } | undefined;
  readonly clock: Clock;
  readonly pingEveryMs: number;
  readonly pingDeadlineMs: number;
  /** The server answered: the token is good and the connection lives. Called once, before any frame is passed on. */
  readonly onUp: () => void;
  readonly onFrame: (frame: Frame) => void;
  /** Called once, also if the connection never came up. */
  readonly onEnd: (reason: string) => void;
}

export interface Connection {
  /** Ends it without a call of `onEnd`. */
  close(): void;
}

/**
 * One connection. The server accepts any token and answers nothing before it has checked it, and a connection that
 * continues a stream may start with silence; so a ping goes out first, and only an answer counts as up. Every later
 * silence after a ping ends the connection: a dead one gives no other sign.
 */
export function openConnection(options: ConnectionOptions): Connection {
  const { clock } = options;
  const ws = new WebSocket(socketAddress(options), {
    headers: { authorization: `Bearer ${options.token}` },
    perMessageDeflate: false,
    maxPayload: MAX_FRAME,
  });
  let ended = false;
  let up = false;
  let pings = 0;
  let lastError: string | undefined;
  let cancelPing = (): void => {};
  /** Set while an answer is owed; a later ping does not put it off. */
  let cancelDeadline: (() => void) | undefined = clock.after(options.pingDeadlineMs, () =>
    end('no answer to the connection'),
  );

  function close(): void {
    if (ended) return;
    ended = true;
    cancelPing();
    cancelDeadline?.();
    // Not a closing handshake: the other side may be long gone.
    ws.terminate();
  }

  function end(reason: string): void {
    if (ended) return;
    close();
    options.onEnd(reason);
  }

  function ping(): void {
    pings += 1;
    ws.send(JSON.stringify({ seq: pings, action: 'ping' }), ignoreSendError);
    ws.ping(undefined, undefined, ignoreSendError);
    cancelPing = clock.after(options.pingEveryMs, ping);
    cancelDeadline ??= clock.after(options.pingDeadlineMs, () => end('the server fell silent'));
  }

  /** Whatever arrives shows that the connection lives; before it is up, only a frame does. */
  function heard(): void {
    if (!up) return;
    cancelDeadline?.();
    cancelDeadline = undefined;
  }

  function cameUp(): void {
    up = true;
    heard();
    options.onUp();
  }

  ws.on('upgrade', (response) => response.socket.setKeepAlive(true, 15_000));
  ws.on('open', () => {
    if (!ended) ping();
  });
  ws.on('ping', heard);
  ws.on('pong', heard);
  ws.on('message', (data, isBinary) => {
    if (ended) return;
    heard();
    const frame: Frame = isBinary
      ? { kind: 'malformed', seq: undefined, why: 'a binary frame' }
      : parseFrame(data.toString());
    if (!up && (frame.kind === 'hello' || frame.kind === 'event' || frame.kind === 'other' || frame.kind === 'reply')) {
      cameUp();
    }
    options.onFrame(frame);
  });
  // The reason of the `close` that follows; also raised by the termination of a connection that was not open yet.
  ws.on('error', (error) => {
    lastError = error.message;
  });
  ws.on('close', (code) => end(lastError ?? `closed with code ${code}`));

  return { close };
}

/** A failed send shows as a `close` soon after; nothing else is to be done about it. */
function ignoreSendError(): void {}

function socketAddress({ url, resume }: ConnectionOptions): string {
  const base = url.replace(/\/+$/, '').replace(/^http/i, 'ws');
  const query = resume ? `?${new URLSearchParams(resume)}` : '';
  return `${base}/api/v4/websocket${query}`;
}
