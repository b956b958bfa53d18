/**
 * The VM over one SSH connection that mends itself. Commands wait for it, share it and are ended whole; what was
 * interrupted by its loss is ended as soon as it is back.
 */
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'ssh2';
import { failureOf, type Log, RetryableError, TerminalError } from '../../actors/index.ts';
import { type Connection, type ConnectTimes, openConnection, type Target } from './connection.ts';
import { UnreachableError } from './errors.ts';
import { endRuns } from './exec.ts';
import { type ExecOptions, type ExecResult, execOn, type RawResult } from './execOn.ts';
import { readRemoteFile, writeRemoteFile } from './files.ts';
import { openForward } from './forward.ts';
import { withLimit } from './limit.ts';
import { mustSucceed } from './result.ts';
import { createSlots } from './slots.ts';
import type { Command } from './wrapper.ts';

export interface VmState {
  readonly up: boolean;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** Why it is down, for people; empty while it is up. */
  readonly reason: string;
}

export interface VmOptions extends Target {
  readonly log: Log;
  /** Called at every change, and when the reason of being down changes. */
  readonly onState?: (state: VmState) => void;
  readonly times?: Partial<VmTimes>;
  /** Commands at once; one less than sshd's MaxSessions (10). Less if the server turns out to allow less. */
  readonly maxCommands?: number;
  /** 0 to 1, for the backoff. */
  readonly random?: () => number;
}

export interface VmTimes extends ConnectTimes {
  readonly firstBackoffMs: number;
  readonly maxBackoffMs: number;
  /** Between asking a command to end and making it. Whole seconds. */
  readonly graceSeconds: number;
  /** For commands that name no limit of their own. */
  readonly shortMs: number;
}

const TIMES: VmTimes = {
  connectMs: 30_000,
  // A silent connection is given up after three of these.
  keepaliveMs: 8000,
  firstBackoffMs: 500,
  maxBackoffMs: 10_000,
  graceSeconds: 5,
  shortMs: 30_000,
};

export interface Vm {
  /**
   * Runs a command in a session of its own and waits for its end. A non-zero exit code is a result, not an error.
   * @throws TimeoutError, AbortedError, ConnectionLostError, UnreachableError, HostKeyError, AuthError, TerminalError
   */
  exec(command: Command, options?: ExecOptions): Promise<ExecResult>;
  /** Like `exec`. @throws ExitError and KilledError too */
  run(command: Command, options?: ExecOptions): Promise<ExecResult>;
  /** A TCP stream to a port as seen from the VM. Does not count as a command. @throws RetryableError, TerminalError */
  forward(host: string, port: number, signal?: AbortSignal): Promise<Duplex>;
  /** Replaces a file whole, or not at all. Its folder must be there. */
  writeFile(path: string, content: string | Uint8Array, mode: number, signal?: AbortSignal): Promise<void>;
  /** Undefined if there is none. @throws TerminalError if it is larger than `maxBytes` */
  readFile(path: string, maxBytes: number, signal?: AbortSignal): Promise<Buffer | undefined>;
  state(): VmState;
  /** Resolves when it is up; rejects with what is wrong if it does not come up within the connect time. */
  ready(signal?: AbortSignal): Promise<void>;
  /** Ends the connection, and with it every command on it. */
  close(): Promise<void>;
}

/** Starts connecting at once and never stops trying, whatever is wrong: a person may mend it on the VM's side. */
export function connectVm(options: VmOptions): Vm {
  const { log } = options;
  const times = { ...TIMES, ...options.times };
  const random = options.random ?? Math.random;
  const slots = createSlots(options.maxCommands ?? 9);
  const closing = new AbortController();
  const lostRuns = new Set<string>();
  let current: Connection | undefined;
  let state: VmState = { up: false, since: Date.now(), reason: 'connecting' };
  /** What is wrong, if trying again does not mend it. */
  let refusal: TerminalError | undefined;
  const waiting = new Set<() => void>();

  function setState(up: boolean, reason: string): void {
    if (state.up === up && state.reason === reason) return;
    state = { up, reason, since: state.up === up ? state.since : Date.now() };
    options.onState?.(state);
    for (const wake of waiting) wake();
  }

  async function keepConnected(): Promise<void> {
    for (let failures = 0; !closing.signal.aborted; ) {
      try {
        const connection = await openConnection(options, times, closing.signal);
        refusal = undefined;
        const upSince = Date.now();
        const reason = await whileUp(connection);
        // One that ends as soon as it is there is a failure like others: it is not asked for several times a second.
        if (Date.now() - upSince >= times.maxBackoffMs) failures = 0;
        if (!closing.signal.aborted) log.warn({ reason }, 'The connection to the VM was lost');
        setState(false, reason);
      } catch (error) {
        if (closing.signal.aborted) break;
        const failure = failureOf(error);
        refusal = error instanceof TerminalError ? error : undefined;
        log.warn({ code: failure.code, reason: failure.message, failures }, 'The VM cannot be reached');
        setState(false, failure.human);
      }
      // A refused key is not shown again so soon: machines lock out whom they refuse too often.
      const most = refusal ? 6 * times.maxBackoffMs : times.maxBackoffMs;
      const ceiling = Math.min(most, times.firstBackoffMs * 2 ** Math.min(failures, 16));
      failures += 1;
      await sleep(random() * ceiling, undefined, { signal: closing.signal }).catch(() => {});
    }
    setState(false, 'closed');
  }

  async function whileUp(connection: Connection): Promise<string> {
    const gone = new Promise<void>((resolve) => connection.client.once('close', () => resolve()));
    current = connection;
    slots.reset();
    setState(true, '');
    endLost(connection.client);
    await gone;
    current = undefined;
    return connection.reasonOf();
  }

  /** Runs of an earlier connection that may still be there: their own sshd may not have noticed yet. */
  function endLost(client: Client): void {
    const runs = [...lostRuns];
    if (runs.length === 0) return;
    withLimit((times.graceSeconds + 30) * 1000, [closing.signal], (limit) =>
      endRuns(client, runs, times.graceSeconds, limit),
    ).then(
      (ended) => {
        if (ended) for (const run of runs) lostRuns.delete(run);
        log.info({ runs: runs.length, ended }, 'Commands of a lost connection were ended');
      },
      (error: unknown) => log.warn({ reason: failureOf(error).message }, 'Lost commands could not be ended'),
    );
  }

  function connected(signal?: AbortSignal): Promise<Client> {
    return withLimit(times.connectMs, [closing.signal, signal], async (limit) => {
      for (;;) {
        if (current) return current.client;
        if (refusal) throw refusal;
        if (limit.aborted) throw signal?.aborted ? signal.reason : notUp();
        await changed(limit);
      }
    });
  }

  function changed(limit: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        waiting.delete(wake);
        limit.removeEventListener('abort', wake);
        resolve();
      };
      waiting.add(wake);
      limit.addEventListener('abort', wake, { once: true });
    });
  }

  function notUp(): UnreachableError {
    if (closing.signal.aborted) return new UnreachableError('closed', 'The gateway is stopping.');
    return new UnreachableError(
      `The VM is not connected: ${state.reason}`,
      `The VM cannot be reached: ${state.reason}`,
    );
  }

  const { graceSeconds, shortMs } = times;
  const shared = { connected, slots, log, user: options.user, graceSeconds, shortMs, lostRuns };
  const raw = (command: Command, settings: ExecOptions): Promise<RawResult> => execOn(shared, command, settings);
  const exec = async (command: Command, settings: ExecOptions = {}): Promise<ExecResult> => {
    const { stdout, stderr, ...rest } = await raw(command, settings);
    return { ...rest, stdout: stdout.toString(), stderr: stderr.toString() };
  };
  const finished = keepConnected();

  return {
    exec,
    run: async (command, settings) => mustSucceed(command, await exec(command, settings)),
    forward: async (host, port, signal) => openForward(await connected(signal), host, port, signal),
    writeFile: (path, content, mode, signal) => writeRemoteFile(raw, { path, content, mode, signal }),
    readFile: (path, maxBytes, signal) => readRemoteFile(raw, { path, maxBytes, signal }),
    state: () => state,
    ready: async (signal) => {
      await connected(signal);
    },
    close: async () => {
      closing.abort(new RetryableError('SSH_CLOSED', 'The connection to the VM was closed'));
      const connection = current;
      connection?.client.end();
      const timer = setTimeout(() => connection?.destroy(), 1000);
      await finished;
      clearTimeout(timer);
    },
  };
}
