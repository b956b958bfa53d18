import { type Connection, openConnection } from './connection.ts';
import { isChatError } from './errors.ts';
import type { ChatEvent, Frame } from './events.ts';
import type { MattermostRest } from './rest.ts';
import { createEventStream, type GapReason } from './stream.ts';
import { type Backoff, type Clock, fullJitter, systemClock } from './time.ts';

export type SocketState =
  | { readonly name: 'connecting'; readonly since: number }
  | { readonly name: 'up'; readonly since: number }
  | { readonly name: 'down'; readonly since: number; readonly reason: string }
  /** The server refuses the token. It is tried again at growing intervals, for it may be given back its rights. */
  | { readonly name: 'unauthorised'; readonly since: number; readonly reason: string }
  | { readonly name: 'stopped'; readonly since: number };

export interface SocketLog {
  debug(detail: object, message: string): void;
  info(detail: object, message: string): void;
  warn(detail: object, message: string): void;
}

export interface SocketStats {
  /** Connections that came up, the first included. */
  readonly connections: number;
  /** Of these, those that began a new stream; the others continued the earlier one without a gap. */
  readonly streams: number;
  readonly events: number;
  readonly ignored: number;
  readonly malformed: number;
  readonly gaps: number;
}

export interface MattermostSocketOptions {
  readonly url: string;
  readonly token: string;
  /** Tells a wrong token from a bad network: the socket itself does not. */
  readonly rest: Pick<MattermostRest, 'me'>;
  /** In the server's order. Must not block; what it throws is logged and reported as a gap. */
  readonly onEvent: (event: ChatEvent) => void;
  /** Read what may be missing over REST. Called before the events that come after the gap. */
  readonly onGap: (reason: GapReason) => void;
  readonly onState: (state: SocketState) => void;
  readonly log: SocketLog;
  readonly clock?: Clock;
  /** A number in [0, 1). */
  readonly random?: () => number;
  /** Own ping, so that a silent connection is noticed and proxies see traffic. */
  readonly pingEveryMs?: number;
  /** How long the server may be silent after a ping, and after the connection opened. */
  readonly pingDeadlineMs?: number;
  readonly backoff?: Backoff;
}

export interface MattermostSocket {
  state(): SocketState;
  stats(): SocketStats;
  /** Ends the connection; nothing is called afterwards. */
  stop(): void;
}

const BACKOFF: Backoff = { minMs: 250, maxMs: 30_000 };
/** A connection that lived this long starts the backoff anew; one that keeps falling over does not. */
const STABLE_MS = 10_000;
/** So many attempts to continue a stream in a row may fail before a new one is asked for. */
const RESUME_ATTEMPTS = 3;

/**
 * Keeps one connection to the event stream for the life of the process. Delivery is at least once together with what the
 * owner reads over REST after `onGap`; a missing event without an `onGap` is possible only where the server itself
 * drops events without numbering them (typing and presence).
 */
export function createMattermostSocket(options: MattermostSocketOptions): MattermostSocket {
  const { log, clock = systemClock, random = Math.random, backoff = BACKOFF } = options;
  const stream = createEventStream();
  const stats = { connections: 0, streams: 0, events: 0, ignored: 0, malformed: 0, gaps: 0 };
  let state: SocketState = { name: 'connecting', since: clock.now() };
  let connection: Connection | undefined;
  let cancelRetry = (): void => {};
  let failures = 0;
  /** The last attempt did not come up, so REST is asked why before the next one. */
  let doubtful = true;

  function enter(next: SocketState): void {
    state = next;
    guarded('onState', () => options.onState(next));
  }

  function guarded(name: string, run: () => void): boolean {
    try {
      run();
      return true;
    } catch (error) {
      log.warn({ err: error }, `chat socket: ${name} threw`);
      return false;
    }
  }

  function gap(reason: GapReason): void {
    stats.gaps += 1;
    log.info({ reason }, 'chat socket: events may be missing');
    guarded('onGap', () => options.onGap(reason));
  }

  function onFrame(frame: Frame): void {
    const missing = stream.accept(frame);
    if (missing) gap(missing);
    switch (frame.kind) {
      case 'event':
        stats.events += 1;
        if (!guarded('onEvent', () => options.onEvent(frame.event))) gap('handler');
        return;
      case 'other':
        stats.ignored += 1;
        return;
      case 'malformed':
        stats.malformed += 1;
        log.warn({ why: frame.why, seq: frame.seq }, 'chat socket: a frame that cannot be used');
        return;
      case 'hello':
        if (missing) stats.streams += 1;
        log.debug({ serverVersion: frame.serverVersion }, 'chat socket: new stream');
        return;
      case 'reply':
        return;
    }
  }

  function open(): void {
    if (state.name === 'stopped') return;
    let upAt: number | undefined;
    connection = openConnection({
      url: options.url,
      token: options.token,
      resume: stream.resume(),
      clock,
      pingEveryMs: options.pingEveryMs ?? 25_000,
      pingDeadlineMs: options.pingDeadlineMs ?? 10_000,
      onUp() {
        upAt = clock.now();
        doubtful = false;
        stats.connections += 1;
        enter({ name: 'up', since: upAt });
      },
      onFrame,
      onEnd(reason) {
        if (upAt === undefined) doubtful = true;
        else if (clock.now() - upAt >= STABLE_MS) failures = 0;
        failed(reason);
      },
    });
  }

  function failed(reason: string, unauthorised = false): void {
    if (state.name === 'stopped') return;
    connection = undefined;
    if (failures >= RESUME_ATTEMPTS) stream.forget();
    const delayMs = fullJitter(failures, backoff, random);
    failures += 1;
    const name = unauthorised ? 'unauthorised' : 'down';
    log.warn({ reason, delayMs, failures }, `chat socket: ${name}`);
    enter({ name, reason, since: state.name === name ? state.since : clock.now() });
    cancelRetry = clock.after(delayMs, connect);
  }

  function connect(): void {
    if (state.name === 'stopped') return;
    const checked = doubtful ? options.rest.me() : Promise.resolve();
    checked
      .then(open)
      .catch((error: unknown) =>
        failed(error instanceof Error ? error.message : String(error), isChatError(error, 'CHAT_TOKEN')),
      );
  }

  connect();
  return {
    state: () => state,
    stats: () => ({ ...stats }),
    stop() {
      if (state.name === 'stopped') return;
      cancelRetry();
      connection?.close();
      enter({ name: 'stopped', since: clock.now() });
    },
  };
}
