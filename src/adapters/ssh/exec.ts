/** One command on one channel of a connection: started, fed, read, and ended when it has to be. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, ClientChannel } from 'ssh2';
import { createCollector, createLines } from './output.ts';
import { endCommand, type PreparedRun, startMark } from './wrapper.ts';

export type OnLine = (line: string, stream: 'stdout' | 'stderr') => void;

/** How a command's channel ended. */
export type Ending =
  /** `code` is null if the wrapper itself was ended by a signal. */
  | { readonly kind: 'exit'; readonly code: number | null; readonly signal: string | null }
  /** The channel closed without a word: the connection, or the sshd process that served it, is gone. */
  | { readonly kind: 'lost' }
  /** We gave up waiting after the end was asked for. */
  | { readonly kind: 'silent' };

export interface Written {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly truncated: boolean;
  /** What came before the wrapper's first word, or all if it never spoke. */
  readonly noise: string;
  readonly started: boolean;
}

export interface RunningCommand {
  readonly ended: Promise<Ending>;
  readonly written: () => Written;
  /**
   * Asks the wrapper to end the command; `ended` follows, at the latest after `waitMs`.
   * @returns false if the command has ended by itself: then its output is waited for no longer
   */
  stop(waitMs: number): boolean;
}

/** The server refused to open one more channel; nothing was started. */
export class ChannelRefused extends Error {
  /** RFC 4254, 5.1. 1: by policy, 2: it could not. */
  readonly reason: number;
  constructor(reason: number, message: string) {
    super(message);
    this.reason = reason;
  }
}

/**
 * After its exit code a command's output ends, unless a daemon it left behind holds the pipe open. So much silence tells
 * that nothing more will come.
 */
const SILENCE_AFTER_EXIT_MS = 5000;

/** What a pipe can hold is here long before; what still comes then is a daemon's talk. */
const LONGEST_AFTER_EXIT_MS = 30_000;

/** @throws ChannelRefused, or what ssh2 says when the connection is gone */
export function startCommand(client: Client, prepared: PreparedRun, options: FollowOptions): Promise<RunningCommand> {
  return openChannel(client, prepared.command, (channel) => follow(channel, prepared.input, options));
}

interface FollowOptions {
  readonly run: string;
  readonly limitBytes: number;
  readonly onLine?: OnLine | undefined;
}

function follow(channel: ClientChannel, input: Buffer, options: FollowOptions): RunningCommand {
  const stdout = stream(options, 'stdout');
  const stderr = stream(options, 'stderr');
  let exit: Extract<Ending, { kind: 'exit' }> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let lastTimer: NodeJS.Timeout | undefined;
  let finish: (ending: Ending) => void = () => {};
  const ended = new Promise<Ending>((resolve) => {
    finish = resolve;
  });

  const heard = (): void => {
    if (!exit) return;
    clearTimeout(timer);
    timer = setTimeout(() => channel.close(), SILENCE_AFTER_EXIT_MS);
  };
  channel.on('data', (chunk: Buffer) => {
    stdout.add(chunk);
    heard();
  });
  channel.stderr.on('data', (chunk: Buffer) => {
    stderr.add(chunk);
    heard();
  });
  channel.on('exit', (code: number | null, signal?: string) => {
    exit = { kind: 'exit', code, signal: signal ?? null };
    lastTimer = setTimeout(() => channel.close(), LONGEST_AFTER_EXIT_MS);
    heard();
  });
  // The `close` that follows tells all there is to know.
  channel.on('error', () => {});
  channel.stderr.on('error', () => {});
  channel.on('close', () => {
    clearTimeout(timer);
    clearTimeout(lastTimer);
    stdout.end();
    stderr.end();
    finish(exit ?? { kind: 'lost' });
  });
  // Not ended: the end of its input tells the wrapper that we are gone.
  channel.write(input);

  return {
    ended,
    written: () => ({
      stdout: stdout.bytes(),
      stderr: stderr.bytes(),
      truncated: stdout.truncated() || stderr.truncated(),
      noise: stdout.noise() + stderr.noise(),
      started: stdout.started(),
    }),
    stop: (waitMs) => {
      if (exit) {
        channel.close();
        return false;
      }
      // Either is enough. The signal passes input that nobody reads; the end of input passes servers without signals.
      channel.signal('TERM');
      channel.end();
      clearTimeout(timer);
      timer = setTimeout(() => {
        finish(exit ?? { kind: 'silent' });
        channel.close();
      }, waitMs);
      return true;
    },
  };
}

/** Ends runs through a channel of its own. @returns whether the server said that nothing of them runs any more */
export async function endRuns(
  client: Client,
  runs: readonly string[],
  graceSeconds: number,
  signal: AbortSignal,
): Promise<boolean> {
  for (;;) {
    if (signal.aborted) return false;
    const asked = openChannel(client, endCommand(graceSeconds), (channel) => confirm(channel, runs, signal));
    const confirmed = await asked.catch((error: unknown) => {
      if (error instanceof ChannelRefused) return undefined;
      throw error;
    });
    if (confirmed !== undefined) return confirmed;
    // All places are taken; one becomes free.
    await sleep(200, undefined, { signal }).catch(() => {});
  }
}

function confirm(channel: ClientChannel, runs: readonly string[], signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    let code: number | null = null;
    const giveUp = (): void => channel.close();
    signal.addEventListener('abort', giveUp, { once: true });
    channel.on('exit', (value: number | null) => {
      code = value;
    });
    channel.on('error', () => {});
    channel.on('close', () => {
      signal.removeEventListener('abort', giveUp);
      resolve(code === 0);
    });
    channel.resume();
    channel.stderr.resume();
    channel.end(`${runs.join('\n')}\n`);
  });
}

/** @param begin at once: what the channel has to tell may stand in the same packet, and is told to those who listen then. */
function openChannel<T>(
  client: Client,
  command: string,
  begin: (channel: ClientChannel) => T | Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    // Thrown, not told, when the connection is gone already.
    client.exec(command, (error, channel) => {
      if (!error) return resolve(begin(channel));
      const reason = 'reason' in error ? Number(error.reason) : Number.NaN;
      reject(Number.isFinite(reason) ? new ChannelRefused(reason, error.message) : error);
    });
  });
}

/** One output stream, from the wrapper's mark on. */
function stream(
  { run, limitBytes, onLine }: { run: string; limitBytes: number; onLine?: OnLine | undefined },
  name: 'stdout' | 'stderr',
) {
  const mark = startMark(run);
  const collector = createCollector(limitBytes);
  const lines = onLine ? createLines((line) => onLine(line, name)) : undefined;
  /** Undefined once the mark was seen. */
  let before: Buffer | undefined = Buffer.alloc(0);
  let noise = '';

  function take(chunk: Buffer): void {
    collector.add(chunk);
    lines?.add(chunk);
  }

  return {
    add: (chunk: Buffer) => {
      if (!before) return take(chunk);
      before = Buffer.concat([before, chunk]);
      const at = before.indexOf(mark);
      if (at < 0) {
        // The mark may be cut in two; of endless noise the end is enough.
        if (before.length > 65_536) before = Buffer.from(before.subarray(-4096));
        return;
      }
      const rest = before.subarray(at + mark.length);
      noise = before.subarray(0, at).toString();
      before = undefined;
      if (rest.length > 0) take(rest);
    },
    end: () => lines?.end(),
    bytes: () => collector.bytes(),
    truncated: () => collector.truncated,
    noise: () => before?.toString() ?? noise,
    started: () => before === undefined,
  };
}
