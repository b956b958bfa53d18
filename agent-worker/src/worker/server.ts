// The gRPC server: the service, health checks, auth, and the limits both sides keep.
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import type { Logger } from 'pino';
import { authInterceptor } from '../auth.ts';
import { type AgentWorkerServiceServer, AgentWorkerServiceService } from '../generated/claude_agent/v1/agent.ts';
import { describeCall } from '../unary/describe.ts';
import { getFileCall } from '../unary/getFile.ts';
import { probeCall } from '../unary/probe.ts';
import { readLogsCall } from '../unary/readLogs.ts';
import { runGitCall } from '../unary/runGit.ts';
import type { WorkerConfig } from './config.ts';
import { openRegistry } from './registry.ts';
import { sessionCall } from './sessionCall.ts';

const MESSAGE_LIMIT = 16 * 1024 * 1024;
const SERVICE = 'claude_agent.v1.AgentWorkerService';

export interface Worker {
  /** The port that was bound. */
  port: number;
  /** Ends every agent, writes what is to be kept, closes the port. */
  stop(): Promise<void>;
}

function credentialsOf({ tls }: WorkerConfig): ServerCredentials {
  if (!tls) return ServerCredentials.createInsecure();
  return ServerCredentials.createSsl(null, [{ private_key: tls.key, cert_chain: tls.certificate }]);
}

/** Starts serving. Rejects if the address cannot be bound. */
export async function startWorker(config: WorkerConfig, logger: Logger, recentLogs: () => string[]): Promise<Worker> {
  const registry = openRegistry(config, logger);
  const server = new Server({
    'grpc.max_receive_message_length': MESSAGE_LIMIT,
    'grpc.max_send_message_length': MESSAGE_LIMIT,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
    interceptors: [authInterceptor(config.tokenSha256)],
  });
  const health = new HealthImplementation({ '': 'SERVING', [SERVICE]: 'SERVING' });
  health.addToServer(server);
  const service: AgentWorkerServiceServer = {
    session: sessionCall(registry, config, logger),
    listSessions: (_call, callback) => callback(null, { sessions: registry.list() }),
    describe: describeCall(config),
    probe: probeCall,
    runGit: runGitCall(registry, config),
    getFile: getFileCall(registry),
    readLogs: readLogsCall(recentLogs),
  };
  server.addService(AgentWorkerServiceService, service);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(config.listen, credentialsOf(config), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  return {
    port,
    async stop() {
      health.setStatus('', 'NOT_SERVING');
      health.setStatus(SERVICE, 'NOT_SERVING');
      await registry.shutdown();
      server.forceShutdown();
    },
  };
}
