/** One SSH connection, from the first packet to `ready`. */
import { connect } from 'node:net';
import ssh2, { type Client, type ServerHostKeyAlgorithm } from 'ssh2';
import { RetryableError } from '../../actors/index.ts';
import { type AuthError, connectError, HostKeyError, UnreachableError } from './errors.ts';
import { checkHostKey, type HostKeyPolicy, hostKeyAttempts } from './hostKey.ts';
import { type KeySource, readKey } from './key.ts';

export interface Target {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly key: KeySource;
  readonly hostKey: HostKeyPolicy;
}

export interface ConnectTimes {
  /** Until the connection is ready, authentication and all. */
  readonly connectMs: number;
  /** A keepalive goes out this often; two without an answer, and a third one due, end the connection. */
  readonly keepaliveMs: number;
}

/** What is handed out is ready; its `close` event tells its end, and errors before that are told by `reasonOf`. */
export interface Connection {
  readonly client: Client;
  /** At once, without a word to the other side. */
  readonly destroy: () => void;
  /** Why it ended, once it did. */
  readonly reasonOf: () => string;
}

/** Tells an attempt that is over because the server has no host key of the types asked for. */
const NO_SUCH_KEY = /no matching host key format/i;

/**
 * @throws HostKeyError | AuthError | UnreachableError | RetryableError (the place where the trusted key is kept fails)
 */
export async function openConnection(target: Target, times: ConnectTimes, signal: AbortSignal): Promise<Connection> {
  const key = await readKey(target.key);
  const stored = await storedKey(target.hostKey, signal);
  const refused: HostKeyError[] = [];
  for (const types of hostKeyAttempts(target.hostKey, stored, target)) {
    const outcome = await attempt(target, times, key, types, signal);
    if ('client' in outcome) return outcome;
    if (outcome instanceof HostKeyError) refused.push(outcome);
    else if (!NO_SUCH_KEY.test(outcome.message)) throw outcome;
  }
  throw noKeyFits(target, refused);
}

/** Where it is kept may not answer for a while; whoever closes the connection does not wait for that. */
async function storedKey({ pins, trustOnFirstUse }: HostKeyPolicy, signal: AbortSignal): Promise<string | undefined> {
  if (pins.length > 0 || trustOnFirstUse === undefined) return undefined;
  let giveUp = (): void => {};
  const givenUp = new Promise<undefined>((resolve) => {
    giveUp = () => resolve(undefined);
    signal.addEventListener('abort', giveUp, { once: true });
  });
  try {
    const stored = await Promise.race([trustOnFirstUse.load(), givenUp]);
    signal.throwIfAborted();
    return stored;
  } catch (error) {
    throw signal.aborted ? error : memoryError(error);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

function noKeyFits(target: Target, refused: readonly HostKeyError[]): HostKeyError {
  const [first] = refused;
  if (first && refused.length === 1) return first;
  const shown = refused.flatMap((error) => error.shown);
  if (first) return new HostKeyError(first.message, first.human ?? first.message, shown);
  return new HostKeyError(
    `${target.host}:${target.port} has no host key of the expected type`,
    'The VM has no host key of the type that is expected: either it was set up anew, or something stands between. Nothing was sent. Compare its keys with SM_VM_HOST_KEY.',
    [],
  );
}

/** What ssh2 offers but is better not used is left out by its own defaults; only the host key's type is narrowed. */
function attempt(
  target: Target,
  times: ConnectTimes,
  privateKey: string,
  hostKeyTypes: readonly ServerHostKeyAlgorithm[],
  signal: AbortSignal,
): Promise<Connection | HostKeyError | AuthError | RetryableError> {
  const name = `${target.user}@${target.host}:${target.port}`;
  return new Promise((resolve) => {
    const client = new ssh2.Client();
    // One for each stream and command on it.
    client.setMaxListeners(0);
    // Our own: ssh2 does not let go of one that is still looking for its host.
    const socket = connect({ host: target.host, port: target.port });
    let problem: unknown;
    let reason = '';
    let ready = false;
    const giveUp = (): void => {
      problem ??= new UnreachableError(`${name}: given up`, 'The connection to the VM was given up.');
      socket.destroy();
    };
    signal.addEventListener('abort', giveUp, { once: true });
    client.on('ready', () => {
      ready = true;
      signal.removeEventListener('abort', giveUp);
      resolve({
        client,
        destroy: () => void socket.destroy(),
        reasonOf: () => (reason === '' ? 'closed by the other side' : reason),
      });
    });
    client.on('error', (error) => {
      problem ??= error;
      reason = reason === '' ? error.message : reason;
      // Before it is ready, ssh2 may leave the socket open after an error.
      if (!ready) socket.destroy();
    });
    client.on('close', () => {
      signal.removeEventListener('abort', giveUp);
      if (ready) return;
      if (problem instanceof HostKeyError || problem instanceof RetryableError) resolve(problem);
      else resolve(connectError({ target: name, cause: problem ?? new Error('closed before it was ready') }));
    });
    const verify = (key: Buffer, answer: (valid: boolean) => void): void => {
      checkHostKey(target.hostKey, key, target).then(
        () => answer(true),
        (error: unknown) => {
          problem = error instanceof HostKeyError ? error : memoryError(error);
          answer(false);
        },
      );
    };
    if (signal.aborted) giveUp();
    client.connect({
      sock: socket,
      username: target.user,
      privateKey,
      hostVerifier: verify,
      algorithms: { serverHostKey: [...hostKeyTypes] },
      authHandler: ['publickey'],
      readyTimeout: times.connectMs,
      keepaliveInterval: times.keepaliveMs,
      keepaliveCountMax: 2,
    });
  });
}

function memoryError(cause: unknown): RetryableError {
  return new RetryableError('SSH_HOST_KEY_MEMORY', 'The trusted host key could not be read or kept', {
    cause,
    human: 'The host key of the VM that was trusted first cannot be read from the database, or not be kept there.',
  });
}
