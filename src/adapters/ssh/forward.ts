import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import { RetryableError, TerminalError } from '../../actors/index.ts';
import { UnreachableError } from './errors.ts';

/** RFC 4254, 5.1. */
const BY_POLICY = 1;

/** A TCP stream through the connection, to a port as the VM sees it. */
export function openForward(client: Client, host: string, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    client.forwardOut('127.0.0.1', 0, host, port, (error, channel) => {
      if (!error) {
        // ssh2 tells the end only to who reads on.
        const end = (): void => void channel.resume();
        client.once('close', end);
        channel.once('close', () => client.off('close', end));
        return resolve(channel);
      }
      const reason = 'reason' in error ? Number(error.reason) : Number.NaN;
      const message = `forward to ${host}:${port}: ${error.message}`;
      if (reason === BY_POLICY) {
        const human = `The VM's sshd does not allow port forwarding. Set AllowTcpForwarding to yes (or local) in its sshd_config.`;
        return reject(new TerminalError('SSH_FORWARDING_OFF', message, { human, cause: error }));
      }
      if (Number.isFinite(reason)) {
        const human = `Nothing answers on port ${port} of the VM.`;
        return reject(new RetryableError('SSH_FORWARD_REFUSED', message, { human, cause: error }));
      }
      reject(new UnreachableError(message, 'The connection to the VM was lost. It will be tried again.', error));
    });
  });
}
