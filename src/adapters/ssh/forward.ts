import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import { RetryableError, TerminalError } from '../../actors/index.ts';
import { AbortedError, UnreachableError } from './errors.ts';

/** RFC 4254, 5.1. */
const BY_POLICY = 1;

/**
 * A TCP stream through the connection, to a port as the VM sees it.
 * @throws AbortedError as soon as the signal says so: the VM may try for minutes to reach a port
 */
export function openForward(client: Client, host: string, port: number, signal?: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const what = `forward to ${host}:${port}`;
    const giveUp = (): void => reject(new AbortedError(what, true, signal?.reason));
    if (signal?.aborted) return giveUp();
    signal?.addEventListener('abort', giveUp, { once: true });
    const answer = (error: Error | undefined, channel: Duplex): void => {
      signal?.removeEventListener('abort', giveUp);
      if (error) return reject(forwardError(what, port, error));
      // Too late: nobody waits for it any more.
      if (signal?.aborted) return void channel.on('error', () => {}).destroy();
      // ssh2 tells the end only to who reads on.
      const end = (): void => void channel.resume();
      client.once('close', end);
      channel.once('close', () => client.off('close', end));
      resolve(channel);
    };
    try {
      client.forwardOut('127.0.0.1', 0, host, port, answer);
    } catch (error) {
      // Thrown, not told, when the connection is gone already.
      signal?.removeEventListener('abort', giveUp);
      reject(forwardError(what, port, error));
    }
  });
}

function forwardError(what: string, port: number, cause: unknown): RetryableError | TerminalError {
  const reason = typeof cause === 'object' && cause !== null && 'reason' in cause ? Number(cause.reason) : Number.NaN;
  const message = `${what}: ${cause instanceof Error ? cause.message : String(cause)}`;
  if (reason === BY_POLICY) {
    const human = `The VM's sshd does not allow port forwarding. Set AllowTcpForwarding to yes (or local) in its sshd_config.`;
    return new TerminalError('SSH_FORWARDING_OFF', message, { human, cause });
  }
  if (Number.isFinite(reason)) {
    const human = `Nothing answers on port ${port} of the VM.`;
    return new RetryableError('SSH_FORWARD_REFUSED', message, { human, cause });
  }
  return new UnreachableError(message, 'The connection to the VM was lost. It will be tried again.', cause);
}
