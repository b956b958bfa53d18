/** A command from beginning to end: a place, a channel, its time limit, and what is told when it does not end well. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'ssh2';
import type { Log } from '../../actors/index.ts';
import { AbortedError, ConnectionLostError, loginShellError, TimeoutError, UnreachableError } from './errors.ts';
import { ChannelRefused, type Ending, endRuns, type OnLine, type RunningCommand, startCommand } from './exec.ts';
import { withLimit } from './limit.ts';
import { signalOf } from './result.ts';
import type { Slots } from './slots.ts';
import { type Command, nameOf, newRunId, type PreparedRun, prepareRun } from './wrapper.ts';

export interface ExecOptions {
  /**
   * From its start on; after that it is ended. Waiting for the connection and for a place does not count. The connection's
   * limit for short commands by default.
   */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** The way for secrets: nothing of it shows in the process table. */
  readonly stdin?: string | Uint8Array;
  /** Added to the login environment. Sent through stdin as well. */
  readonly env?: Readonly<Record<string, string>>;
  /** An absolute folder; `/` by default. */
  readonly cwd?: string;
  /** Kept of stdout and of stderr each; of more, the beginning and the end with a mark between. 1 MiB by default. */
  readonly maxOutputBytes?: number;
  readonly onLine?: OnLine;
}

interface Result<Output> {
  /** 128 and the signal's number if a signal ended it, as shells have it. */
  readonly code: number;
  /** Set if a signal ended it. A program that exits with such a code by itself cannot be told apart. */
  readonly signal: string | null;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Something was left out of stdout or stderr. */
  readonly truncated: boolean;
}
export type RawResult = Result<Buffer>;
export type ExecResult = Result<string>;

export interface Shared {
  readonly connected: (signal?: AbortSignal) => Promise<Client>;
  readonly slots: Slots;
  readonly log: Log;
  readonly user: string;
  readonly graceSeconds: number;
  /** For commands that name no limit. */
  readonly shortMs: number;
  /** Runs that may still be there although we have lost sight of them. */
  readonly lostRuns: Set<string>;
}

const DEFAULT_OUTPUT_BYTES = 1024 * 1024;

/** What runs longer than this leaves room for others. */
const LONG_MS = 60_000;

/** The VM's own time limit comes this much later than ours, which knows better what to say. */
const LIMIT_MARGIN_SECONDS = 10;

/** How often a place is asked for that should be free. */
const TRIES_ALONE = 20;
const TRY_AGAIN_MS = 150;

/** A command whose limit is known. */
type Bounded = ExecOptions & { readonly timeoutMs: number };

export async function execOn(shared: Shared, command: Command, asked: ExecOptions): Promise<RawResult> {
  const options: Bounded = { ...asked, timeoutMs: asked.timeoutMs ?? shared.shortMs };
  const isShort = asked.timeoutMs === undefined;
  const run = newRunId();
  const prepared = prepareRun({
    run,
    command,
    cwd: options.cwd ?? '/',
    env: options.env ?? {},
    stdin: Buffer.from(options.stdin ?? ''),
    limitSeconds: Math.ceil(options.timeoutMs / 1000) + LIMIT_MARGIN_SECONDS,
    graceSeconds: shared.graceSeconds,
  });
  const what = nameOf(command);
  const { running, client, release } = await start(shared, run, prepared, options, what);
  try {
    const { ending, stoppedBy } = await watch(running, options, (shared.graceSeconds + 8) * 1000);
    if (stoppedBy === undefined) return await resultOf(shared, run, client, running, ending, what);
    const ended = ending.kind === 'exit' || (await endFromBeside(shared, run, client));
    throw stoppedBy === 'time'
      ? new TimeoutError(what, options.timeoutMs, ended, isShort)
      : new AbortedError(what, ended, options.signal?.reason);
  } finally {
    release();
  }
}

interface Started {
  readonly running: RunningCommand;
  readonly client: Client;
  readonly release: () => void;
}

/** Tries again for as long as the server has no place and others hold some. */
async function start(
  shared: Shared,
  run: string,
  prepared: PreparedRun,
  options: Bounded,
  what: string,
): Promise<Started> {
  const limitBytes = options.maxOutputBytes ?? DEFAULT_OUTPUT_BYTES;
  let alone = 0;
  for (let first = false; ; first = true) {
    const client = await shared.connected(options.signal);
    const release = await shared.slots.take({ long: options.timeoutMs > LONG_MS, first, signal: options.signal });
    try {
      const running = await startCommand(client, prepared, { run, limitBytes, onLine: options.onLine });
      return { running, client, release };
    } catch (error) {
      const isAlone = shared.slots.inUse <= 1;
      if (error instanceof ChannelRefused) shared.slots.refused();
      release();
      // A command that is being ended, or has just ended, may still hold the server's last place for a moment.
      if (isAlone) alone += 1;
      if (!(error instanceof ChannelRefused) || alone > TRIES_ALONE) throw notStarted(what, error);
      shared.log.debug({ limit: shared.slots.limit }, 'The VM takes fewer commands at once');
      if (isAlone) await sleep(TRY_AGAIN_MS, undefined, { signal: options.signal });
    }
  }
}

function notStarted(what: string, error: unknown): UnreachableError {
  const reason = error instanceof Error ? error.message : String(error);
  const human =
    error instanceof ChannelRefused
      ? 'The VM refuses to run commands. Look at MaxSessions in its sshd_config and at its system log.'
      : 'The connection to the VM was lost before a command could start. It will be tried again.';
  return new UnreachableError(`${what}: not started: ${reason}`, human, error);
}

async function watch(
  running: RunningCommand,
  { timeoutMs, signal }: Bounded,
  waitMs: number,
): Promise<{ readonly ending: Ending; readonly stoppedBy: 'time' | 'caller' | undefined }> {
  let stoppedBy: 'time' | 'caller' | undefined;
  const stop = (by: 'time' | 'caller'): void => {
    if (running.stop(waitMs)) stoppedBy ??= by;
  };
  const onAbort = (): void => stop('caller');
  const timer = setTimeout(() => stop('time'), timeoutMs);
  if (signal?.aborted) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return { ending: await running.ended, stoppedBy };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

async function resultOf(
  shared: Shared,
  run: string,
  client: Client,
  running: RunningCommand,
  ending: Ending,
  what: string,
): Promise<RawResult> {
  const { stdout, stderr, truncated, noise, started } = running.written();
  if (ending.kind !== 'exit') {
    shared.lostRuns.add(run);
    await endFromBeside(shared, run, client);
    throw new ConnectionLostError(what, 'the connection was cut');
  }
  if (!started) throw loginShellError(shared.user, noise);
  if (noise !== '') shared.log.debug({ bytes: noise.length }, 'Start files of the login shell print something');
  if (ending.code !== null) {
    return { code: ending.code, signal: signalOf(ending.code), stdout, stderr, truncated };
  }
  // The wrapper is gone and took nothing with it.
  await endFromBeside(shared, run, client);
  return { code: 128, signal: ending.signal ?? 'SIGKILL', stdout, stderr, truncated };
}

/** @returns whether the VM said that nothing of the run is left; if not, it is ended with the next connection. */
async function endFromBeside(shared: Shared, run: string, client: Client): Promise<boolean> {
  const ended = await withLimit((shared.graceSeconds + 15) * 1000, [], (limit) =>
    endRuns(client, [run], shared.graceSeconds, limit),
  ).catch(() => false);
  if (ended) shared.lostRuns.delete(run);
  else shared.lostRuns.add(run);
  return ended;
}
