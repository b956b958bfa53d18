// Can a TCP connection be opened from this container, now?
import { connect } from 'node:net';
import { type handleUnaryCall, status } from '@grpc/grpc-js';
import type { ProbeRequest, ProbeResponse } from '../generated/claude_agent/v1/agent.ts';

const DEFAULT_TIMEOUT_MS = 5_000;
const LONGEST_TIMEOUT_MS = 30_000;

export const probeCall: handleUnaryCall<ProbeRequest, ProbeResponse> = (call, callback) => {
  const { host, port, timeoutMs } = call.request;
  if (host === '' || port < 1 || port > 65_535) {
    callback({ code: status.INVALID_ARGUMENT, details: 'host and a port from 1 to 65535 are needed' });
    return;
  }
  probe(host, port, Math.min(timeoutMs || DEFAULT_TIMEOUT_MS, LONGEST_TIMEOUT_MS)).then(
    (response) => callback(null, response),
    callback,
  );
};

/** Opens and closes one connection; never rejects. `ETIMEDOUT` when the time (milliseconds) is over. */
export function probe(host: string, port: number, timeoutMs: number): Promise<ProbeResponse> {
  const started = Date.now();
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const done = (error: string) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ reachable: error === '', error, elapsedMs: Date.now() - started });
    };
    // Of our own: the socket's timeout does not cover the look-up of the name.
    const timer = setTimeout(() => done('ETIMEDOUT'), timeoutMs);
    socket.once('connect', () => done(''));
    socket.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? 'EUNKNOWN'));
  });
}
