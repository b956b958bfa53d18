/** A gRPC connection to one agent worker. */
import { type ChannelOptions, credentials, Metadata } from '@grpc/grpc-js';
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
 * @param endpoint `host:port` of a loopback or tunnelled address; the connection itself is not encrypted.
 * @param token proves the gateway to the worker, which knows only its SHA-256.
 */
export function connectWorker(endpoint: string, token: string): WorkerClient {
  const stub = new AgentWorkerServiceClient(endpoint, credentials.createInsecure(), OPTIONS);
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
