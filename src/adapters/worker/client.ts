/** A gRPC connection to one agent worker. */
import { X509Certificate } from 'node:crypto';
import { type ChannelCredentials, type ChannelOptions, credentials, Metadata } from '@grpc/grpc-js';
import { CERTIFICATE_NAME } from './certificate.ts';
import { AgentWorkerServiceClient } from './generated/claude_agent/v1/agent.ts';

/** Must equal the worker's. A whole file or a long tool input fits; a text of the agent always does. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

const OPTIONS: ChannelOptions = {
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.keepalive_permit_without_calls': 1,
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 5_000,
};

export interface WorkerClient {
  readonly stub: AgentWorkerServiceClient;
  /** The bearer token of every call. */
  metadata(): Metadata;
  close(): void;
}

/**
 * @param endpoint `host:port`, or `unix:` and the path of a socket. Without a certificate the connection is not encrypted: a
 *   loopback or tunnelled address.
 * @param token proves the gateway to the worker, which knows only its SHA-256.
 * @param certificate PEM of the only certificate that the worker may show, whoever has signed it
 */
export function connectWorker(endpoint: string, token: string, certificate?: string): WorkerClient {
  const stub =
    certificate === undefined
      ? new AgentWorkerServiceClient(endpoint, credentials.createInsecure(), OPTIONS)
      : new AgentWorkerServiceClient(endpoint, pinned(certificate), {
          ...OPTIONS,
          'grpc.ssl_target_name_override': CERTIFICATE_NAME,
        });
  return {
    stub,
    metadata() {
      const metadata = new Metadata();
      metadata.set('authorization', `Bearer ${token}`);
      return metadata;
    },
    close: () => stub.close(),
  };
}

function pinned(certificate: string): ChannelCredentials {
  const expected = new X509Certificate(certificate).raw;
  return credentials.createSsl(Buffer.from(certificate), null, null, {
    checkServerIdentity: (_host, shown) =>
      expected.equals(shown.raw)
        ? undefined
        : new Error('The worker shows another certificate than the one it was given.'),
  });
}
